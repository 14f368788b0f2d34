package rpc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
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

// publish makes a request, or makes it again. It expires when nobody waits for its reply any more.
func (c *client) publish(ch *conn.Channel, open *call) error {
	left := max(time.Until(open.deadline).Milliseconds(), 1)
	return c.request(c.guard.Life(), ch, Call{
		N: open.n, CorrelationID: open.id, ReplyTo: c.replyTo, Expiration: strconv.FormatInt(left, 10),
	})
}

// fill makes requests until as many are in flight as there may be.
func (c *client) fill(ch *conn.Channel) error {
	for len(c.open) < c.concurrency && c.made < c.total() && c.failed == nil {
		n := c.numbers[c.made%len(c.numbers)]
		if !c.quiet {
			if err := c.out.Printf(" [x] Requesting fib(%d)\n", n); err != nil {
				return err
			}
		}
		now := time.Now()
		next := &call{id: uuid.NewString(), n: n, made: now, deadline: now.Add(c.timeout)}
		c.made++
		c.open[next.id] = next
		c.queue = append(c.queue, next)
		if err := c.publish(ch, next); err != nil {
			return err
		}
	}
	return nil
}

// wait waits for the next reply. One that is late, comes twice or was never asked for has no open call, and is ignored.
func (c *client) wait(ch *conn.Channel, replies <-chan amqp.Delivery) error {
	if err := c.out.Flush(); err != nil {
		return err
	}
	select {
	case d, ok := <-replies:
		switch {
		case !ok && !ch.IsClosed():
			return &conn.LostError{Why: "the broker has cancelled the consumer of replies"}
		case !ok:
			return ch.Reason()
		}
		if answered := c.open[d.CorrelationId]; answered != nil {
			return c.answered(answered, &d)
		}
	case <-ch.Returned():
		return c.cameBack(ch.Returns())
	case <-c.out.Closed():
		return show.ErrClosedPipe
	case <-ch.Closed():
		return ch.Reason()
	case <-c.guard.Life().Done():
		return context.Cause(c.guard.Life())
	}
	return nil
}

// cameBack looks for a request among the messages that reached no queue.
func (c *client) cameBack(returns []amqp.Return) error {
	for _, r := range returns {
		if c.open[r.CorrelationId] != nil {
			return &cli.Error{
				Status: cli.Unroutable, What: "request returned", Why: "there is no queue " + c.Queue,
				Hint: "is an rpc_server running? It declares the queue",
			}
		}
	}
	return nil
}

// tooLate is the error for the earliest request in flight, which has waited for too long.
func (c *client) tooLate() *cli.Error {
	e := &cli.Error{Status: cli.TooLate, What: "request", Why: "no reply within " + c.timeout.String(), Hint: "is an rpc_server running? --timeout waits longer"}
	if first := c.first(); first != nil {
		e.What = fmt.Sprintf("fib(%d)", first.n)
	}
	if blocked := c.guard.Blocked(); blocked != "" && c.guard.Cut() == "" {
		e.Why += "; the broker takes no messages: " + blocked
		e.Hint = ""
	}
	if cut := c.guard.Cut(); cut != "" {
		e.Why += "; " + cut
		e.Hint = ""
	}
	return e
}

// first is the earliest request in flight.
func (c *client) first() *call {
	for _, earliest := range c.queue {
		if earliest.reply == nil {
			return earliest
		}
	}
	return nil
}

// answered takes a reply and prints all that have their turn now.
func (c *client) answered(a *call, d *amqp.Delivery) error {
	delete(c.open, a.id)
	a.reply = d
	c.latency.add(time.Since(a.made))
	for len(c.queue) > 0 && c.queue[0].reply != nil {
		next := c.queue[0]
		c.queue[0], c.queue = nil, c.queue[1:]
		c.printed++
		if err := c.print(next); err != nil {
			return err
		}
	}
	return nil
}

// print prints one reply. An error reply ends the requests; those in flight are still waited for.
func (c *client) print(answered *call) error {
	body := show.Escape(string(answered.reply.Body))
	if answered.reply.Type == "error" {
		if c.failed == nil {
			c.failed = &cli.Error{Status: cli.RPCError, What: fmt.Sprintf("fib(%d)", answered.n), Why: string(answered.reply.Body)}
		}
		return nil
	}
	if c.quiet {
		return nil
	}
	return c.out.Printf(" [.] Got %s\n", body)
}

// summary ends a run that was made to measure.
func (c *client) summary() {
	if c.count == 1 || c.printed == 0 {
		return
	}
	took := time.Since(c.began)
	cli.Banner(fmt.Sprintf("Made %d calls in %.2fs (%.0f calls/s), latency p50 %s, p99 %s",
		c.printed, took.Seconds(), float64(c.printed)/took.Seconds(), c.latency.percentile(50), c.latency.percentile(99)))
}
