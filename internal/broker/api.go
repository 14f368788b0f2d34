package broker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// API calls the management HTTP API as the node's administrator. The path is what follows /api, for example "/queues/%2F/hello". A body
// that is not nil is sent as JSON; an answer is decoded to into, unless that is nil.
func (n *Node) API(method, path string, body, into any) error {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, "http://"+n.management()+"/api"+path, payload)
	if err != nil {
		return err
	}
	req.SetBasicAuth(n.User(), n.Password())
	req.Header.Set("Content-Type", "application/json")
	resp, err := n.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s", resp.Status, answer)
	}
	if err == nil && into != nil {
		err = json.Unmarshal(answer, into)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// AddVhost makes a vhost where guest and alice may do everything, and bob may read.
func (n *Node) AddVhost(name string) error {
	name = url.PathEscape(name)
	if err := n.API(http.MethodPut, "/vhosts/"+name, object{}, nil); err != nil {
		return err
	}
	for user, all := range map[string]string{"guest": ".*", "alice": ".*", "bob": ""} {
		rights := object{"configure": all, "write": all, "read": ".*"}
		if err := n.API(http.MethodPut, "/permissions/"+name+"/"+user, rights, nil); err != nil {
			return err
		}
	}
	return nil
}
