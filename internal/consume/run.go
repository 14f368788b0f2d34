package consume

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// Subscribe is a tutorial's own way to its messages: declare, bind, set the prefetch, consume. It is called with each
// new channel: at the start, and after a lost connection. A nil channel of deliveries means --declare-only.
type Subscribe func(ch *conn.Channel) (<-chan amqp.Delivery, error)

// Work is what a tutorial does with one message. It calls Acknowledge last.
type Work func(ctx context.Context, ch *conn.Channel, d amqp.Delivery) error

// Why a consumer stops without anything having gone wrong.
var (
	errStopped   = errors.New("stopped")
	errCount     = errors.New("all messages taken that were asked for")
	errEmpty     = errors.New("the queue is empty")
	errIdle      = errors.New("nothing came")
	errTimeout   = errors.New("time is up")
	errCancelled = errors.New("cancelled by the broker")
)

// Run consumes until the user, an option or the broker ends it. Its errors carry the exit status.
func Run(ctx context.Context, broker *conn.Settings, o *Options, subscribe Subscribe, work Work) error {
	o.out = show.NewOutput(os.Stdout)
	life, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	defer context.AfterFunc(ctx, func() { end(errStopped) })()
	if o.timeout > 0 {
		defer time.AfterFunc(o.timeout, func() { end(errTimeout) }).Stop()
	}
	r := &run{Options: o, subscribe: subscribe, work: work, life: life}
	r.idle = time.AfterFunc(time.Hour, func() { end(errIdle) })
	r.idle.Stop()
	r.linger = time.NewTimer(time.Hour)
	_, r.stream = o.Arguments.Fields[streamOffset]
	total := int64(-1)
	if o.count > 0 {
		total = int64(o.count)
	}
	r.bar = show.NewProgress(total, !o.quiet)
	err := broker.Keep(life, r.session)
	r.bar.Finish()
	if errors.Is(err, context.Canceled) {
		err = context.Cause(life) // while there was no connection
	}
	return r.result(err)
}

// run is one run.
type run struct {
	*Options
	subscribe Subscribe
	work      Work
	life      context.Context // done, with the reason as its cause, when no more deliveries shall be taken
	idle      *time.Timer     // ends life; runs while nothing comes
	linger    *time.Timer
	ready     bool // the banner has been shown
	bar       *show.Progress
	stream    bool // the queue is a stream: its messages stay when they are acknowledged
}

// streamOffset is the argument and header that only streams have (https://www.rabbitmq.com/docs/streams#consuming).
const streamOffset = "x-stream-offset"

// session consumes on one channel. Its error says why it ended, in any case.
func (r *run) session(_ context.Context, ch *conn.Channel) error {
	deliveries, err := r.subscribe(ch)
	if err != nil || deliveries == nil {
		return err
	}
	r.settle = newSettlement(r.life, r.Options, ch)
	if err := r.announce(); err != nil {
		return err
	}
	err = r.take(ch, deliveries)
	r.taken += r.settle.sent
	return err
}

// announce tells once, the user and a script, that the broker has confirmed the consumer.
func (r *run) announce() error {
	if r.ready {
		return nil
	}
	r.ready = true
	cli.Banner(r.Waiting)
	if r.readyFile == "" {
		return nil
	}
	if err := os.WriteFile(r.readyFile, nil, 0o666); err != nil {
		return &cli.Error{Status: cli.Failed, What: "--ready-file", Why: err.Error()}
	}
	return nil
}

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
	looks  = 50                    // without a message, after which a stream, which never is empty, has come to its end
)

// loop hands out deliveries. Before it waits, what has been printed is flushed and what is done is acknowledged.
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
			empty = q.Messages == 0 || r.stream && looked > looks
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

// explainCancel finds out why the broker has cancelled the consumer (https://www.rabbitmq.com/docs/consumer-cancel):
// because the queue was deleted, or because its node went away, which is a lost connection to this program.
func (r *run) explainCancel(ch *conn.Channel) error {
	_, err := ch.QueueDeclarePassive(r.Queue, false, false, false, false, nil)
	if err == nil {
		return &conn.LostError{Why: "the broker has cancelled the consumer"}
	}
	if e := ch.Refusal(err); e == nil || e.Code != amqp.NotFound {
		return err
	}
	return &cli.Error{
		Status: cli.Failed, What: "cancelled by the broker", Why: "queue " + r.Queue + " was deleted",
	}
}

// result turns the end of a run into its error: too little in too short a time is one, being stopped is none.
func (r *run) result(err error) error {
	var lost *conn.LostError
	if errors.As(err, &lost) {
		return &cli.Error{Status: cli.Failed, What: "connection lost while stopping", Why: lost.Why}
	}
	switch err {
	case nil, errStopped, errCount:
		return nil
	case errEmpty, errIdle, errTimeout:
		short := r.count > 0 && r.taken < r.count
		if !short && (r.taken > 0 || r.untilEmpty) {
			return nil
		}
		e := &cli.Error{Status: cli.TooLate, What: "no message came", Why: err.Error()}
		if short {
			e.What = fmt.Sprintf("%d of %d messages came", r.taken, r.count)
		}
		switch err {
		case errIdle:
			e.Why = "nothing came for " + r.idleTimeout.String()
		case errTimeout:
			e.Why = "time is up after " + r.timeout.String()
		}
		return e
	}
	return err
}
