package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// hang is after how long a program that should have ended is one that hangs. The contract says two seconds; a machine
// that is busy may take longer, and a program that hangs takes for ever.
const hang = 20 * time.Second

// running is a program whose words a test waits for. It does not outlive its test.
type running struct {
	*exec.Cmd
	t              *testing.T
	stdout, stderr *words
	ended          chan struct{}
	at             time.Time // when it ended, once it has
	last           time.Time // when it was started, was seen to do something, or was signalled
}

// launch starts a program. Where its output goes may have been decided before.
func launch(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{Cmd: cmd, t: t, stdout: newWords(), stderr: newWords(), ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = r.stdout
	}
	cmd.Stderr = r.stderr
	r.last = time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait() // its result is in cmd.ProcessState
		r.at = time.Now()
		close(r.ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-r.ended
	})
	return r
}

// words is what a program has written so far.
type words struct {
	mu   sync.Mutex
	text []byte
	more chan struct{} // closed, and another one made, when there is more
}

func newWords() *words { return &words{more: make(chan struct{})} }

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	close(w.more)
	w.more = make(chan struct{})
	return len(p), nil
}

func (w *words) String() string {
	text, _ := w.now()
	return string(text)
}

// now returns what is written, and what will be closed when more is.
func (w *words) now() ([]byte, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text, w.more
}

// says waits until the program has written this to standard error, and prints until it is on standard output.
func (r *running) says(text string) {
	r.t.Helper()
	r.await(r.stderr, text)
}

func (r *running) prints(text string) {
	r.t.Helper()
	r.await(r.stdout, text)
}

func (r *running) await(w *words, text string) {
	r.t.Helper()
	defer r.mark()
	late := time.After(patience)
	for {
		written, more := w.now()
		if bytes.Contains(written, []byte(text)) {
			return
		}
		select {
		case <-more:
		case <-r.ended:
			if written, _ = w.now(); bytes.Contains(written, []byte(text)) {
				return
			}
			r.t.Fatalf("%s has ended with status %d and not said %q, but:\n%s", r, r.ProcessState.ExitCode(), text, r.stderr)
		case <-late:
			r.t.Fatalf("%s has not said %q, but:\n%s", r, text, r.stderr)
		}
	}
}

// sees waits for an event that the program has to bring about.
func (r *running) sees(event <-chan struct{}, what string) {
	r.t.Helper()
	defer r.mark()
	select {
	case <-event:
	case <-r.ended:
		select {
		case <-event: // both at once
		default:
			r.t.Fatalf("%s has ended with status %d before %s:\n%s", r, r.ProcessState.ExitCode(), what, r.stderr)
		}
	case <-time.After(patience):
		r.t.Fatalf("%s: no %s, but:\n%s", r, what, r.stderr)
	}
}

func (r *running) signal(s syscall.Signal) {
	r.t.Helper()
	r.mark()
	if err := r.Process.Signal(s); err != nil {
		r.t.Fatalf("%s has ended before its signal: %v\n%s", r, err, r.stderr)
	}
}

func (r *running) mark() { r.last = time.Now() }

// end waits for the program's end, so long after the last event, and returns its exit status. One that hangs has to
// show where, and fails the test.
func (r *running) end(limit time.Duration) int {
	r.t.Helper()
	if !r.over(time.Until(r.last.Add(limit))) {
		r.Process.Signal(syscall.SIGQUIT)
		if !r.over(hang) {
			r.Process.Kill()
			<-r.ended
		}
		r.t.Fatalf("%s hangs, %s later it is still there:\n%s", r, limit, r.stderr)
	}
	r.t.Logf("it ended %s later with status %d and said:\n%s", r.at.Sub(r.last).Round(time.Millisecond), r.ProcessState.ExitCode(), r.stderr)
	r.checkWords()
	return r.ProcessState.ExitCode()
}

// over waits for the end, and is false if it does not come within the limit.
func (r *running) over(limit time.Duration) bool {
	select {
	case <-r.ended:
		return true
	case <-time.After(limit):
	}
	select {
	case <-r.ended: // long ago, perhaps
		return true
	default:
		return false
	}
}

// endsWith is end for a program that has to end with one of these statuses.
func (r *running) endsWith(limit time.Duration, statuses ...int) {
	r.t.Helper()
	got := r.end(limit)
	for _, want := range statuses {
		if got == want {
			return
		}
	}
	r.t.Errorf("%s: exit status %d, not %s:\n%s", r, got, strings.Trim(fmt.Sprint(statuses), "[]"), r.stderr)
}

// has checks that the program has said this on standard error.
func (r *running) has(text string) {
	r.t.Helper()
	if !strings.Contains(r.stderr.String(), text) {
		r.t.Errorf("%s: nothing says %q:\n%s", r, text, r.stderr)
	}
}

var (
	// spoken are the lines of standard error that do not begin with the program's name: banners, hints, summaries.
	spoken = regexp.MustCompile(`^( \[[x*]\] |hint: |(Published|Received|Made) \d)`)
	// foreign is what a user should not see: Go's words, the library's, and addresses of sockets.
	foreign = regexp.MustCompile(`goroutine|Exception \(|amqp091|<nil>|\d:\d+->`)
)

// checkWords checks that standard error has the form of the house.
func (r *running) checkWords() {
	r.t.Helper()
	name := r.Args[0][strings.LastIndexByte(r.Args[0], '/')+1:]
	hints := 0
	for line := range strings.Lines(r.stderr.String()) {
		if !strings.HasPrefix(line, name+": ") && !spoken.MatchString(line) {
			r.t.Errorf("this line has another form: %s", line)
		}
		if word := foreign.FindString(line); word != "" {
			r.t.Errorf("%q is not for users: %s", word, line)
		}
		if strings.HasPrefix(line, "hint: ") {
			hints++
		}
	}
	if hints > 1 {
		r.t.Errorf("%d hints:\n%s", hints, r.stderr)
	}
}

// fill publishes the numbers from first to last to a queue, which it declares. A message may say where replies go.
func fill(t *testing.T, url, queue string, first, last int, replyTo string) {
	t.Helper()
	connection, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	ch, err := connection.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(queue, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	var confirm *amqp.DeferredConfirmation
	for i := first; i <= last; i++ {
		confirm, err = ch.PublishWithDeferredConfirm("", queue, false, false, amqp.Publishing{ReplyTo: replyTo, Body: fmt.Append(nil, i)})
		if err != nil {
			t.Fatal(err)
		}
	}
	if confirm != nil && !confirm.Wait() {
		t.Fatal("the broker has refused a message")
	}
}
