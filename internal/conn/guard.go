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

const (
	look = 50 * time.Millisecond
	// grace is how long a broker that is asked for something may take for it when the run is to end. A signal ends every
	// program within two seconds, whatever the broker does; limit is what it may take in all.
	grace = time.Second
	limit = 1700 * time.Millisecond
	// hung is how long it takes at least to see that a broker does not answer which did not answer before.
	hung = 300 * time.Millisecond
	// quiet is how long the broker may take for an answer before the user is told what is awaited.
	quiet = 5 * time.Second
	// moment is how long a task, or a session that has lost its connection, may go on before that is told.
	moment = time.Second
)

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

func (g *Guard) watch() {
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	for {
		select {
		case <-g.over:
			return
		case <-ticks.C:
		}
		c := g.connection.Load()
		g.tellLoss(c)
		switch {
		case g.stop.Err() != nil || g.life.Err() != nil:
			g.lookAtEnd(c, time.Now())
		default:
			g.lookAtRun(c, time.Now())
		}
	}
}

// lookAtRun ends a run in which nothing moves that is due. What is under an alarm, and what nobody waits for, is not.
func (g *Guard) lookAtRun(c *connection, now time.Time) {
	g.tellAwaited(c, now)
	last := time.Unix(0, g.progress.Load())
	if c != nil {
		last = later(last, c.moved())
	}
	switch {
	case g.Patience == 0 || !g.ever.Load():
	case !g.due(c) || g.Blocked() != "" || !g.output.Stuck().IsZero():
		g.Progressed() // from now on it counts
	case now.Sub(last) > g.Patience:
		g.cutOff(c, g.GaveUp)
	}
}

func (g *Guard) due(c *connection) bool {
	if c != nil {
		if method, _ := c.wire.Awaited(); method != "" {
			return true
		}
	}
	return g.Due()
}

// lookAtEnd ends a run that is to end and does not.
func (g *Guard) lookAtEnd(c *connection, now time.Time) {
	if g.ending.IsZero() {
		g.ending, g.free = now, now
	}
	if !g.ever.Load() {
		g.end(ErrStopped) // there is nothing to bring to an end
		return
	}
	full := g.output.Stuck()
	stuck := !full.IsZero() || c != nil && !c.wire.Stuck().IsZero()
	if g.tasks.Load() > 0 && !stuck {
		g.tellTask(now)
		g.free = now
		return
	}
	last := later(g.free, time.Unix(0, g.progress.Load()))
	awaited := false
	if c != nil {
		last = later(last, c.moved())
		_, since := c.wire.Awaited()
		awaited = !since.IsZero() && since.Before(g.ending.Add(-grace))
	}
	switch {
	case now.Sub(last) > grace:
	case !full.IsZero() && now.Sub(later(full, g.ending)) > grace:
	case awaited && now.Sub(g.free) > hung && now.Sub(last) > hung:
	case !g.Draining && now.Sub(g.free) > limit:
	default:
		return
	}
	g.cutOff(c, ErrStopped)
}

// moved is when the broker last did something that is a progress. It has when it reads on that had stopped; what merely
// disappears into a buffer of this machine says nothing.
func (c *connection) moved() time.Time {
	if c.wire.Stuck().IsZero() {
		return c.wire.Answered()
	}
	return later(c.wire.Answered(), c.wire.Written())
}

// cutOff frees everything that waits, and so ends the run.
func (g *Guard) cutOff(c *connection, cause error) {
	g.note(c)
	g.end(cause)
	if !g.output.Stuck().IsZero() {
		g.output.GiveUp() // the broker is not to blame: there is time to say goodbye
		g.free = time.Now()
		return
	}
	g.output.GiveUp()
	if c != nil {
		c.wire.Sever()
	}
}

// note keeps what was waited for first.
func (g *Guard) note(c *connection) {
	if why := g.awaited(c); why != "" {
		g.cut.CompareAndSwap(nil, &why)
	}
}

// awaited says what the run is waiting for.
func (g *Guard) awaited(c *connection) string {
	if !g.output.Stuck().IsZero() {
		return "whoever reads standard output has stopped"
	}
	if c == nil {
		return "there is no connection"
	}
	method, _ := c.wire.Awaited()
	switch blocked := c.blocked.Load(); {
	case blocked != nil:
		return "the broker takes no messages: " + *blocked
	case method != "":
		return "the broker has not answered " + method
	case !c.wire.Stuck().IsZero():
		return "the broker has stopped reading"
	}
	return ""
}

// tellTask tells once that the end waits for a task.
func (g *Guard) tellTask(now time.Time) {
	if g.toldTask || now.Sub(g.ending) < hung {
		return
	}
	g.toldTask = true
	if g.stop.Err() != nil {
		cli.Say("finishing this task; Ctrl-C again stops at once")
	} else {
		cli.Say("finishing this task")
	}
}

// tellLoss tells of a lost connection even if its session does not end with it, because a task takes long: whoever
// watches is to know that the broker gives the task to another.
func (g *Guard) tellLoss(c *connection) {
	if c == nil {
		return
	}
	lost := c.lost.Load()
	if lost == nil || lost == g.toldLoss || g.tasks.Load() == 0 || time.Since(lost.at) < moment {
		return
	}
	g.toldLoss = lost
	cli.Say("connection to %s lost: %s; finishing what has been begun", c.node.address(), lost.why)
}

// tellAwaited tells once that the broker takes long for an answer.
func (g *Guard) tellAwaited(c *connection, now time.Time) {
	if c == nil || c.blocked.Load() != nil {
		return
	}
	method, since := c.wire.Awaited()
	if method == "" || method == g.toldAwaits || now.Sub(since) < quiet {
		return
	}
	g.toldAwaits = method
	cli.Say("the broker has not answered %s yet; waiting", method)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
