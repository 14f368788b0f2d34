package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/seed"
)

// stop is a way to end a consumer.
type stop struct {
	name   string
	flags  string
	count  int           // what --count says; more than a thousand don't come
	gap    time.Duration // between two bursts of messages, at most
	signal bool
}

// The messages come in bursts while the consumer runs, so that it is stopped in the middle of things. Where it stops
// when nothing comes, the gaps are sometimes long enough for that.
var stops = []stop{
	{name: "count", flags: "--count 50", count: 50, gap: 10 * time.Millisecond},
	{name: "timeout", flags: "--timeout 300ms", gap: 10 * time.Millisecond},
	{name: "idle", flags: "--idle-timeout 50ms", gap: 100 * time.Millisecond},
	{name: "empty", flags: "--until-empty", gap: 50 * time.Millisecond},
	{name: "signal", gap: 10 * time.Millisecond, signal: true},
	{name: "count before timeout", flags: "--count 50 --timeout 1m", count: 50, gap: 10 * time.Millisecond},
	{name: "timeout before count", flags: "--count 9999 --timeout 300ms", count: 9999, gap: 10 * time.Millisecond},
	{name: "count before idle", flags: "--count 50 --idle-timeout 1m", count: 50, gap: 10 * time.Millisecond},
	{name: "idle before count", flags: "--count 9999 --idle-timeout 50ms", count: 9999, gap: 100 * time.Millisecond},
	{name: "count before empty", flags: "--count 30 --until-empty", count: 30, gap: 50 * time.Millisecond},
	{name: "empty before count", flags: "--count 9999 --until-empty", count: 9999, gap: 50 * time.Millisecond},
	{name: "signal before count", flags: "--count 9999", count: 9999, gap: 10 * time.Millisecond, signal: true},
	{name: "a tight race", flags: "--count 45 --idle-timeout 50ms --until-empty", count: 45, gap: 20 * time.Millisecond},
}

var stoppable = []struct {
	name     string
	command  []string
	prefetch int
}{
	{"receive", []string{"receive"}, 250},
	{"worker", []string{"worker", "--unit", "1ms"}, 1},
	{"workers", []string{"worker", "--unit", "1ms", "--concurrency", "4"}, 4},
}

var printings = []struct{ name, flag string }{
	{"text", "--format=text"},
	{"raw", "--format=raw"},
	{"raw0", "--format=raw0"},
	{"json", "--format=json"},
	{"template", "--template=<{{.Body}}>"},
}

// waitingBefore is how many messages are in the queue when the consumer starts.
const waitingBefore = 40

// However a consumer is stopped, what it has printed and what is still in the queue are together what was published:
// nothing is lost, nothing is printed and left as well, nothing comes out of turn. With a count that was reached no
// further message was taken. --auto-ack may lose what a consumer has been sent when it crashes, but not when it is
// stopped in order.
func TestStopping(t *testing.T) {
	url := vhostOf(t, "stopping")
	connection, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	for _, s := range stops {
		for _, p := range stoppable {
			for _, f := range printings {
				for _, ack := range []string{"", "--auto-ack"} {
					name := strings.TrimSpace(strings.Join([]string{s.name, p.name, f.name, ack}, " "))
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						c := &stopping{t: t, stop: s, format: f.name, auto: ack != "", prefetch: p.prefetch, queue: name, random: seed.Random(t)}
						c.args = append(slices.Clone(p.command), "--queue", name, f.flag)
						c.args = append(c.args, strings.Fields(s.flags+" "+ack)...)
						c.run(url, connection)
					})
				}
			}
		}
	}
}

// vhostOf makes a vhost for a test and returns its URL.
func vhostOf(t *testing.T, name string) string {
	t.Helper()
	if err := node.AddVhost(name); err != nil {
		t.Fatal(err)
	}
	return node.URL(name)
}

// stopping is one consumer that is stopped in one way.
type stopping struct {
	stop
	t         *testing.T
	args      []string
	format    string
	auto      bool
	prefetch  int
	queue     string
	random    *rand.Rand // when messages come, and the signal
	ch        *amqp.Channel
	published int
}

func (c *stopping) run(url string, connection *amqp.Connection) {
	var err error
	if c.ch, err = connection.Channel(); err != nil {
		c.t.Fatal(err)
	}
	defer c.ch.Close()
	c.check(c.ch.Confirm(false))
	_, err = c.ch.QueueDeclare(c.queue, true, false, false, false, nil)
	c.check(err)
	c.publish(waitingBefore)

	cmd := program(url, c.args[0], c.args[1:]...)
	output, status := c.consume(cmd)
	printed := c.parse(output)
	left, redelivered := c.left()
	c.t.Logf("status %d, %d printed, %d left, %d of them redelivered", status, len(printed), len(left), redelivered)
	if want := c.status(len(printed), fmt.Sprint(cmd.Stderr)); status != want {
		c.t.Errorf("exit status %d, not %d:\n%s", status, want, cmd.Stderr)
	}
	slices.Sort(printed) // tasks that are done at once may be printed in another order
	for i, n := range slices.Concat(printed, left) {
		if n != i+1 {
			c.t.Fatalf("message %d is lost, or there twice:\nprinted %v\nleft %v", i+1, printed, left)
		}
	}
	switch {
	case len(printed)+len(left) != c.published:
		c.t.Errorf("of %d messages %d were printed and %d are left", c.published, len(printed), len(left))
	case c.count > 0 && len(printed) > c.count:
		c.t.Errorf("%d messages were printed", len(printed))
	}
	if most := c.takenBack(len(printed)); redelivered > most {
		c.t.Errorf("%d messages were taken in vain, at most %d may be", redelivered, most)
	}
}

