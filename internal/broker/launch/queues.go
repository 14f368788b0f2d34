package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// queues shows the queues of a vhost.
func queues(watch bool) int {
	first, _, _ := strings.Cut(orDefault(os.Getenv("AMQP_URL")), ",")
	p, err := placeAt(first)
	if err != nil {
		say("queues: %v", err)
		return failed
	}
	for signals := listenToSignals(); ; {
		table, err := p.queues()
		if err != nil {
			say("queues: %v", err)
			return failed
		}
		if !watch {
			fmt.Print(table)
			return 0
		}
		fmt.Print("\x1b[H", strings.ReplaceAll(table, "\n", "\x1b[K\n"), "\x1b[J") // over the last one, without flicker
		select {
		case <-signals:
			return 0
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// queues is a table of the queues, with numbers that do not lag behind.
func (p *place) queues() (string, error) {
	var list []struct {
		Name           string
		Ready          int `json:"messages_ready"`
		Unacknowledged int `json:"messages_unacknowledged"`
	}
	path := "queues/" + url.PathEscape(p.uri.Vhost) + "?disable_stats=true&enable_queue_totals=true"
	if err := p.call(http.MethodGet, path, nil, &list); err != nil {
		return "", err
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%-40s %10s %15s\n", "queue", "ready", "unacknowledged")
	for _, q := range list {
		fmt.Fprintf(&table, "%-40.40q %10d %15d\n", q.Name, q.Ready, q.Unacknowledged)
	}
	return strings.ReplaceAll(table.String(), `"`, ""), nil
}
