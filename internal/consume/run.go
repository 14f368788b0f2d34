package consume

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	ch.Ready()
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
