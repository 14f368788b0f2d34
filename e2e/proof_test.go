package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

const again = "may come again"

// unproven is a consumer that has acknowledged messages and does not hear from the broker that they have arrived.
type unproven struct {
	name     string
	command  string
	methods  string // which the broker never sees
	signal   bool   // stop it when it has acknowledged
	statuses []int
	said     string
	left     bool // whether the messages must be there again, as it has said
}

// An acknowledgement has no answer. That it has arrived is proven by the answer to what was sent after it, and a
// consumer without that proof ends with 1 and says that messages may come again.
func TestAcknowledgedWithoutProof(t *testing.T) {
	vhostOf(t, "unproven")
	for _, u := range []unproven{
		{"count", "receive -n 3", "connection.close", false, []int{1}, again, false},
		{"count of tasks", "worker -n 3", "connection.close", false, []int{1}, again, false},
		{"count of requests", "rpc_server -n 3", "connection.close", false, []int{1}, again, false},
		{"lost acknowledgement", "receive -n 1", "basic.ack connection.close", false, []int{1}, again, true},
		{"cancel", "receive", "basic.cancel", true, []int{1}, again, false},
		{"cancel of tasks", "worker", "basic.cancel", true, []int{1}, again, false},
		{"cancel of requests", "rpc_server", "basic.cancel", true, []int{1}, again, false},
		{"cancel of logs", "receive_logs", "basic.cancel", true, []int{1}, again, false},
		{"answered cancel", "receive", "connection.close", true, []int{0, 1}, "", false},
		{"timeout", "receive --timeout 5s", "basic.cancel", false, []int{1}, again, false},
		{"idle timeout", "receive --idle-timeout 2s", "basic.cancel", false, []int{1}, again, false},
	} {
		t.Run(u.name, func(t *testing.T) { u.run(t) })
	}
}

func (u unproven) run(t *testing.T) {
	t.Parallel()
	queue := strings.ReplaceAll(u.name, " ", "-")
	fill(t, node.URL("unproven"), queue, 1, 3, "nobody")
	p := startFrameProxy(t, node)
	acknowledged := p.watch("-> basic.ack")
	for _, method := range strings.Fields(u.methods) {
		p.swallow(method)
	}
	command := strings.Fields(u.command)
	r := launch(t, program(p.url("unproven"), command[0], append(command[1:], "-q", queue)...))
	r.sees(acknowledged, "basic.ack")
	if u.signal {
		r.signal(syscall.SIGINT)
	}
	r.endsWith(hang+5*time.Second, u.statuses...)
	r.has(u.said)
	if !u.left {
		return
	}
	if bodies, _ := kept(t, node.URL("unproven"), queue); len(bodies) != 3 {
		t.Errorf("after that 3 messages come again, not %q", bodies)
	}
}
