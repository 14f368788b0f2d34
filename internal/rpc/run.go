package rpc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// Declare is the tutorial's own way to a queue for its replies, whose name it returns.
type Declare func(ch *conn.Channel) (replyTo string, err error)

// Subscribe is the tutorial's own basic.consume on that queue.
type Subscribe func(ch *conn.Channel, replyTo string) (<-chan amqp.Delivery, error)

// Request is the tutorial's own publishing of one request.
type Request func(ctx context.Context, ch *conn.Channel, c Call) error

// Call is one request on its way out.
type Call struct {
	N             int
	CorrelationID string
	ReplyTo       string
	Expiration    string // milliseconds after which nobody waits for the reply any more
}

// Run requests what the arguments ask for and prints the replies in the order of the requests. declare and subscribe are
// called with each new channel, at the start and after a lost connection; requests without a reply are made again then.
// Run's errors carry the exit status.
func Run(ctx context.Context, broker *conn.Settings, o *Options, args []string, declare Declare, subscribe Subscribe, request Request) error {
	numbers, err := o.numbers(args)
	if err != nil {
		return err
	}
	uuid.EnableRandPool()
	c := &client{
		Options: o, numbers: numbers, declare: declare, subscribe: subscribe, request: request,
		out: show.NewOutput(os.Stdout), open: map[string]*call{}, began: time.Now(),
	}
	c.guard = conn.NewGuard(ctx, c.out)
	defer c.guard.Close()
	c.guard.Patience, c.guard.GaveUp, c.guard.Goodbye = o.timeout, errLate, time.Second
	defer context.AfterFunc(ctx, func() { c.guard.End(conn.ErrStopped) })()
	c.late = time.AfterFunc(time.Hour, func() { c.guard.End(errLate) })
	defer c.late.Stop()
	c.late.Stop()
	err = broker.Keep(c.guard, c.session)
	if flush := c.out.Flush(); err == nil {
		err = flush
	}
	return c.result(err)
}

// errLate ends a client that has waited for too long.
var errLate = errors.New("no reply in time")

// result turns the end of a run into its error.
func (c *client) result(err error) error {
	var failed *cli.Error
	life := c.guard.Life()
	if err == nil {
		c.summary()
		c.guard.TellCut()
		return c.firstError()
	}
	if life.Err() == nil || errors.As(err, &failed) || errors.Is(err, show.ErrClosedPipe) {
		return err
	}
	if context.Cause(life) == errLate {
		return c.tooLate()
	}
	why := fmt.Sprintf("%d of %d requests were answered", c.printed, c.total())
	if cut := c.guard.Cut(); cut != "" {
		why = cut + "; " + why
	}
	return &cli.Error{Status: cli.Failed, What: "interrupted", Why: why}
}

// firstError is the first reply that was an error. (A nil *cli.Error is not a nil error.)
func (c *client) firstError() error {
	if c.failed == nil {
		return nil
	}
	return c.failed
}

// client is one run.
type client struct {
	*Options
	numbers   []int
	declare   Declare
	subscribe Subscribe
	request   Request
	guard     *conn.Guard
	out       *show.Output
	began     time.Time

	replyTo string           // of the present channel
	made    int              // requests made so far
	open    map[string]*call // by correlation id: in flight
	queue   []*call          // in the order of the requests: in flight, or answered and not printed yet
	printed int
	failed  *cli.Error // the first reply that was an error
	latency latencies
	late    *time.Timer // ends the run when the earliest request in flight has waited for too long
}

// call is one request.
type call struct {
	id       string // correlation id
	n        int
	made     time.Time
	deadline time.Time
	reply    *amqp.Delivery
}

func (c *client) total() int { return len(c.numbers) * c.count }

// session makes requests and takes replies on one channel until all are answered.
func (c *client) session(ch *conn.Channel) (err error) {
	if c.first() == nil {
		c.late.Reset(c.timeout) // what comes before the first request has no more time than this
	}
	if c.replyTo, err = c.declare(ch); err != nil {
		return err
	}
	replies, err := c.subscribe(ch, c.replyTo)
	if err != nil {
		return err
	}
	ch.Ready()
	ch.KeepReturns()
	for _, open := range c.queue {
		if open.reply == nil {
			if err := c.publish(ch, open); err != nil {
				return err
			}
		}
	}
	for {
		if err := c.fill(ch); err != nil {
			return err
		}
		first := c.first()
		if first == nil {
			c.late.Stop()
			return c.out.Flush()
		}
		c.late.Reset(time.Until(first.deadline))
		if err := c.wait(ch, replies); err != nil {
			return err
		}
	}
}
