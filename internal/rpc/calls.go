package rpc

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// This file is a call's way: the request goes out, the reply comes back and is printed when it has its turn.

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
