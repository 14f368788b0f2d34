package consume

import (
	"context"
	"errors"
	"os"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// Declare is a tutorial's own way to what it consumes from: it declares and binds, and returns the queue's name.
type Declare func(ch *conn.Channel) (queue string, err error)

// Subscribe is a tutorial's own basic.qos and basic.consume.
type Subscribe func(ch *conn.Channel, queue string, ask Ask) (<-chan amqp.Delivery, error)

// Work is what a tutorial does with one message. Its last call is the delivery's Ack or Reject.
type Work func(s *Session, d amqp.Delivery) error

// Ask is what a session asks the broker for.
type Ask struct {
	Prefetch  int  // how many deliveries may be unacknowledged at once
	AutoAck   bool // the broker forgets a message as soon as it has sent it (no-ack)
	Arguments amqp.Table
}

// Why a consumer stops without anything having gone wrong.
var (
	errCount     = errors.New("all messages taken that were asked for")
	errEmpty     = errors.New("the queue is empty")
	errIdle      = errors.New("nothing came")
	errTimeout   = errors.New("time is up")
	errCancelled = errors.New("cancelled by the broker")
)

// Run consumes until the user, an option or the broker ends it. declare and subscribe are called with each new channel, at
// the start and after a lost connection, and work with each delivery. Run's errors carry the exit status.
func Run(ctx context.Context, broker *conn.Settings, o *Options, declare Declare, subscribe Subscribe, work Work) error {
	r := &run{
		Options: o, declare: declare, subscribe: subscribe, work: work, out: show.NewOutput(os.Stdout),
		hurry: cli.Hurry(ctx), crashed: make(chan struct{}), began: time.Now(),
	}
	r.guard = conn.NewGuard(ctx, r.out)
	defer r.guard.Close()
	r.guard.Goodbye = goodbye
	defer context.AfterFunc(ctx, func() { r.guard.End(conn.ErrStopped) })()
	if o.timeout > 0 {
		defer time.AfterFunc(o.timeout, func() { r.guard.End(errTimeout) }).Stop()
	}
	if o.checkNumbers {
		r.numbers = &numbers{}
	}
	r.startIdle()
	_, r.stream = o.Arguments.Fields[streamOffset]
	total := int64(-1)
	if o.count > 0 {
		total = int64(o.count)
	}
	r.bar = cli.NewProgress(total, !o.quiet)
	kept := make(chan error, 1)
	go func() { kept <- broker.Keep(r.guard, r.session) }()
	select {
	case err := <-kept:
		r.bar.Finish()
		return r.report(r.result(err))
	case <-r.crashed:
		return r.crash()
	}
}

// goodbye is how long the broker has to answer connection.close, which is the only proof that it knows of the last
// acknowledgements. A signal does not wait so long.
const goodbye = 10 * time.Second

// run is one run.
type run struct {
	*Options
	declare   Declare
	subscribe Subscribe
	work      Work
	guard     *conn.Guard
	hurry     context.Context
	out       *show.Output
	began     time.Time

	queue    string // what is consumed from
	taken    int    // deliveries acknowledged or rejected in earlier sessions
	unproven int    // of the last session: how many the broker may not know of
	idle     *time.Timer
	resting  bool // idle runs
	ready    bool // the banner has been shown
	bar      *cli.Progress
	first    time.Time // when the first message came
	last     time.Time // since when nothing has come; zero: something is at hand
	numbers  *numbers  // of --check-numbers, else nil
	stream   bool      // the queue is a stream: its messages stay when they are acknowledged

	crashed chan struct{} // closed when the crash is due that was asked for
	lost    int           // with --auto-ack: so many messages are lost with the last session
}

// streamOffset is the argument and header that only streams have (https://www.rabbitmq.com/docs/streams#consuming).
const streamOffset = "x-stream-offset"

// session consumes on one channel. Its error says why it ended, in any case.
func (r *run) session(ch *conn.Channel) (err error) {
	if r.queue, err = r.declare(ch); err != nil || r.declareOnly {
		return err
	}
	s, err := r.newSession(ch)
	if err != nil {
		return err
	}
	ask := r.ask()
	deliveries, err := r.subscribe(ch, r.queue, ask)
	if err != nil {
		return err
	}
	ch.Ready()
	if r.guard.Life().Err() == nil { // else its time is up, and there is nothing to announce
		if err := r.announce(); err != nil {
			return err
		}
	}
	defer r.rest()
	err = s.take(deliveries)
	r.taken += s.acks.sent
	r.unproven = min(s.acks.unproven, ask.Prefetch) // the broker has sent no more than that without knowing of the others
	if ask.AutoAck {
		r.tellLost(ch.Delivered() - s.acks.sent)
	}
	return err
}

// tellLost tells how many messages are lost with a session that the broker has not asked to acknowledge any: those that
// have come and were not worked on.
func (r *run) tellLost(n int) {
	if r.lost = n; n > 0 {
		cli.Say("note: the broker had sent %d messages more and has forgotten them (--auto-ack): they are lost", n)
	}
}

// ask is what to ask the broker for. With --count the prefetch is small enough that the broker never sends more than
// what is left: all but the last so many messages are acknowledged as they are done, and these at the end, when the
// consumer has been cancelled. A tenth of what is left keeps both the waiting and that rest short. The broker's own
// automatic acknowledgement knows no limit: with --count the program acknowledges each message itself before it looks at
// it, which comes to the same.
func (r *run) ask() Ask {
	left := r.count - r.taken
	ask := Ask{Prefetch: r.Prefetch, AutoAck: r.AutoAck && r.count == 0, Arguments: r.Arguments.Fields}
	switch {
	case r.crashing:
		ask.Prefetch = 1
	case r.count == 0:
	case r.Requeue && !r.failures():
		ask.Prefetch = min(left, maxPrefetch) // a message put back before the end would be taken again
	default:
		ask.Prefetch = min(r.Prefetch, max((left+9)/10, min(left, r.Concurrency), 1))
	}
	return ask
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
	_, err := ch.QueueDeclarePassive(r.queue, false, false, false, false, nil)
	if err == nil {
		return &conn.LostError{Why: "the broker has cancelled the consumer"}
	}
	if e := ch.Refusal(err); e == nil || e.Code != amqp.NotFound {
		return err
	}
	return &cli.Error{
		Status: cli.Failed, What: "cancelled by the broker", Why: "queue " + r.queue + " was deleted",
	}
}

// startIdle lets the run end when nothing has come for so long, counted from the start of the program.
func (r *run) startIdle() {
	r.idle = time.AfterFunc(time.Hour, func() { r.guard.End(errIdle) })
	r.idle.Stop()
	r.rest()
}

// rest begins a time in which nothing comes, unless there is one.
func (r *run) rest() {
	if r.last.IsZero() {
		r.last = time.Now()
	}
	if r.idleTimeout > 0 && !r.resting {
		r.resting = true
		r.idle.Reset(r.idleTimeout)
	}
}

// wake ends it.
func (r *run) wake() {
	if r.first.IsZero() {
		r.first = time.Now()
	}
	r.last = time.Time{}
	if r.resting {
		r.resting = false
		r.idle.Stop()
	}
}
