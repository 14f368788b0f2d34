package conn

import (
	"context"
	"errors"
	"math"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
)

// forever is the patience of a program that has once been connected.
const forever = time.Duration(math.MaxInt64)

// The pauses between two attempts to connect: the first, and the longest unless a program has less time.
const (
	shortest = 500 * time.Millisecond
	longest  = 30 * time.Second
)

// lasting is how long a connection is in use that was worth having. The pauses grow only while there is none. It is
// also how long a session may go on without its connection before that is told.
const lasting = time.Second

// LostError means that the connection, or what the channel worked with, went away without the program being at
// fault: the session is to be begun again. Other packages return one where only they can know.
type LostError struct{ Why string }

func (e *LostError) Error() string { return e.Why }

// Keep connects and calls use with a channel. When the connection is lost it connects again, in growing intervals
// from half a second to half a minute (see Guard.Patience), and calls use with the new channel. It returns when use is
// done, the guard ends the run, or the broker refuses what use asks for; then the error is a *cli.Error, unless it is
// use's own or the context's. So use returns the library's errors as they come, may be called any number of times, and
// calls Channel.Ready.
func (s *Settings) Keep(g *Guard, use func(*Channel) error) error {
	ctx, pause := g.life, s.pauses(g.Patience)
	go g.watch()
	c, err := s.connect(ctx, s.wait, pause)
	if err != nil {
		return err
	}
	g.Progressed()
	g.ever.Store(true)
	var away outage
	noted := map[string]bool{}
	for again := false; ; again = true {
		c.ready, c.noted = func() { away.end(c.node.address()) }, noted
		began := time.Now()
		err := s.session(g, c, again, use)
		var loss *LostError
		if !errors.As(err, &loss) || ctx.Err() != nil {
			return err
		}
		if s.noReconnect {
			return &cli.Error{Status: cli.Failed, What: "connection to " + c.node.address() + " lost", Why: loss.Why}
		}
		if !away.lasts() && time.Since(began) > lasting {
			pause.Reset() // it was a good connection: what comes now is another trouble
		}
		away.begin(c.node.address(), loss.Why)
		if err := sleep(ctx, pause.NextBackOff()); err != nil {
			return err
		}
		if c, err = s.connect(ctx, forever, pause); err != nil {
			return lostForGood(ctx, err)
		}
	}
}

// pauses are those between attempts to connect. For a program that gives up some time they grow to a tenth of that at most,
// but not below half a second: it is not to give up on a broker that is back.
func (s *Settings) pauses(patience time.Duration) backoff.BackOff {
	if s.pause != nil {
		return s.pause
	}
	pause := &backoff.ExponentialBackOff{
		InitialInterval: shortest, RandomizationFactor: 0.3, Multiplier: 1.6, MaxInterval: longest,
	}
	if patience > 0 {
		pause.MaxInterval = max(shortest, min(longest, patience/10))
	}
	pause.Reset()
	return pause
}

// outage is the time without a connection that serves its purpose. The user is told once why it began, and once that
// it is over: when the program has what it needs again, and not as soon as some node of a cluster takes a connection.
type outage struct {
	since time.Time // zero: there is none
	told  []string  // the reasons that the user knows of
}

func (o *outage) lasts() bool { return !o.since.IsZero() }

// begin is called with each connection that is lost; in an outage that lasts, it tells what is new.
func (o *outage) begin(address, why string) {
	if !o.lasts() {
		o.since = time.Now()
	}
	if !slices.Contains(o.told, why) {
		o.told = append(o.told, why)
		cli.Say("connection to %s lost: %s; connecting again", address, why)
	}
}

func (o *outage) end(address string) {
	if o.lasts() {
		cli.Say("connected again to %s after %s", address, time.Since(o.since).Round(100*time.Millisecond))
		*o = outage{}
	}
}

// lostForGood is the error of a program that was connected and can't be again. It has failed after connecting, which
// is another exit status than that of one which never was.
func lostForGood(ctx context.Context, err error) error {
	var e *cli.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &e):
		failed := *e
		failed.Status = cli.Failed
		return &failed
	}
	return err
}

// session uses one connection to its end.
func (s *Settings) session(g *Guard, c *connection, again bool, use func(*Channel) error) (err error) {
	g.connection.Store(c)
	defer func() {
		g.answered.Store(c.close(g))
		g.connection.Store(nil)
	}()
	ch, err := c.channel()
	if err != nil {
		return ch.explain(err)
	}
	ch.again = again
	return ch.explain(use(ch))
}

// explain says what an error of the session means, see classify.
func (ch *Channel) explain(err error) error {
	if err == nil {
		return nil
	}
	if broken := ch.connection.wire.Violation(); broken != nil {
		return &cli.Error{Status: cli.Failed, What: "connection to " + ch.connection.node.address(), Why: broken.Error()}
	}
	if errors.Is(err, amqp.ErrClosed) {
		err = ch.Reason()
	}
	return classify(err, ch.again)
}

// classify decides what an error means: lost (*LostError), refused by the broker (*cli.Error), or neither (as it is).
// again is true if an earlier connection was lost.
func classify(err error, again bool) error {
	var e *amqp.Error
	var socket *net.OpError
	var cause syscall.Errno
	switch {
	case errors.As(err, &e) && (lost(e) || again && e.Code == amqp.ResourceLocked):
		// After a reconnect our own exclusive queue stays locked until the broker has missed the old connection.
		return &LostError{reason(e)}
	case errors.As(err, &e):
		return refused(e)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &socket) && errors.As(socket, &cause):
		return &LostError{cause.Error()} // without the addresses
	case socket != nil, errors.Is(err, net.ErrClosed):
		return &LostError{"the connection was closed"}
	}
	return err
}

// lost says whether an AMQP error stands for a connection, channel or node that went away, as opposed to a request
// that the broker refuses and would refuse again.
func lost(e *amqp.Error) bool {
	if !e.Server {
		return e.Code == amqp.ChannelError || e.Code == amqp.FrameError && !strings.Contains(e.Reason, "shortstr")
	}
	switch e.Code {
	case amqp.ConnectionForced: // the broker shuts down, or an operator closed the connection
		return true
	case amqp.InternalError: // a node went down in the middle of something, unless a deprecated feature is denied
		return !strings.Contains(e.Reason, "deprecated")
	case amqp.NotFound: // a classic queue's home node is down (RabbitMQ 3), or does not answer (4)
		return strings.Contains(e.Reason, "is down or inaccessible") || strings.Contains(e.Reason, "due to timeout")
	}
	return false
}
