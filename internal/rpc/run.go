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

// Subscribe is the tutorial's own way to its replies: a callback queue, and a consumer on it.
type Subscribe func(ch *conn.Channel) (<-chan amqp.Delivery, error)

// Request is the tutorial's own publishing of one request.
type Request func(ctx context.Context, ch *conn.Channel, n int, correlationID string) error

// Run requests what the arguments ask for and prints the replies in the order of the requests. subscribe is called
// with each new channel, at the start and after a lost connection; requests without a reply are made again then.
// Run's errors carry the exit status.
func Run(ctx context.Context, broker *conn.Settings, o *Options, args []string, subscribe Subscribe, request Request) error {
	numbers, err := o.numbers(args)
	if err != nil {
		return err
	}
	uuid.EnableRandPool()
	c := &client{
		Options: o, numbers: numbers, subscribe: subscribe, request: request,
		out: show.NewOutput(os.Stdout), open: map[string]*call{}, began: time.Now(),
	}
	life, end := context.WithCancelCause(ctx)
	defer end(nil)
	c.away = time.AfterFunc(time.Hour, func() { end(errLate) })
	c.away.Stop()
	broker.GiveUpAfter(c.timeout)
	err = broker.Keep(life, c.session)
	if flush := c.out.Flush(); err == nil {
		err = flush
	}
	if errors.Is(err, context.Canceled) && context.Cause(life) == errLate {
		return c.late()
	}
	if errors.Is(err, context.Canceled) {
		return &cli.Error{Status: cli.Failed, What: "interrupted", Why: fmt.Sprintf("%d of %d requests were answered", c.printed, c.total())}
	}
	if err == nil && c.failed != nil {
		err = c.failed
	}
	c.summary()
	return err
}

// errLate ends a client whose connection is away for longer than a request may take.
var errLate = errors.New("no reply in time")

// client is one run.
type client struct {
	*Options
	numbers   []int
	subscribe Subscribe
	request   Request
	out       *show.Output
	began     time.Time

	made    int              // requests made so far
	open    map[string]*call // by correlation id: in flight
	queue   []*call          // in the order of the requests: in flight, or answered and not printed yet
	printed int
	failed  error // the first reply that was an error
	latency latencies
	away    *time.Timer // runs while there is no connection and a request is in flight
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
func (c *client) session(ctx context.Context, ch *conn.Channel) error {
	c.away.Stop()
	defer func() {
		if first := c.first(); first != nil {
			c.away.Reset(time.Until(first.deadline))
		}
	}()
	replies, err := c.subscribe(ch)
	if err != nil {
		return err
	}
	ch.Ready()
	returns := ch.NotifyReturn(make(chan amqp.Return, c.concurrency))
	for _, open := range c.queue {
		if open.reply == nil {
			if err := c.request(ctx, ch, open.n, open.id); err != nil {
				return err
			}
		}
	}
	for {
		if err := c.fill(ctx, ch); err != nil {
			return err
		}
		if len(c.open) == 0 {
			return c.out.Flush()
		}
		if err := c.wait(ctx, ch, replies, returns); err != nil {
			return err
		}
	}
}

// fill makes requests until as many are in flight as there may be.
func (c *client) fill(ctx context.Context, ch *conn.Channel) error {
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
		if err := c.request(ctx, ch, n, next.id); err != nil {
			return err
		}
	}
	return nil
}

// wait waits for the next reply. One that is late, comes twice or was never asked for has no open call, and is ignored.
func (c *client) wait(ctx context.Context, ch *conn.Channel, replies <-chan amqp.Delivery, returns <-chan amqp.Return) error {
	if err := c.out.Flush(); err != nil {
		return err
	}
	late := time.NewTimer(time.Until(c.first().deadline))
	defer late.Stop()
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
	case <-returns:
		return &cli.Error{
			Status: cli.Unroutable, What: "request returned", Why: "there is no queue " + c.Queue,
			Hint: "is an rpc_server running? It declares the queue",
		}
	case <-late.C:
		return c.late()
	case <-ch.Closed():
		return ch.Reason()
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// late is the error for the earliest request in flight, which has waited for too long.
func (c *client) late() *cli.Error {
	return &cli.Error{
		Status: cli.TooLate, What: fmt.Sprintf("fib(%d)", c.first().n), Why: "no reply within " + c.timeout.String(),
		Hint: "is an rpc_server running? --timeout waits longer",
	}
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
