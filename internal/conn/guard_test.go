package conn

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// cable is a connection of which a test says what it waits for, and since when.
type cable struct {
	mu                              sync.Mutex
	method                          string
	since, stuck, answered, written time.Time
	once                            sync.Once
	cut                             chan struct{} // closed when the guard has cut it
}

func (l *cable) set(change func(*cable)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

func (l *cable) get(field *time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *field
}

func (l *cable) Awaited() (string, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.method, l.since
}
func (l *cable) Stuck() time.Time    { return l.get(&l.stuck) }
func (l *cable) Answered() time.Time { return l.get(&l.answered) }
func (l *cable) Written() time.Time  { return l.get(&l.written) }
func (l *cable) Violation() error    { return nil }
func (l *cable) Delivered() int      { return 0 }

func (l *cable) Sever() { l.once.Do(func() { close(l.cut) }) }

// screen is a standard output that a test stops reading.
type screen struct {
	mu      sync.Mutex
	stuck   time.Time
	givenUp bool
}

func (s *screen) Stuck() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stuck
}

func (s *screen) stick(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stuck = since
}

func (s *screen) GiveUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stuck, s.givenUp = time.Time{}, true
}

func (s *screen) left() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.givenUp
}

// watched is a guard over a run that has been connected, on a clock of its own.
type watched struct {
	*Guard
	t      *testing.T
	began  time.Time
	wire   *cable
	screen *screen
	c      *connection
	ctrlC  context.CancelFunc
	due    bool
}

var errGaveUp = errors.New("gave up")

// guarded lets a test prepare a run and returns what it has brought about: when it ended, counted from the beginning, and
// what was said. One that has not ended in hours does not end.
func guarded(t *testing.T, prepare func(*watched)) (w *watched, took time.Duration, said string) {
	t.Helper()
	told := spoken(t)
	synctest.Test(t, func(t *testing.T) {
		stop, ctrlC := context.WithCancel(context.Background())
		defer ctrlC()
		now := time.Now()
		w = &watched{t: t, began: now, wire: &cable{answered: now, cut: make(chan struct{})}, screen: &screen{}, ctrlC: ctrlC}
		w.Guard = NewGuard(stop, w.screen)
		w.GaveUp, w.Patience = errGaveUp, 10*time.Second
		w.Due = func() bool { return w.due }
		w.c = &connection{wire: w.wire, node: &node{host: "broker", port: "5672"}}
		w.connection.Store(w.c)
		w.ever.Store(true)
		prepare(w)
		go w.watch()
		defer w.Close()
		select {
		case <-w.wire.cut:
		case <-time.After(endless):
		}
		took = time.Since(w.began)
	})
	return w, took, told()
}

const endless = 3 * time.Hour

// at lets something happen so long after the beginning.
func (w *watched) at(after time.Duration, do func()) { time.AfterFunc(after, do) }

// every lets something happen again and again until then.
func (w *watched) every(pause, until time.Duration, do func()) {
	for at := pause; at <= until; at += pause {
		w.at(at, do)
	}
}

// answers lets the broker have answered something just now.
func (w *watched) answers() { w.wire.set(func(l *cable) { l.answered = time.Now() }) }

// stop is Ctrl-C in a program that it ends.
func (w *watched) stop() {
	w.ctrlC()
	w.End(ErrStopped)
}

// awaits lets the run wait for an answer from now on.
func (w *watched) awaits(method string) {
	w.wire.set(func(l *cable) { l.method, l.since = method, time.Now() })
}

