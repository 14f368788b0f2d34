package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A signal, or a time that has run out, ends a program which waits for the broker's answer to one method.
type ending struct {
	name   string
	signal syscall.Signal // 0: none is sent
	flags  []string
}

var (
	signalled = []ending{{name: "SIGINT", signal: syscall.SIGINT}, {name: "SIGTERM", signal: syscall.SIGTERM}}
	itself    = ending{name: "by itself"}
)

func timeout(flag string) ending { return ending{name: flag, flags: []string{flag, "5s"}} }

// silent is a program that waits for the answer to a method which the broker never sees.
type silent struct {
	vhost   string
	command []string
	method  string
	ending
	ready  string // what the program says before it is signalled, "": as soon as the method is there
	status int
	said   string
}

func (s silent) run(t *testing.T) {
	name := strings.Join(append(slices.Clone(s.command), s.method, s.name), " ")
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		p := startFrameProxy(t, node)
		seen := p.swallow(s.method)
		cmd := program(p.url(s.vhost), s.command[0], slices.Concat(s.command[1:], s.flags)...)
		r := launch(t, cmd)
		limit := hang
		switch {
		case s.signal == 0 && s.flags != nil:
			limit += 2 * time.Second
		case s.signal == 0:
			r.sees(seen, s.method)
		case s.ready != "":
			r.says(s.ready)
			r.signal(s.signal)
		default:
			r.sees(seen, s.method)
			r.signal(s.signal)
		}
		r.endsWith(limit, s.status)
		r.has(s.said)
		select {
		case <-seen:
		default:
			t.Errorf("%s was never sent", s.method)
		}
	})
}

func notAnswered(method string) string { return "the broker has not answered " + method }

// Whatever method of a publisher's the broker leaves unanswered, the first signal ends the publisher, and so does its
// --confirm-timeout: with 1, since something is not confirmed, and a word about what is missing. One whose messages
// are all confirmed waits only a moment for the answer to its goodbye.
func TestSilentBrokerOfPublishers(t *testing.T) {
	vhostOf(t, "silent-publishers")
	for _, p := range []struct {
		command string
		methods string
	}{
		{"send", "queue.declare"},
		{"new_task", "queue.declare"},
		{"emit_log", "exchange.declare"},
		{"emit_log_direct", "exchange.declare"},
		{"emit_log_topic", "exchange.declare"},
		{"send --confirm tx", "queue.declare tx.select tx.commit"},
		{"new_task --confirm tx", "tx.select tx.commit"},
		{"emit_log --confirm tx", "exchange.declare tx.select tx.commit"},
		{"emit_log_direct --confirm tx", "tx.select tx.commit"},
		{"emit_log_topic --confirm tx", "tx.select tx.commit"},
	} {
		command := strings.Fields(p.command)
		methods := strings.Fields(p.methods)
		if len(command) == 1 {
			methods = append(methods, "channel.open", "confirm.select", "basic.publish")
		}
		for _, method := range methods {
			said := notAnswered(method)
			if method == "basic.publish" {
				said = "confirm"
			}
			for _, e := range append(slices.Clone(signalled), timeout("--confirm-timeout")) {
				silent{"silent-publishers", command, method, e, "", 1, said}.run(t)
			}
		}
		silent{"silent-publishers", command, "connection.close", itself, "", 0, notAnswered("connection.close")}.run(t)
	}
}

// Whatever method of a consumer's the broker leaves unanswered, the first signal ends the consumer, with 0 since it
// has acknowledged nothing, and so do --timeout and --idle-timeout, with 5. It says which answer is missing.
func TestSilentBrokerOfConsumers(t *testing.T) {
	vhostOf(t, "silent-consumers")
	logs := "exchange.declare queue.bind"
	for _, c := range []struct{ command, methods, ready string }{
		{"receive", "", "Waiting"},
		{"worker", "", "Waiting"},
		{"receive_logs", logs, "Waiting"},
		{"receive_logs --type topic kern.* *.critical", logs, "Waiting"},
		{"rpc_server", "", "Awaiting"},
	} {
		command := strings.Fields(c.command)
		for _, method := range append(strings.Fields(c.methods), "channel.open", "queue.declare", "basic.qos", "basic.consume") {
			for _, e := range signalled {
				silent{"silent-consumers", command, method, e, "", 0, notAnswered(method)}.run(t)
			}
		}
		for _, method := range []string{"basic.cancel", "connection.close"} { // which a signal brings about
			for _, e := range signalled {
				silent{"silent-consumers", command, method, e, c.ready, 0, notAnswered(method)}.run(t)
			}
		}
		for _, method := range append(strings.Fields(c.methods), "channel.open", "queue.declare", "basic.qos", "basic.consume", "basic.cancel", "connection.close") {
			for _, flag := range []string{"--timeout", "--idle-timeout"} {
				silent{"silent-consumers", command, method, timeout(flag), "", 5, notAnswered(method)}.run(t)
			}
		}
	}
}

// Whatever method of a caller's the broker leaves unanswered, the first signal ends the caller, with 1, and so does
// its --timeout, with 5. One that has its reply waits only a moment for the answer to its goodbye.
func TestSilentBrokerOfCallers(t *testing.T) {
	vhostOf(t, "silent-callers")
	server := launch(t, program(node.URL("silent-callers"), "rpc_server", "--quiet"))
	server.says("Awaiting")
	for _, c := range []struct{ command, methods string }{
		{"rpc_client --reply-to queue 3", "channel.open queue.declare basic.consume basic.publish"},
		{"rpc_client --reply-to direct 3", "channel.open basic.consume basic.publish"},
	} {
		command := strings.Fields(c.command)
		for _, method := range strings.Fields(c.methods) {
			said := notAnswered(method)
			if method == "basic.publish" {
				said = "rpc_client: " // the broker has nothing to answer: it is the reply that is missing
			}
			for _, e := range signalled {
				silent{"silent-callers", command, method, e, "", 1, said}.run(t)
			}
			silent{"silent-callers", command, method, timeout("--timeout"), "", 5, said}.run(t)
		}
		silent{"silent-callers", command, "connection.close", itself, "", 0, notAnswered("connection.close")}.run(t)
	}
}

// A listener with ten thousand binding keys that is stopped while it binds ends at once, and does not say after the
// signal that it waits for logs.
func TestStoppedWhileBinding(t *testing.T) {
	t.Parallel()
	vhostOf(t, "many-bindings")
	p := startFrameProxy(t, node)
	binding := p.watch("queue.bind")
	args := []string{"--type", "topic"}
	for i := range 10_000 {
		args = append(args, "key."+strings.Repeat("x", i%7)+string(rune('a'+i%26))+"."+time.Duration(i).String())
	}
	r := launch(t, program(p.url("many-bindings"), "receive_logs", args...))
	r.sees(binding, "queue.bind")
	r.signal(syscall.SIGINT)
	r.endsWith(hang, 0)
	if strings.Contains(r.stderr.String(), "Waiting") {
		t.Errorf("it waits for logs after its signal:\n%s", r.stderr)
	}
}
