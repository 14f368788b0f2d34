package publish

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// Send is a tutorial's own publishing: one basic.publish. It returns where the library will put the broker's confirm,
// which is nil on a channel that isn't in confirm mode.
type Send func(ctx context.Context, ch *conn.Channel, m Message) (*amqp.DeferredConfirmation, error)

// Run publishes what the arguments and options ask for. declare is called with each new channel, at the start and
// after a lost connection, and send for each message. Messages are kept until the broker has confirmed them; those
// that it has not are published again, in order, after a reconnect, with the ids they had. Only then are they
// reported as sent. Run's errors carry the exit status.
func Run(ctx context.Context, broker *conn.Settings, o *Options, args []string, declare func(*conn.Channel) error, send Send) error {
	text, err := o.text(args)
	if err != nil {
		return err
	}
	uuid.EnableRandPool()
	p := &publisher{
		Options: o, cluster: broker.Cluster(), shaper: &shaper{Options: o, shared: o.properties()}, declare: declare, send: send,
		source: o.newSource(text, os.Stdin), out: show.NewOutput(os.Stdout), stop: ctx, began: time.Now(),
	}
	p.bar = show.NewProgress(int64(p.source.left), !o.quiet)
	if o.template && !o.fromInput() {
		if _, err := p.shaper.expand(text, 1); err != nil {
			return err // before anything is sent
		}
	}
	life, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	go p.watch(life, end)
	broker.GiveUpAfter(p.timeout)
	err = broker.Keep(life, p.session)
	p.bar.Finish()
	if life.Err() != nil && !errors.Is(err, show.ErrClosedPipe) {
		err = context.Cause(life)
	}
	return p.report(err)
}

// publisher is one run.
type publisher struct {
	*Options
	cluster bool
	shaper  *shaper
	declare func(*conn.Channel) error
	send    Send
	source  *source
	out     *show.Output
	bar     *show.Progress
	stop    context.Context // done when the user wants the program to end
	began   time.Time

	unconfirmed unconfirmed
	returns     chan amqp.Return // of the present channel
	draining    bool             // a batch is complete and waits for its confirms
	trial       bool             // the present channel stands for a lost one, and nothing is confirmed on it yet
	trials      int              // how many such channels in a row the broker has refused a message on
	pace        pace
	confirmed   int
	returned    int
	nacked      int    // number of the first message that the broker refused for good
	failed      error  // what ended the source before its time
	why         string // why the latest message was returned

	watched
}

// session publishes on one channel until there is nothing more to publish and everything is confirmed. It is one
// loop in one goroutine: take in what the broker has confirmed, publish the next message, and wait only if there is
// nothing else to do.
func (p *publisher) session(life context.Context, ch *conn.Channel) error {
	p.connected(ch)
	defer p.disconnected()
	defer p.leave(ch)
	if err := p.choose(ch); err != nil {
		return err
	}
	if err := p.declare(ch); err != nil || p.declareOnly {
		return err
	}
	if err := p.ask(ch); err != nil {
		return err
	}
	p.begin(ch)
	for {
		if err := p.settle(ch); err != nil {
			return err
		}
		published, err := p.publishNext(life, ch)
		if err == nil && !published {
			if p.done() {
				return p.finish(ch)
			}
			err = p.wait(life, ch)
		}
		if err != nil {
			return err
		}
	}
}

// begin prepares for what is published again on a new channel. Where there is something, the first confirm tells that
// the connection is of use.
func (p *publisher) begin(ch *conn.Channel) {
	p.unconfirmed.published, p.draining = 0, false
	if again := p.unconfirmed.unreturn(); p.mandatory {
		p.returned -= again // they may be returned again
	}
	p.trial = ch.Again() && p.confirm != tx && p.confirm != none
	if !p.trial || p.unconfirmed.n == 0 {
		ch.Ready()
	}
	if ch.Again() && p.confirm == none {
		cli.Say("without confirms nobody knows which of the messages that were on their way are lost")
	}
}

// leave takes in what was confirmed before the session ended, which needs no resending, and prints it.
func (p *publisher) leave(ch *conn.Channel) {
	_ = p.settle(ch) // that the channel has ended is the session's error already
	p.out.Flush()    // its error comes again with the next line
}

// done says that all has been published that ever will be, and that nothing is unconfirmed.
func (p *publisher) done() bool {
	return p.unconfirmed.n == 0 && (p.source.ended || p.stopping())
}

// stopping says that no further message shall be read.
func (p *publisher) stopping() bool { return p.stop.Err() != nil || p.nacked > 0 || p.failed != nil }

// wait waits for whatever comes next: confirms, returns, input, the next message's time, the end.
func (p *publisher) wait(life context.Context, ch *conn.Channel) error {
	if err := p.out.Flush(); err != nil {
		return err
	}
	var input <-chan block
	var stop <-chan struct{}
	if !p.stopping() {
		stop = p.stop.Done()
		if !p.full() {
			input = p.source.waiting()
		}
	}
	defer p.attend(p.unconfirmed.n == 0)()
	select {
	case <-p.unconfirmed.next():
		p.progressed()
		return p.confirmation(ch)
	case r, ok := <-p.returns:
		if !ok {
			return ch.Reason()
		}
		p.unroutable(r)
	case b, ok := <-input:
		p.source.add(b, ok)
	case b, ok := <-ch.Blocked():
		if ok {
			p.flowControl(b)
		}
	case <-ch.Closed():
		return ch.Reason()
	case <-p.out.Closed():
		return show.ErrClosedPipe
	case <-p.pace.next():
	case <-stop:
	case <-life.Done():
		return context.Cause(life)
	}
	return nil
}
