package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	private "amqp-tutorials/internal/broker"
)

const defaultURL = "amqp://guest:guest@localhost:5672/"

func orDefault(urls string) string {
	if urls == "" {
		return defaultURL
	}
	return urls
}

// hostPort is where the broker of a URL listens; of several URLs the first counts.
func hostPort(urls string) (host string, port int, err error) {
	first, _, _ := strings.Cut(urls, ",")
	uri, err := amqp.ParseURI(first)
	return uri.Host, uri.Port, err
}

// answering is the first of the URLs, separated by commas, where there is a broker. Of a TLS port it is only known
// that something accepts connections. If there is none it is the first, and false.
func answering(urls string) (string, bool) {
	list := strings.Split(urls, ",")
	for _, each := range list {
		uri, err := amqp.ParseURI(each)
		if err != nil {
			continue
		}
		address := net.JoinHostPort(uri.Host, fmt.Sprint(uri.Port))
		if uri.Scheme == "amqps" {
			if c, err := net.DialTimeout("tcp", address, 2*time.Second); err == nil {
				_ = c.Close()
				return each, true
			}
		} else if private.Greets(address) {
			return each, true
		}
	}
	return list[0], false
}

// place is a vhost on somebody's broker, and who we are there.
type place struct {
	uri amqp.URI
	api string // the base of the management API
}

// placeAt is the place that the programs would find with this URL and the other variables.
func placeAt(rawURL string) (*place, error) {
	uri, err := amqp.ParseURI(rawURL)
	if err != nil {
		return nil, errors.New("AMQP_URL is no AMQP URL") // quoting it could show a password
	}
	for name, setting := range map[string]*string{
		"AMQP_USER": &uri.Username, "AMQP_PASSWORD": &uri.Password, "AMQP_VHOST": &uri.Vhost,
		"AMQP_CACERT": &uri.CACertFile, "AMQP_CERT": &uri.CertFile, "AMQP_KEY": &uri.KeyFile, "AMQP_SERVER_NAME": &uri.ServerName,
	} {
		if value := os.Getenv(name); value != "" {
			*setting = value
		}
	}
	p := &place{uri: uri, api: "http://" + net.JoinHostPort(uri.Host, fmt.Sprint(managementPort)) + "/"}
	if e, ok := atPort(uri.Port); ok && isHere(uri.Host) {
		p.api = e.Management
	}
	return p, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isHere tells whether this is a name or address of this machine.
func isHere(host string) bool {
	own, _ := net.InterfaceAddrs()
	return isLoopback(host) || slices.ContainsFunc(own, func(address net.Addr) bool {
		network, ok := address.(*net.IPNet)
		return ok && network.IP.Equal(net.ParseIP(host))
	})
}

// call calls the management API. It is not called where it would tell the network a password that the URL does not.
func (p *place) call(method, path string, body, into any) error {
	api, err := url.Parse(p.api)
	if err != nil {
		return err
	}
	if p.uri.Scheme == "amqps" && !isHere(api.Hostname()) {
		return errors.New("the management API would be called without encryption")
	}
	payload, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, p.api+"api/"+path, bytes.NewReader(payload))
	if err != nil {
		return err
	}
	request.SetBasicAuth(p.uri.Username, p.uri.Password)
	request.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode >= 300:
		return fmt.Errorf("the management API answers %s", response.Status)
	case into != nil:
		return json.Unmarshal(answer, into)
	}
	return nil
}

func (p *place) dial() (*amqp.Connection, error) {
	conn, err := amqp.DialConfig(p.uri.String(), amqp.Config{Dial: amqp.DefaultDial(5 * time.Second), Vhost: p.uri.Vhost})
	if err != nil {
		return nil, fmt.Errorf("connecting to %s:%d: %w", p.uri.Host, p.uri.Port, err)
	}
	return conn, nil
}

// sameBroker fails if the management API is another broker's: that of a neighbour on this machine, for example.
func (p *place) sameBroker() error {
	var overview struct {
		Cluster string `json:"cluster_name"`
	}
	if err := p.call(http.MethodGet, "overview", nil, &overview); err != nil {
		return err
	}
	conn, err := p.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	if conn.Properties["cluster_name"] != overview.Cluster {
		return errors.New("its management API is not at " + p.api)
	}
	return nil
}