// spoken returns what is written to standard error from now on. It may be asked once, at the end.
func spoken(t *testing.T) func() string {
	t.Helper()
	stderr := os.Stderr
	name := filepath.Join(t.TempDir(), "stderr")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = file
	t.Cleanup(func() { os.Stderr = stderr })
	return func() string {
		os.Stderr = stderr
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

// about checks a time that the guard sees when it looks.
func about(t *testing.T, took, want time.Duration) {
	t.Helper()
	if took < want || took > want+2*look {
		t.Errorf("it was cut off after %v, not %v", took, want)
	}
}

// Patience runs from the last progress on while something is due, and only then.
func TestPatience(t *testing.T) {
	const patience, long = 10 * time.Second, time.Hour
	for name, test := range map[string]struct {
		prepare func(w *watched)
		want    time.Duration
		cut     string
	}{
		"a confirm does not come": {func(w *watched) { w.due = true }, patience, ""},
		"an answer does not come": {func(w *watched) { w.awaits("queue.declare") }, patience, "the broker has not answered queue.declare"},
		"nothing is due":          {func(*watched) {}, endless, ""},
		"a run without patience": {func(w *watched) {
			w.due, w.Patience = true, 0
			w.awaits("queue.declare")
		}, endless, ""},
		"never connected": {func(w *watched) {
			w.due = true
			w.ever.Store(false)
		}, endless, ""},
		"no connection any more": {func(w *watched) {
			w.due = true
			w.connection.Store(nil)
			w.at(patience+3*look, func() { w.wire.Sever() }) // there is nothing for the guard to cut
		}, patience + 3*look, "there is no connection"},
		"due after an hour of nothing": {func(w *watched) {
			w.at(long, func() { w.awaits("tx.commit") })
		}, long + patience, "the broker has not answered tx.commit"},
		"after an alarm": {func(w *watched) {
			w.due = true
			low := "low on memory"
			w.c.blocked.Store(&low)
			w.at(long, func() { w.c.blocked.Store(nil) })
		}, long + patience, ""},
		"under an alarm": {func(w *watched) {
			w.due = true
			low := "low on memory"
			w.c.blocked.Store(&low)
		}, endless, ""},
		"after standard output was stuck": {func(w *watched) {
			w.due = true
			w.screen.stick(w.began)
			w.at(long, func() { w.screen.stick(time.Time{}) })
		}, long + patience, ""},
		"while answers come": {func(w *watched) {
			w.due = true
			w.every(patience-time.Second, long, w.answers)
		}, long + patience, ""},
		"while confirms come": {func(w *watched) {
			w.due = true
			w.every(patience-time.Second, long, w.Progressed)
		}, long + patience, ""},
		"in a write that goes on from time to time": {func(w *watched) {
			w.due = true
			w.wire.stuck = w.began
			w.every(patience-time.Second, long, func() { w.wire.set(func(l *cable) { l.written = time.Now() }) })
		}, long + patience, "the broker has stopped reading"},
		"writes disappear into a buffer": {func(w *watched) {
			w.due = true
			w.every(time.Second, long, func() { w.wire.set(func(l *cable) { l.written = time.Now() }) })
		}, patience, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, took, _ := guarded(t, test.prepare)
			if test.want == endless {
				if took < endless || w.Life().Err() != nil && context.Cause(w.Life()) == errGaveUp {
					t.Errorf("it was given up after %v", took)
				}
				return
			}
			about(t, took, test.want)
			if cause := context.Cause(w.Life()); cause != errGaveUp || w.Cut() != test.cut {
				t.Errorf("it ended for %v: %q, want %q", cause, w.Cut(), test.cut)
			}
		})
	}
}

// stopAt is when the user stops a run that has lasted for a while.
const stopAt = time.Minute

// A run that is to end and does not is cut off: a second after the last thing that was due, sooner if the broker was not
// answering already, and in any case in time for a user who has pressed Ctrl-C.
func TestEnd(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(w *watched)
		want    time.Duration // after stopAt
		cut     string
	}{
		"nothing comes": {func(*watched) {}, grace, ""},
		"an answer is due since just before": {func(w *watched) {
			w.at(stopAt-200*time.Millisecond, func() { w.awaits("queue.bind") })
		}, grace, "the broker has not answered queue.bind"},
		"an answer was due long before": {func(w *watched) {
			w.awaits("queue.bind")
		}, hung, "the broker has not answered queue.bind"},
		"an answer that was due long before comes, and then none": {func(w *watched) {
			w.awaits("queue.bind")
			w.at(stopAt+200*time.Millisecond, func() {
				w.answers()
				w.awaits("basic.cancel")
			})
		}, 200*time.Millisecond + grace, "the broker has not answered basic.cancel"},
		"confirms that come give it more time": {func(w *watched) {
			w.at(stopAt+500*time.Millisecond, w.Progressed)
		}, 500*time.Millisecond + grace, ""},
		"but not for ever": {func(w *watched) {
			w.every(100*time.Millisecond, 2*stopAt, w.Progressed)
		}, limit, ""},
		"unless the run drains": {func(w *watched) {
			w.Draining = true
			w.every(800*time.Millisecond, 2*stopAt, w.answers)
		}, stopAt + grace, ""},
		"a task is waited for": {func(w *watched) {
			w.Begin()
			w.at(stopAt+time.Hour, w.Finish)
		}, time.Hour + grace, ""},
		"but not if the broker does not read": {func(w *watched) {
			w.Begin()
			w.wire.stuck = w.began
		}, grace, "the broker has stopped reading"},
		"standard output is given up first, and there is time to say goodbye": {func(w *watched) {
			w.Begin()
			w.screen.stick(w.began)
			w.at(stopAt+grace+3*look, func() {
				select {
				case <-w.wire.cut:
					w.t.Error("the broker is cut off, which was not to blame")
				default:
				}
				if !w.screen.left() {
					w.t.Error("standard output is not given up")
				}
				w.Finish()
			})
		}, 2 * grace, "whoever reads standard output has stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			w, took, _ := guarded(t, func(w *watched) {
				w.Patience = 0
				w.at(stopAt, w.stop)
				test.prepare(w)
			})
			if took < stopAt+test.want || took > stopAt+test.want+4*look {
				t.Errorf("it was cut off %v after its end was asked for, not %v", took-stopAt, test.want)
			}
			if w.Cut() != test.cut || context.Cause(w.Life()) != ErrStopped {
				t.Errorf("ended for %v: %q, want %q", context.Cause(w.Life()), w.Cut(), test.cut)
			}
			if !w.screen.left() {
				t.Error("whoever waits in a write to standard output still does")
			}
		})
	}
}

