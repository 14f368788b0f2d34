package conn

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"amqp-tutorials/internal/cli"
)

// Guard is the one place that sees to it that a run comes to its end. Every wait for a broker can be endless: for an answer
// that does not come, in a write to a full socket, for a confirm under an alarm; and so can every write to a standard output
// that nobody reads. The loops of the programs therefore wait without limits of their own. The guard knows what is waited for,
// and ends it: some time after the user, or a timeout, has asked for the end, and when nothing moves that is due.
//
// There is one guard a run, for all of its connections. Its exported fields are set before Keep.
type Guard struct {
	// Due says whether the run waits for the broker, and not for input or the clock. It is asked from another goroutine.
	// While it is true, Patience runs from the last progress on, and when it is over the run ends for GaveUp.
	Due      func() bool
	Patience time.Duration // 0: endless
	GaveUp   error
	// Draining is set by a run that the user's signal does not end at once: it goes on until what was sent is confirmed, as
	// long as confirms come.
	Draining bool
	// Goodbye is how long the broker has to answer connection.close, which proves that it has all that was sent.
	Goodbye time.Duration

	stop   context.Context // done when the user wants the end
	life   context.Context // done when the run is at its end
	end    context.CancelCauseFunc
	output Output
	over   chan struct{}

	connection atomic.Pointer[connection] // the present one; nil: none
	ever       atomic.Bool                // there was one
	tasks      atomic.Int64               // in hand
	progress   atomic.Int64               // of the run itself, in Unix nanoseconds
	cut        atomic.Pointer[string]     // what was waited for when the guard cut everything off
	answered   atomic.Bool                // the last connection ended with connection.close-ok

	// Of the guard's own goroutine.
	ending     time.Time // since when the run is to end; zero: it is not
	free       time.Time // when the last task was seen
	toldTask   bool
	toldLoss   *loss
	toldAwaits string
}

// Output is standard output as a guard sees it.
type Output interface {
	Stuck() time.Time // since when a write has been waiting for its reader; zero: none is
	GiveUp()          // lets every write fail
}

// ErrStopped is the cause of the end of a run that the user has stopped.
var ErrStopped = errors.New("interrupted")

// NewGuard returns a guard over a run that the user ends through stop. Keep starts its watch, Close ends it.
func NewGuard(stop context.Context, output Output) *Guard {
	life, end := context.WithCancelCause(context.WithoutCancel(stop))
	return &Guard{
		stop: stop, life: life, end: end, output: output, over: make(chan struct{}),
		Due: func() bool { return false }, Goodbye: 2 * time.Second,
	}
}

// Close ends the guard's watch.
func (g *Guard) Close() {
	g.end(nil)
	close(g.over)
}

// Life is done when the run is to end, with the reason as its cause.
func (g *Guard) Life() context.Context { return g.life }

// Stop is done when the user wants the end.
func (g *Guard) Stop() context.Context { return g.stop }

// End asks for the run's end.
func (g *Guard) End(cause error) { g.end(cause) }

// Progressed says that something has happened that was due.
func (g *Guard) Progressed() { g.progress.Store(time.Now().UnixNano()) }

// Begin says that a task is being worked on, until Finish: the end waits for it.
func (g *Guard) Begin() { g.tasks.Add(1) }

// Finish ends what Begin began.
func (g *Guard) Finish() { g.tasks.Add(-1) }

// Cut says what was waited for when the guard had to cut the run off: "the broker has not answered queue.declare". It is
// empty if the run came to its end by itself.
func (g *Guard) Cut() string {
	if why := g.cut.Load(); why != nil {
		return *why
	}
	return ""
}

// TellCut tells, at the end of a run in which nothing has gone wrong, that the guard had to cut it off all the same.
func (g *Guard) TellCut() {
	if why := g.Cut(); why != "" {
		cli.Say("note: %s; hung up", why)
	}
}

// Answered says whether the broker has answered the end of the last connection, and so has dealt with all that was sent.
func (g *Guard) Answered() bool { return g.answered.Load() }

// Blocked says why the broker takes no messages for now, "low on memory" for example; "" if it does.
func (g *Guard) Blocked() string {
	if c := g.connection.Load(); c != nil {
		if why := c.blocked.Load(); why != nil {
			return *why
		}
	}
	return ""
}
