package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"amqp-tutorials/internal/broker"
	"amqp-tutorials/internal/seed"
)

// faultyBroker is a broker of the test's own, to be killed, behind a proxy, to be cut.
type faultyBroker struct {
	*broker.Node
	t     *testing.T
	proxy *toxiproxy.Proxy
}

func startFaulty(t *testing.T) *faultyBroker {
	t.Helper()
	n, err := broker.Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return behindProxy(t, n)
}

// behindProxy puts a proxy before a broker, which may be the one that all tests share if it is only to be cut off.
func behindProxy(t *testing.T, n *broker.Node) *faultyBroker {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", fmt.Sprintf("127.0.0.1:%d", n.Port()))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	return &faultyBroker{n, t, proxy}
}

// url leads through the proxy.
func (b *faultyBroker) url() string { return "amqp://guest:guest@" + b.proxy.Listen + "/" }

// cut breaks all connections and lets new ones through.
func (b *faultyBroker) cut() {
	b.proxy.Stop()
	if err := b.proxy.Start(); err != nil {
		b.t.Error(err)
	}
}

// crash kills the broker as a power cut would, and brings it back with what it had on disk.
func (b *faultyBroker) crash() {
	if err := b.Kill(); err != nil {
		b.t.Error(err)
	}
	if err := b.Restart(); err != nil {
		b.t.Error(err)
	}
}

// program prepares one of the ten, connecting to url.
func program(url, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bin, name), args...)
	cmd.Env = append(cmd.Environ(), "AMQP_URL="+url, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// kept is what is in a queue: the bodies and message ids, in order.
func kept(t *testing.T, url, queue string) (bodies, ids []string) {
	t.Helper()
	out, err := program(url, "receive", "-q", queue, "--until-empty", "--format", "json").Output()
	if err != nil {
		t.Fatalf("reading the queue: %v", err)
	}
	for line := range bytes.Lines(out) {
		var m struct {
			Body string
			ID   string `json:"message_id"`
		}
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatal(err)
		}
		bodies, ids = append(bodies, m.Body), append(ids, m.ID)
	}
	return bodies, ids
}

// A publisher's lines are all in the queue, whatever happens to the broker and the connection in between.
func TestPublisherLosesNothing(t *testing.T) {
	const lines, crashes, cuts = 300_000, 3, 5
	b := startFaulty(t)
	random, faults := seed.Random(t), map[int]func(){}
	for i, position := range random.Perm(lines - 1)[:crashes+cuts] {
		faults[2+position] = b.cut
		if i < crashes {
			faults[2+position] = b.crash
		}
	}
	stderr := publishNumbers(t, b.url(), "numbers", lines, faults)
	if lost := strings.Count(stderr, "lost"); lost < crashes {
		t.Errorf("the connection was lost %d times only:\n%s", lost, stderr)
	}
	checkNumbers(t, b.URL("/"), "numbers", lines)
}

// publishNumbers lets send publish the numbers from 1 to lines to the queue, and the faults happen while it does: each
// before its line, and when the first has been confirmed. It returns what send wrote to stderr.
func publishNumbers(t *testing.T, url, queue string, lines int, faults map[int]func(), args ...string) string {
	t.Helper()
	send := program(url, "send", append([]string{"-q", queue, "--lines", "--persistent", "--confirm-timeout", "90s"}, args...)...)
	stdin, err := send.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := send.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	send.Stderr = &stderr
	if err := send.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { send.Process.Kill() })
	w := bufio.NewWriter(stdin)
	fmt.Fprintln(w, 1)
	w.Flush()
	awaitLine(t, bufio.NewScanner(stdout), "Sent 1")
	go io.Copy(io.Discard, stdout)
	for i := 2; i <= lines; i++ {
		if fault := faults[i]; fault != nil {
			fault()
		}
		fmt.Fprintln(w, i)
	}
	w.Flush()
	stdin.Close()
	if err := send.Wait(); err != nil {
		t.Fatalf("send: %v\n%s", err, &stderr)
	}
	return stderr.String()
}

// checkNumbers fails the test unless the numbers from 1 to lines are in the queue, each at the beginning of its message:
// each at least once, in order among the first arrivals, the duplicates with the ids of their originals.
func checkNumbers(t *testing.T, url, queue string, lines int) {
	t.Helper()
	bodies, ids := kept(t, url, queue)
	id := make([]string, lines+1)
	last := 0
	for i, body := range bodies {
		number, _, _ := strings.Cut(body, " ")
		n, err := strconv.Atoi(number)
		switch {
		case err != nil || n < 1 || n > lines:
			t.Fatalf("message %.20q was never sent", body)
		case id[n] == "":
			if n != last+1 {
				t.Fatalf("line %d arrived after line %d", n, last)
			}
			id[n], last = ids[i], n
		case id[n] != ids[i]:
			t.Fatalf("line %d came twice, with the ids %s and %s", n, id[n], ids[i])
		}
	}
	if last != lines {
		t.Errorf("the last line is %d of %d", last, lines)
	}
	t.Logf("%d messages for %d lines", len(bodies), lines)
}