// A run that was never connected has nothing to bring to an end, and one whose time is up ends as if it were stopped, but
// for its own reason.
func TestEndForOtherReasons(t *testing.T) {
	w, _, _ := guarded(t, func(w *watched) {
		w.Patience = 0
		w.ever.Store(false)
		w.at(stopAt, w.ctrlC)
		w.at(stopAt+2*look, func() {
			if context.Cause(w.Life()) != ErrStopped {
				w.t.Errorf("a run that was never connected goes on: %v", context.Cause(w.Life()))
			}
			w.wire.Sever()
		})
	})
	if w.Cut() != "" {
		t.Errorf("it is said to have waited: %s", w.Cut())
	}
	late := errors.New("time is up")
	w, took, said := guarded(t, func(w *watched) {
		w.Patience = 0
		w.Begin()
		w.at(stopAt, func() { w.End(late) })
		w.at(2*stopAt, w.Finish)
	})
	about(t, took, 2*stopAt+grace)
	if cause := context.Cause(w.Life()); cause != late {
		t.Errorf("it ended for %v", cause)
	}
	if strings.Count(said, "finishing this task\n") != 1 || strings.Contains(said, "Ctrl-C") {
		t.Errorf("it said %q", said)
	}
}

// What is told is told once, and only what lasts.
func TestToldOnce(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(w *watched)
		want    string
	}{
		"an answer takes long": {func(w *watched) { w.awaits("queue.declare") }, "the broker has not answered queue.declare yet; waiting"},
		"an answer comes in time": {func(w *watched) {
			w.awaits("queue.declare")
			w.at(quiet-look, func() { w.awaits("") })
		}, ""},
		"an answer takes long under an alarm, which is known": {func(w *watched) {
			low := "low on memory"
			w.c.blocked.Store(&low)
			w.awaits("queue.declare")
		}, ""},
		"two answers take long": {func(w *watched) {
			w.awaits("queue.declare")
			w.at(time.Minute, func() { w.awaits("queue.bind") })
		}, "the broker has not answered queue.declare yet; waiting, the broker has not answered queue.bind yet; waiting"},
		"the connection is lost during a task": {func(w *watched) {
			w.Begin()
			w.at(time.Minute, func() { w.c.lost.Store(&loss{"EOF", time.Now()}) })
		}, "connection to broker:5672 lost: EOF; finishing what has been begun"},
		"the connection is lost without a task": {func(w *watched) {
			w.c.lost.Store(&loss{"EOF", time.Now()})
		}, ""},
		"a task is waited for at the end": {func(w *watched) {
			w.Begin()
			w.at(time.Minute, w.stop)
		}, "finishing this task; Ctrl-C again stops at once"},
		"a task ends just after": {func(w *watched) {
			w.Begin()
			w.at(time.Minute, w.stop)
			w.at(time.Minute+hung-look, w.Finish)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, said := guarded(t, func(w *watched) {
				w.Patience = 0
				test.prepare(w)
				w.at(time.Hour, w.wire.Sever) // the end of the test
			})
			program := filepath.Base(os.Args[0]) + ": "
			lines := strings.Split(strings.TrimSpace(said), "\n")
			for i := range lines {
				lines[i] = strings.TrimPrefix(lines[i], program)
			}
			if got := strings.Join(lines, ", "); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}
