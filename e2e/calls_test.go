package e2e

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// expirations are the milliseconds after which the requests in a queue expire, in order.
func expirations(t *testing.T, url, queue string) (times []int) {
	t.Helper()
	out, err := program(url, "receive", "-q", queue, "--until-empty", "--format", "json").Output()
	if err != nil {
		t.Fatalf("reading the queue: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		var m struct{ Expiration string }
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		ms, err := strconv.Atoi(m.Expiration)
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, ms)
	}
	return times
}

// A request that is made again after a lost connection expires when its caller gives up, and not later. A caller that is
// stopped while there is no connection says what was interrupted.
func TestCallsMadeAgain(t *testing.T) {
	t.Parallel()
	vhostOf(t, "calls-again")
	fill(t, node.URL("calls-again"), "nobody", 1, 0, "")
	b := behindProxy(t, node)
	r := launch(t, program(b.url()+"calls-again", "rpc_client", "-q", "nobody", "--timeout", "5m"))
	r.prints("Requesting fib(30)")
	awaitReady(t, "calls-again", "nobody", 1)
	b.cut()
	awaitReady(t, "calls-again", "nobody", 2)
	b.proxy.Stop()
	r.says("connecting again")
	r.signal(syscall.SIGINT)
	r.endsWith(hang, 1)
	r.has("rpc_client: interrupted: ")
	if times := expirations(t, node.URL("calls-again"), "nobody"); len(times) != 2 || times[0] > 300_000 || times[1] >= times[0] {
		t.Errorf("the request and its repetition expire after %d ms", times)
	}
}

// A caller whose connection is lost does not take that for a request that came back.
func TestLostIsNotReturned(t *testing.T) {
	t.Parallel()
	vhostOf(t, "calls-lost")
	fill(t, node.URL("calls-lost"), "nobody", 1, 0, "")
	b := behindProxy(t, node)
	var callers []*running
	for range 8 {
		r := launch(t, program(b.url()+"calls-lost", "rpc_client", "-q", "nobody", "--no-reconnect", "--timeout", "5m"))
		r.prints("Requesting fib(30)")
		callers = append(callers, r)
	}
	awaitReady(t, "calls-lost", "nobody", len(callers))
	b.cut()
	for _, r := range callers {
		r.endsWith(hang, 1)
		r.has("connection to ")
	}
}

// A reply that the broker refuses, for its size here, ends the server with the broker's words; the request stays, and Ctrl-C
// is not needed.
func TestReplyTooLarge(t *testing.T) {
	t.Parallel()
	b := startFaulty(t)
	if out, err := b.Ctl("eval", "application:set_env(rabbit, max_message_size, 1000)."); err != nil {
		t.Fatal(err, out)
	}
	fill(t, b.URL("/"), "requests", 5000, 5000, "nobody")
	r := launch(t, program(b.URL("/"), "rpc_server", "-q", "requests"))
	r.endsWith(hang, 1)
	r.has("is larger than")
	if bodies, _ := kept(t, b.URL("/"), "requests"); fmt.Sprint(bodies) != "[5000]" {
		t.Errorf("in the queue: %q", bodies)
	}
}

// A refusal that is dealt with is not told again as the reason of what comes later: here the connection is lost while the
// channel that it closed is opened anew.
func TestLostAfterARefusal(t *testing.T) {
	t.Parallel()
	url := vhostOf(t, "lost-refused")
	if out, err := program(url, "receive", "--queue", "other", "--declare-only", "--durable=false").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := startFrameProxy(t, node)
	p.after("channel.close", func(l *link, _ []byte) { l.cut() })
	r := launch(t, program(p.url("lost-refused"), "receive", "--queue", "other", "--no-reconnect"))
	r.endsWith(hang, 1)
	r.has("receive: connection to ")
	if strings.Contains(r.stderr.String(), "refused") {
		t.Errorf("that is not why it has ended:\n%s", r.stderr)
	}
}
