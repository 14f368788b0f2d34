package e2e

import (
	"bytes"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Under a memory alarm the broker takes no messages. Every program says so once and waits: a caller until its timeout,
// which names the alarm; a server until it is stopped; a publisher without counting the time against
// --confirm-timeout.
func TestEveryProgramUnderAnAlarm(t *testing.T) {
	t.Parallel()
	b := startFaulty(t)
	fill(t, b.URL("/"), "calls", 1, 0, "")
	fill(t, b.URL("/"), "requests", 3, 3, "nobody")
	if out, err := b.Ctl("set_vm_memory_high_watermark", "0.000001"); err != nil {
		t.Fatal(err, out)
	}
	t.Run("rpc_client", func(t *testing.T) {
		t.Parallel()
		r := launch(t, program(b.URL("/"), "rpc_client", "-q", "calls", "--timeout", "3s"))
		r.endsWith(hang+3*time.Second, 5)
		r.has("low on memory")
	})
	t.Run("rpc_server", func(t *testing.T) {
		t.Parallel()
		r := launch(t, program(b.URL("/"), "rpc_server", "-q", "requests"))
		r.says("takes no messages")
		r.signal(syscall.SIGINT)
		r.endsWith(hang, 0, 1)
	})
	t.Run("send", func(t *testing.T) {
		t.Parallel()
		cmd := program(b.URL("/"), "send", "--stdin", "--confirm-timeout", "6s")
		cmd.Stdin = bytes.NewReader(make([]byte, 30_000_000))
		r := launch(t, cmd)
		r.says("takes no messages")
		select { // that the time passes is what this is about
		case <-r.ended:
			t.Fatalf("it has given up:\n%s", r.stderr)
		case <-time.After(8 * time.Second):
		}
		r.signal(syscall.SIGINT)
		r.endsWith(hang, 1)
		if told := strings.Count(r.stderr.String(), "; waiting"); told != 1 {
			t.Errorf("the alarm was told %d times:\n%s", told, r.stderr)
		}
	})
}
