package consume

import (
	"context"
	"sync"
	"sync/atomic"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/conn"
)

// crew does the work on one channel's deliveries: in the caller's own goroutine, or in as many as --concurrency says.
type crew struct {
	run    *run
	ch     *conn.Channel
	taken  int           // deliveries handed out
	places chan struct{} // nil without concurrency; one place for each delivery being worked on
	busy   sync.WaitGroup
	failed chan error // the first error
	count  atomic.Int64
}

func newCrew(r *run, ch *conn.Channel) *crew {
	c := &crew{run: r, ch: ch, failed: make(chan error, 1)}
	if r.Concurrency > 1 {
		c.places = make(chan struct{}, r.Concurrency)
	}
	return c
}

// do works on a delivery, or gives it to a goroutine as soon as there is a place for one.
func (c *crew) do(d amqp.Delivery) error {
	c.taken++
	if c.places == nil {
		return c.run.work(context.WithoutCancel(c.run.life), c.ch, d)
	}
	select {
	case err := <-c.failed:
		return err
	case c.places <- struct{}{}:
	}
	c.count.Add(1)
	c.busy.Go(func() {
		defer func() { c.count.Add(-1); <-c.places }()
		if err := c.run.work(context.WithoutCancel(c.run.life), c.ch, d); err != nil {
			select {
			case c.failed <- err:
			default:
			}
		}
	})
	return nil
}

// idle says that nothing is being worked on.
func (c *crew) idle() bool { return c.count.Load() == 0 }

// wait waits until all work is done.
func (c *crew) wait() error {
	c.busy.Wait()
	select {
	case err := <-c.failed:
		return err
	default:
		return nil
	}
}
