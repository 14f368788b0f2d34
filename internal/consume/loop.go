package consume

import (
	"context"
	"errors"
	"runtime"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// take takes deliveries until there is a reason not to, and settles them all.
func (r *run) take(ch *conn.Channel, deliveries <-chan amqp.Delivery) error {
	crew := newCrew(r, ch)
	why := r.loop(ch, deliveries, crew)
	switch why {
	case errStopped, errCount, errEmpty, errIdle, errTimeout:
		// What the broker has sent beyond this goes back to the queue with the end of the connection.
		if err := ch.Cancel(r.ConsumerTag(), false); err != nil {
			why = err
		}
		// Without acknowledgements it does not: what has been sent is to be worked on, or it is lost.
		for r.NoAck() {
			d, ok := <-deliveries
			if !ok {
				break
			}
			if err := crew.do(d); err != nil {
				return err
			}
		}
	}
	if err := crew.wait(); err != nil {
		return err
	}
	if err := r.settle.rest(); err != nil {
		return err
	}
	if errors.Is(why, errCancelled) {
		return r.explainCancel(ch)
	}
	return why
}

// Pauses of the loop while nothing comes.
const (
	linger = time.Millisecond      // until what is done is acknowledged: the library hands deliveries over one by one
	look   = 10 * time.Millisecond // between two looks whether the queue is empty
	looks  = 50                    // without a message, after which a queue is empty whatever the broker says of it
)

// loop hands out deliveries. Before it waits, what has been printed is flushed and what is done is acknowledged.
//
// A queue is empty when the broker counts no messages in it, but one consumer at least, which is this one. RabbitMQ
// says 0 and 0 of a quorum queue whose leader does not answer at once, and of no stream that it has a consumer.
func (r *run) loop(ch *conn.Channel, deliveries <-chan amqp.Delivery, crew *crew) error {
	empty := false // the broker has nothing more, but the library may
	looked := 0    // since the last message
	for r.count == 0 || crew.taken < r.count-r.taken {
		d, ok, came, err := r.next(deliveries)
		if err == nil && !came {
			d, ok, came, err = r.wait(deliveries, crew)
		}
		switch {
		case err != nil:
			return err
		case came:
			empty, looked = false, 0
			err = r.delivered(ch, crew, d, ok)
		case empty: // and nothing has come since
			return errEmpty
		case crew.idle():
			var q amqp.Queue
			q, err = ch.QueueDeclarePassive(r.Queue, false, false, false, false, nil)
			looked++
			counted := q.Messages == 0 && q.Consumers > 0 && !r.settle.returning()
			empty = counted || looked > looks && (q.Messages == 0 || r.stream)
		}
		if err != nil {
			return err
		}
	}
	return errCount
}

// next returns a delivery that is there already or comes within a moment.
func (r *run) next(deliveries <-chan amqp.Delivery) (d amqp.Delivery, ok, came bool, err error) {
	if r.life.Err() != nil {
		return d, false, false, context.Cause(r.life)
	}
	for range 2 {
		select {
		case d, ok = <-deliveries:
			return d, ok, true, nil
		default:
			runtime.Gosched() // to the library's goroutine, which may be about to hand one over
		}
	}
	if !r.settle.waits() {
		return d, false, false, nil
	}
	r.linger.Reset(linger)
	defer r.linger.Stop()
	select {
	case d, ok = <-deliveries:
		return d, ok, true, nil
	case <-r.linger.C:
		return d, false, false, nil
	}
}

// wait flushes and acknowledges, and waits for the next delivery, for the end, or with --until-empty for the time to
// look whether the queue is empty.
func (r *run) wait(deliveries <-chan amqp.Delivery, crew *crew) (d amqp.Delivery, ok, came bool, err error) {
	if err := r.settle.flush(); err != nil {
		return d, false, false, err
	}
	if r.idleTimeout > 0 {
		r.idle.Reset(r.idleTimeout)
	}
	for {
		var again <-chan time.Time
		if r.untilEmpty {
			again = time.After(look)
		}
		select {
		case d, ok = <-deliveries:
			return d, ok, true, nil
		case err := <-crew.failed:
			return d, false, false, err
		case <-r.out.Closed():
			return d, false, false, show.ErrClosedPipe
		case <-r.life.Done():
			return d, false, false, context.Cause(r.life)
		case <-again:
			if crew.idle() {
				return d, false, false, nil
			}
		}
	}
}

// delivered passes a delivery on. A channel of deliveries that is closed while the AMQP channel is open means that
// the broker has cancelled the consumer.
func (r *run) delivered(ch *conn.Channel, crew *crew, d amqp.Delivery, ok bool) error {
	if !ok {
		if !ch.IsClosed() {
			return errCancelled
		}
		return ch.Reason()
	}
	r.idle.Stop()
	if _, offset := d.Headers[streamOffset]; offset {
		r.stream = true
	}
	r.bar.Set(int64(r.taken + crew.taken))
	if r.autoAck && r.count > 0 {
		if err := r.settle.done(d.DeliveryTag, acknowledge); err != nil {
			return err
		}
	}
	return crew.do(d)
}
