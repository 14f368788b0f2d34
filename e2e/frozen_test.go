package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"amqp-tutorials/internal/broker"
)

// frozen is hang for programs that would end by themselves when they miss the broker's heartbeats.
const frozen = 10 * time.Second

// freezable is a broker of the test's own whose process can be stopped: it answers nothing then, and its machine goes
// on taking what is sent to it.
type freezable struct {
	*broker.Node
	t   *testing.T
	pid int
}

func startFreezable(t *testing.T) *freezable {
	t.Helper()
	dir := t.TempDir()
	n, err := broker.Start(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	text, err := os.ReadFile(filepath.Join(dir, "pid")) // RabbitMQ writes the number of its Erlang process there
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	f := &freezable{n, t, pid}
	t.Cleanup(f.thaw)
	return f
}

func (f *freezable) freeze() { f.tell(syscall.SIGSTOP) }
func (f *freezable) thaw()   { f.tell(syscall.SIGCONT) }

func (f *freezable) tell(s syscall.Signal) {
	if err := syscall.Kill(f.pid, s); err != nil {
		f.t.Errorf("the broker's process %d: %v", f.pid, err)
	}
}

// A broker that has frozen does not keep programs from ending at the first signal. Only one that knows of something
// unfinished calls that a failure.
func TestFrozenBroker(t *testing.T) {
	t.Parallel()
	b := startFreezable(t)
	p := startFrameProxy(t, b.Node)
	fill(t, b.URL("/"), "nobody", 1, 0, "")

	idle := launch(t, program(b.URL("/"), "receive", "-q", "idle"))
	idle.says("Waiting")
	server := launch(t, program(b.URL("/"), "rpc_server"))
	server.says("Awaiting")
	caller := launch(t, program(b.URL("/"), "rpc_client", "-q", "nobody"))
	caller.prints("Requesting fib(30)")
	emitter, line := launchLines(t, b.URL("/"), "emit_log")
	line("one")
	emitter.prints("Sent one")
	sender, line := launchLines(t, p.url("/"), "send")
	line("one")
	sender.prints("Sent one")

	b.freeze()
	publishing := p.watchNext("basic.publish")
	line("two")
	sender.sees(publishing, "basic.publish")
	all := []struct {
		*running
		status int
	}{{idle, 0}, {sender, 1}, {emitter, 0}, {server, 0}, {caller, 1}}
	for _, r := range all { // at once: each would notice by itself, later, that the broker is silent
		r.signal(syscall.SIGINT)
	}
	for _, r := range all {
		t.Run(filepath.Base(r.Path), func(t *testing.T) {
			r.t = t
			r.endsWith(frozen, r.status)
		})
	}
}

// launchLines starts a publisher of lines, and returns what gives it one.
func launchLines(t *testing.T, url, name string, args ...string) (r *running, line func(any)) {
	t.Helper()
	cmd := program(url, name, append([]string{"--lines"}, args...)...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r = launch(t, cmd)
	return r, func(text any) {
		t.Helper()
		if _, err := fmt.Fprintln(stdin, text); err != nil {
			t.Fatalf("%s takes no more lines: %v\n%s", r, err, r.stderr)
		}
	}
}

// stall is how long a program takes nothing from its standard input, or writes nothing, before it is held to be stuck.
const stall = 500 * time.Millisecond

// A broker that has stopped reading holds a publisher up in the middle of a write. The first signal ends it all the
// same, and so does its --confirm-timeout.
func TestBrokerStopsReading(t *testing.T) {
	vhostOf(t, "stops-reading")
	for _, test := range []struct {
		name  string
		flags []string
	}{{"SIGINT", nil}, {"--confirm-timeout", []string{"--confirm-timeout", "2s"}}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := startFrameProxy(t, node)
			ready := p.watch("confirm.select-ok")
			cmd := program(p.url("stops-reading"), "send", append([]string{"--lines", "--quiet"}, test.flags...)...)
			in, stdin, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			cmd.Stdin = in
			r := launch(t, cmd)
			in.Close()
			r.sees(ready, "confirm.select-ok")
			p.freeze()
			stuck, err := pour(stdin, 64<<20)
			switch {
			case err != nil && test.flags == nil:
				t.Fatalf("its input: %v\n%s", err, r.stderr)
			case test.flags == nil && !stuck:
				t.Fatal("64 MiB have been published to a broker that does not read")
			case test.flags == nil:
				r.signal(syscall.SIGINT)
			}
			r.endsWith(frozen+2*time.Second, 1)
			r.has("the broker")
		})
	}
}

