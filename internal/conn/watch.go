package conn

import (
	"time"

	"amqp-tutorials/internal/cli"
)

// This file is what a guard does: it looks, every few milliseconds, whether the run goes on or comes to its end.

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