// consume runs the consumer to its end, and publishes meanwhile.
func (c *stopping) consume(cmd *exec.Cmd) (output []byte, status int) {
	var stdout bytes.Buffer
	stderr := &awaited{text: "Waiting", seen: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &stdout, stderr
	c.check(cmd.Start())
	ended := make(chan struct{})
	go func() {
		cmd.Wait() // its status is in cmd.ProcessState
		close(ended)
	}()
	// One that hangs shows where.
	defer time.AfterFunc(patience, func() { cmd.Process.Signal(syscall.SIGQUIT) }).Stop()
	subscribed := stderr.seen
	var signal <-chan time.Time
	for {
		select {
		case <-ended:
			return stdout.Bytes(), cmd.ProcessState.ExitCode()
		case <-subscribed:
			subscribed = nil
			if c.signal {
				signal = time.After(c.moment(60 * time.Millisecond))
			}
		case <-signal:
			cmd.Process.Signal(syscall.SIGTERM)
		case <-time.After(c.moment(c.gap)):
			c.publish(1 + c.random.IntN(8))
		}
	}
}

// moment is how long it is to something that happens within a time.
func (c *stopping) moment(within time.Duration) time.Duration {
	return time.Duration(c.random.Int64N(int64(within)))
}

// awaited is what a program writes, and tells when a text has been part of it.
type awaited struct {
	text    string
	seen    chan struct{}
	once    sync.Once
	written []byte
}

func (a *awaited) Write(p []byte) (int, error) {
	a.written = append(a.written, p...)
	if bytes.Contains(a.written, []byte(a.text)) {
		a.once.Do(func() { close(a.seen) })
	}
	return len(p), nil
}

func (a *awaited) String() string { return string(a.written) }

// publish publishes so many messages more: "1.", "2." and so on, each a unit of work to a worker.
func (c *stopping) publish(n int) {
	var last *amqp.DeferredConfirmation
	for range n {
		c.published++
		var err error
		last, err = c.ch.PublishWithDeferredConfirm("", c.queue, false, false, amqp.Publishing{Body: fmt.Appendf(nil, "%d.", c.published)})
		c.check(err)
	}
	last.Wait()
}

// parse returns the numbers of the messages that were printed.
func (c *stopping) parse(output []byte) (numbers []int) {
	end := byte('\n')
	if c.format == "raw0" {
		end = 0
	}
	done := 0
	for len(output) > 0 {
		line, rest, ended := bytes.Cut(output, []byte{end})
		if !ended {
			c.t.Errorf("half a line: %q", line)
		}
		output = rest
		if string(line) == " [x] Done" {
			done++
			continue
		}
		numbers = append(numbers, c.number(line))
	}
	if c.args[0] == "worker" && c.format == "text" && done != len(numbers) {
		c.t.Errorf("%d tasks were begun and %d done", len(numbers), done)
	}
	return numbers
}

// number is that of the message which a line shows.
func (c *stopping) number(line []byte) int {
	body := string(line)
	switch c.format {
	case "text":
		body = strings.TrimPrefix(body, " [x] Received ")
	case "json":
		var m struct {
			Body        string
			Redelivered bool
		}
		c.check(json.Unmarshal(line, &m))
		if m.Redelivered {
			c.t.Errorf("the first to see it gets it as redelivered: %s", line)
		}
		body = m.Body
	case "template":
		body = strings.TrimSuffix(strings.TrimPrefix(body, "<"), ">")
	}
	n, err := strconv.Atoi(strings.TrimSuffix(body, "."))
	if err != nil {
		c.t.Errorf("nobody has published %q", line)
	}
	return n
}

// left returns the numbers of the messages that are still in the queue, and how many of them were delivered before.
// The broker has put back what the consumer had not acknowledged before it let the connection be closed.
func (c *stopping) left() (numbers []int, redelivered int) {
	for {
		d, ok, err := c.ch.Get(c.queue, true)
		c.check(err)
		if !ok {
			return numbers, redelivered
		}
		n, err := strconv.Atoi(strings.TrimSuffix(string(d.Body), "."))
		c.check(err)
		numbers = append(numbers, n)
		if d.Redelivered {
			redelivered++
		}
	}
}

// status is the exit status of a consumer that has printed so many messages, and this on standard error.
func (c *stopping) status(printed int, said string) int {
	const notConnected, tooLate = 3, 5
	switch {
	case strings.Contains(said, "connecting to"): // on a busy machine that alone may take the whole --timeout
		return notConnected
	case c.signal:
		return 0
	case c.count > 0 && printed < c.count:
		return tooLate
	case printed == 0 && !strings.Contains(c.flags, "--until-empty"):
		return tooLate
	}
	return 0
}

// takenBack is how many messages at most go back to the queue from a consumer that has printed so many: those that
// were on their way to it when it stopped. The broker keeps none that was sent without waiting for an acknowledgement.
func (c *stopping) takenBack(printed int) int {
	if c.count == 0 && c.auto || printed == c.count && c.count > 0 {
		return 0
	}
	return c.prefetch
}

func (c *stopping) check(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}