// pour writes so many bytes, in lines, and tells whether their reader has stopped taking them.
func pour(w *os.File, size int) (stuck bool, err error) {
	line := append(bytes.Repeat([]byte("x"), 1023), '\n')
	for ; size > 0; size -= len(line) {
		if err := w.SetWriteDeadline(time.Now().Add(stall)); err != nil {
			return false, err
		}
		if _, err := w.Write(line); errors.Is(err, os.ErrDeadlineExceeded) {
			return true, nil
		} else if err != nil {
			return false, err
		}
	}
	return false, nil
}

// A network that falls silent, longer than two heartbeats, is told as one loss and one return, and nothing is lost.
func TestSilentNetwork(t *testing.T) {
	t.Run("frozen broker", func(t *testing.T) {
		t.Parallel()
		b := startFreezable(t)
		p := startFrameProxy(t, b.Node)
		testSilentNetwork(t, b.Node, "/", p, b.freeze, b.thaw)
	})
	t.Run("silent network", func(t *testing.T) {
		t.Parallel()
		vhostOf(t, "silent-network")
		p := startFrameProxy(t, node)
		testSilentNetwork(t, node, "silent-network", p, p.silence, p.speak)
	})
}

func testSilentNetwork(t *testing.T, n *broker.Node, vhost string, p *frameProxy, begin, end func()) {
	const before, during = 500, 500
	flags := []string{"--heartbeat", "1s", "--connect-timeout", "2s"}
	fill(t, n.URL(vhost), "received", 1, before, "")
	receiver := launch(t, program(p.url(vhost), "receive", append(flags, "-q", "received", "--format", "raw")...))
	receiver.prints(fmt.Sprint("\n", before, "\n"))
	cmd := program(p.url(vhost), "send", append(flags, "-q", "sent", "--lines")...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewWriter(stdin)
	sender := launch(t, cmd)
	write := func(first, last int) {
		for i := first; i <= last; i++ {
			fmt.Fprintln(lines, i)
		}
		if err := lines.Flush(); err != nil {
			t.Fatalf("%s takes no more lines: %v\n%s", sender, err, sender.stderr)
		}
	}
	write(1, before)
	sender.prints(fmt.Sprintf("Sent %d\n", before))

	begin()
	write(before+1, before+during)
	for _, r := range []*running{receiver, sender} {
		r.says("lost")
	}
	p.forgetAttempts()
	for _, r := range []*running{receiver, sender} { // two programs that try again
		r.sees(p.attempt(), "another attempt to connect")
	}
	end()
	for _, r := range []*running{receiver, sender} {
		r.says("connected again")
	}
	fill(t, n.URL(vhost), "received", before+1, before+during, "")
	receiver.prints(fmt.Sprint("\n", before+during, "\n"))
	receiver.signal(syscall.SIGTERM)
	receiver.endsWith(hang, 0)
	stdin.(io.Closer).Close()
	sender.endsWith(patience, 0)
	for _, r := range []*running{receiver, sender} {
		said := r.stderr.String()
		if strings.Count(said, "lost") != 1 || strings.Count(said, "connected again") != 1 {
			t.Errorf("one loss and one return were to be told:\n%s", said)
		}
	}
	checkNumbers(t, n.URL(vhost), "sent", before+during)
	checkPrinted(t, receiver.stdout.String(), nil, before+during)
}
