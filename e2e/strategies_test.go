package e2e

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slowly lets only so many kilobytes a second through to the broker.
func (b *faultyBroker) slowly(rate int) {
	b.t.Helper()
	limit := fmt.Sprintf(`{"type": "bandwidth", "stream": "upstream", "attributes": {"rate": %d}}`, rate)
	if _, err := b.proxy.Toxics.AddToxicJson(strings.NewReader(limit)); err != nil {
		b.t.Fatal(err)
	}
}

var published = regexp.MustCompile(`(?m)^Published (\d+) messages without confirms`)

// A publisher without confirms that is stopped in full flow leaves nothing behind in the buffers on the way to a broker
// that is slower than itself: what it says it has published is in the queue.
func TestStoppedWithoutConfirms(t *testing.T) {
	t.Parallel()
	vhostOf(t, "in-full-flow")
	b := behindProxy(t, node)
	b.slowly(1000)
	r := launch(t, program(b.url()+"in-full-flow", "send", "-n", "0", "--quiet", "--confirm", "none", "hello"))
	awaitReady(t, "in-full-flow", "hello", 1)
	time.Sleep(time.Second) // until the buffers are as full as they get
	r.signal(syscall.SIGINT)
	r.endsWith(hang, 0)
	said := published.FindStringSubmatch(r.stderr.String())
	if said == nil {
		t.Fatalf("it does not say how many it has published:\n%s", r.stderr)
	}
	if bodies, _ := kept(t, node.URL("in-full-flow"), "hello"); fmt.Sprint(len(bodies)) != said[1] {
		t.Errorf("%s messages were published, and %d are in the queue", said[1], len(bodies))
	}
}

// awaitReady waits until there are at least so many messages in a queue.
func awaitReady(t *testing.T, vhost, queue string, least int) {
	t.Helper()
	url := "/queues/" + vhost + "?disable_stats=true&enable_queue_totals=true" // the usual numbers lag behind
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var queues []struct {
			Name     string
			Messages int
		}
		if err := node.API("GET", url, nil, &queues); err != nil {
			t.Fatal(err)
		}
		for _, q := range queues {
			if q.Name == queue && q.Messages >= least {
				return
			}
		}
	}
	t.Fatalf("there are no %d messages in queue %s", least, queue)
}

// The patience of a publisher begins with the first message that waits. One that has nothing to publish outlasts an outage
// of any length; then it gives up, with the number of that message.
func TestIdlePublisherInAnOutage(t *testing.T) {
	t.Parallel()
	vhostOf(t, "idle-publisher")
	b := behindProxy(t, node)
	cmd := program(b.url()+"idle-publisher", "emit_log", "--lines", "--confirm-timeout", "2s")
	lines, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r := launch(t, cmd)
	say := func(line string) {
		if _, err := io.WriteString(lines, line+"\n"); err != nil {
			t.Error(err)
		}
	}
	say("one")
	r.prints("Sent one")
	b.proxy.Stop()
	r.says("connecting again")
	select { // that the time passes is what this is about
	case <-r.ended:
		t.Fatalf("it has given up:\n%s", r.stderr)
	case <-time.After(6 * time.Second):
	}
	if err := b.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	say("two")
	r.prints("Sent two")
	b.proxy.Stop()
	say("three")
	r.endsWith(hang+2*time.Second, 1)
	r.has("2 messages are confirmed, message 3 is the first that is not")
}