// While a memory alarm lasts, a publisher says so once and waits; Ctrl-C then ends it with what is not confirmed. After
// the alarm all messages are there. Some may be there twice: on a machine so busy that heartbeats are missed, the
// connection is lost meanwhile, and what was not confirmed is sent again.
func TestMemoryAlarm(t *testing.T) {
	b := startFaulty(t)
	alarm := func(watermark string) {
		if out, err := b.Ctl("set_vm_memory_high_watermark", watermark); err != nil {
			t.Fatal(err, out)
		}
	}
	alarm("0.000001")
	waiting, waitingErr := startPublisher(t, b, "waiting")
	stopped, stoppedErr := startPublisher(t, b, "stopped")
	awaitLine(t, waitingErr, "the broker takes no messages for now: low on memory; waiting")
	awaitLine(t, stoppedErr, "the broker takes no messages for now: low on memory; waiting")
	if err := stopped.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	awaitLine(t, stoppedErr, "0 messages are confirmed, message 1 is the first that is not") // behind the alarm, if that cut it off
	if err := stopped.Wait(); stopped.ProcessState.ExitCode() != 1 {
		t.Errorf("interrupted under an alarm: %v, want exit status 1", err)
	}
	alarm("0.4")
	awaitLine(t, waitingErr, "the broker takes messages again")
	awaitLine(t, waitingErr, fmt.Sprintf("Published %d messages", alarmMessages))
	if err := waiting.Wait(); err != nil {
		t.Errorf("after the alarm: %v", err)
	}
	checkNumbers(t, b.URL("/"), "waiting", alarmMessages)
}

// alarmMessages are 20 MB, more than socket buffers hold.
const alarmMessages = 20_000

// startPublisher publishes them to a queue of this name: "1 x", "2 x" and so on, with spaces up to a thousand bytes.
func startPublisher(t *testing.T, b *faultyBroker, queue string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := program(b.URL("/"), "send", "-q", queue, "-n", strconv.Itoa(alarmMessages), "--number", "--size", "1000", "--quiet", "x")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, bufio.NewScanner(stderr)
}

// awaitLine reads on until a line contains the text.
func awaitLine(t *testing.T, lines *bufio.Scanner, text string) {
	t.Helper()
	read := make(chan string)
	go func() { // ends with the test, which ends the program that it reads from
		defer close(read)
		for lines.Scan() {
			select {
			case read <- lines.Text():
			case <-t.Context().Done():
				return
			}
			if strings.Contains(lines.Text(), text) {
				return
			}
		}
	}()
	var seen []string
	late := time.After(patience)
	for {
		select {
		case line, more := <-read:
			switch {
			case !more:
				t.Fatalf("no line with %q, but:\n%s", text, strings.Join(seen, "\n"))
			case strings.Contains(line, text):
				<-read // nobody else reads from the scanner meanwhile
				return
			}
			seen = append(seen, line)
		case <-late:
			t.Fatalf("no line with %q in %s, but:\n%s", text, patience, strings.Join(seen, "\n"))
		}
	}
}

// A caller gives up when its time has passed, also while the broker is away; a server that is there all the time
// answers again when the broker is back.
func TestCallsWhileTheBrokerIsAway(t *testing.T) {
	b := startFaulty(t)
	server := program(b.url(), "rpc_server", "--quiet")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Process.Kill() })
	call := func(timeout string) (string, int) {
		cmd := program(b.url(), "rpc_client", "--wait", "20s", "--timeout", timeout, "20")
		out, _ := cmd.CombinedOutput() // the exit status tells
		return string(out), cmd.ProcessState.ExitCode()
	}
	for status := -1; status != 0; { // 4 as long as the server has not declared its queue
		out, s := call("20s")
		if status = s; status != 0 && status != 4 {
			t.Fatalf("exit status %d:\n%s", status, out)
		}
	}
	waiting := program(b.url(), "rpc_client", "--queue", "nobody", "--timeout", "4s")
	if out, err := program(b.url(), "receive", "-q", "nobody", "--declare-only").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	stdout, err := waiting.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := waiting.Start(); err != nil {
		t.Fatal(err)
	}
	awaitLine(t, bufio.NewScanner(stdout), "Requesting fib(30)")
	if err := b.Kill(); err != nil {
		t.Fatal(err)
	}
	if waiting.Wait(); waiting.ProcessState.ExitCode() != 5 {
		t.Errorf("a caller without a broker ends with status %d, want 5", waiting.ProcessState.ExitCode())
	}
	if err := b.Restart(); err != nil {
		t.Fatal(err)
	}
	if out, status := call("60s"); status != 0 || !strings.Contains(out, "Got 6765") {
		t.Errorf("after the broker came back: exit status %d\n%s", status, out)
	}
}