// ownVhost makes a vhost on the broker and goes there, if we may do that.
func (p *place) ownVhost() error {
	if err := p.sameBroker(); err != nil {
		return err
	}
	before := p.uri.Vhost
	p.uri.Vhost = "demo-" + strings.ToLower(rand.Text()[:8])
	all := map[string]string{"configure": ".*", "write": ".*", "read": ".*"}
	err := p.call(http.MethodPut, "vhosts/"+p.uri.Vhost, map[string]string{}, nil)
	if err == nil {
		err = p.call(http.MethodPut, "permissions/"+p.uri.Vhost+"/"+url.PathEscape(p.uri.Username), all, nil)
		var conn *amqp.Connection
		if err == nil {
			conn, err = p.dial() // the API might be another broker's
		}
		if err == nil {
			return conn.Close()
		}
		_ = p.removeVhost()
	}
	p.uri.Vhost = before
	return err
}

func (p *place) removeVhost() error {
	return p.call(http.MethodDelete, "vhosts/"+p.uri.Vhost, nil, nil)
}

// taken returns those names that are a queue or an exchange already.
func (p *place) taken(names []string) (taken []string, err error) {
	conn, err := p.dial()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	for _, name := range names {
		queue, errQueue := there(conn, func(ch *amqp.Channel) error {
			_, err := ch.QueueDeclarePassive(name, false, false, false, false, nil)
			return err
		})
		exchange, errExchange := there(conn, func(ch *amqp.Channel) error {
			return ch.ExchangeDeclarePassive(name, "", false, false, false, false, nil)
		})
		if err := errors.Join(errQueue, errExchange); err != nil {
			return nil, err
		}
		if queue || exchange {
			taken = append(taken, name)
		}
	}
	return taken, nil
}

// there tells whether a passive declaration finds something: also if it is another connection's own.
func there(conn *amqp.Connection, declare func(*amqp.Channel) error) (bool, error) {
	ch, err := conn.Channel()
	if err != nil {
		return false, err
	}
	err = declare(ch)
	var refused *amqp.Error
	switch {
	case err == nil:
		return true, ch.Close()
	case errors.As(err, &refused) && refused.Code == amqp.NotFound:
		return false, nil
	case errors.As(err, &refused) && refused.Code == amqp.ResourceLocked:
		return true, nil
	}
	return false, err
}

// remove deletes the queues and exchanges of these names, unless somebody uses them.
func (p *place) remove(names []string) error {
	conn, err := p.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	// Exchanges last: a queue that is bound to one uses it.
	for _, remove := range []func(ch *amqp.Channel, name string) error{
		func(ch *amqp.Channel, name string) error {
			_, err := ch.QueueDelete(name, true, false, false)
			return err
		},
		func(ch *amqp.Channel, name string) error { return ch.ExchangeDelete(name, true, false) },
	} {
		for _, name := range names {
			ch, err := conn.Channel()
			if err != nil {
				return err
			}
			var refused *amqp.Error
			if err := remove(ch, name); err != nil && !errors.As(err, &refused) {
				return err
			}
		}
	}
	return nil
}

// runApart runs a command on somebody's broker, in a vhost of its own, or at least without touching what was there.
func runApart(o options, rawURL string, command []string, signals <-chan os.Signal) int {
	p, err := placeAt(rawURL)
	if err != nil {
		say("%v", err)
		return failed
	}
	broker := withoutPassword(rawURL)
	errVhost := p.ownVhost()
	if errVhost == nil {
		say("using the broker at %s, in a vhost of its own: %s", broker, p.uri.Vhost)
		defer func() {
			if err := p.removeVhost(); err != nil {
				say("the vhost %s could not be removed: %v", p.uri.Vhost, err)
			}
		}()
	} else {
		taken, err := p.taken(o.fresh)
		switch {
		case err != nil:
			say("not run: %v", err)
			return failed
		case len(taken) > 0:
			say("not run: at %s there are already: %s. A vhost of its own was not to be had: %v", broker, strings.Join(taken, ", "), errVhost)
			say("without AMQP_URL a private broker is started")
			return failed
		}
		say("using the broker at %s (no vhost of its own: %v)", broker, errVhost)
		defer func() {
			if err := p.remove(o.fresh); err != nil {
				say("not all could be removed: %v", err)
			}
		}()
	}
	environment := without(os.Environ(), "AMQP_URL", "AMQP_VHOST")
	environment = append(environment, "AMQP_URL="+rawURL, "AMQP_VHOST="+p.uri.Vhost)
	return execute(command, environment, o.limit, nil, signals)
}
