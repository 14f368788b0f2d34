package publish

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// Route is where a program's messages go: the exchange, and the routing key of those that carry none of their own.
type Route struct{ Exchange, RoutingKey string }

// Declare is a tutorial's own way to what its messages need on the broker.
type Declare func(ch *conn.Channel) (Route, error)

// Send is a tutorial's own publishing: one basic.publish. It returns where the library will put the broker's confirm,
// which is nil on a channel that isn't in confirm mode.
type Send func(ctx context.Context, ch *conn.Channel, m Message) (*amqp.DeferredConfirmation, error)

// Run publishes what the arguments and options ask for. declare is called with each new channel, at the start and
// after a lost connection, and send for each message. Messages are kept until the broker has confirmed them; those
// that it has not are published again, in order, after a reconnect, with the ids they had. Only then are they
// reported as sent. Run's errors carry the exit status.
func Run(ctx context.Context, broker *conn.Settings, o *Options, args []string, declare Declare, send Send) error {
	key, text, err := o.arguments(args)
	if err != nil {
		return err
	}
	uuid.EnableRandPool()
	shaper := &shaper{Options: o, key: key, shared: o.properties(), bare: o.confirm == none && !o.mandatory}
	if o.template && !o.fromInput() {
		if _, err := shaper.expand(text, 1); err != nil {
			return err // before anything is sent
		}
	}
	p := &publisher{
		Options: o, strategy: o.confirm, shaper: shaper, declare: declare, send: send, began: time.Now(),
		source: o.newSource(text, os.Stdin), out: show.NewOutput(os.Stdout), cluster: broker.Cluster(),
	}
	p.bar = cli.NewProgress(int64(p.source.left), !o.quiet)
	p.guard = conn.NewGuard(ctx, p.out)
	defer p.guard.Close()
	p.guard.Due, p.guard.Patience, p.guard.GaveUp, p.guard.Draining = p.due, o.timeout, errNoProgress, true
	err = broker.Keep(p.guard, p.session)
	p.bar.Finish()
	return p.report(p.reason(err))
}

// errNoProgress is why a publisher gives up.
var errNoProgress = errors.New("nothing confirmed in time")

// reason prefers, to what a call of the library's said when everything was cut off, why it was.
func (p *publisher) reason(err error) error {
	var refused *cli.Error
	life := p.guard.Life()
	if err == nil || life.Err() == nil || errors.As(err, &refused) || errors.Is(err, show.ErrClosedPipe) {
		return err
	}
	return context.Cause(life)
}

// publisher is one run.
type publisher struct {
	*Options
	strategy mode // of --confirm, as far as the broker knows it
	cluster  bool
	shaper   *shaper
	declare  Declare
	send     Send
	source   *source
	out      *show.Output
	bar      *cli.Progress
	guard    *conn.Guard
	began    time.Time

	route       Route
	unconfirmed unconfirmed
	idle        atomic.Bool // nothing is unconfirmed, and the next message is not there yet
	draining    bool        // a batch is complete and waits for its confirms
	trial       bool        // the present channel stands for a lost one, and nothing is confirmed on it yet
	trials      int         // how many such channels in a row the broker has refused a message on
	pace        pace
	confirmed   int
	returned    int
	nacked      int    // number of the first message that the broker refused for good
	failed      error  // what ended the source before its time
	why         string // why the latest message was returned
}

// due says whether this publisher waits for the broker.
func (p *publisher) due() bool { return !p.idle.Load() || p.source.offered.Load() > 0 }

// session publishes on one channel until there is nothing more to publish and everything is confirmed. It is one
// loop in one goroutine: take in what the broker has confirmed, publish the next message, and wait only if there is
// nothing else to do.
func (p *publisher) session(ch *conn.Channel) error {
	p.idle.Store(false)
	defer p.leave(ch)
	if err := p.choose(ch); err != nil {
		return err
	}
	if err := p.prepare(ch); err != nil || p.declareOnly {
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
		published, err := p.publishNext(ch)
		if err == nil && !published {
			if p.done() {
				return p.finish(ch)
			}
			err = p.wait(ch)
		}
		if err != nil {
			return err
		}
	}
}

// prepare sees to it that what the messages need is there. An exchange of --exchange is there already; its own bindings
// decide which queues get the messages.
func (p *publisher) prepare(ch *conn.Channel) (err error) {
	if p.exchange != "" {
		p.route = Route{Exchange: p.exchange}
		return nil
	}
	p.route, err = p.declare(ch)
	return err
}

// begin prepares for what is published again on a new channel. Where there is something, the first confirm tells that
// the connection is of use.
func (p *publisher) begin(ch *conn.Channel) {
	p.unconfirmed.published, p.draining = 0, false
	if again := p.unconfirmed.unreturn(); p.mandatory {
		p.returned -= again // they may be returned again
	}
	p.trial = ch.Again() && p.strategy != tx && p.strategy != none
	if !p.trial || p.unconfirmed.n == 0 {
		ch.Ready()
	}
	if ch.Again() && p.strategy == none {
		cli.Say("without confirms nobody knows which of the messages that were on their way are lost")
	}
}

// leave takes in what was confirmed before the session ended, which needs no resending, and prints it.
func (p *publisher) leave(ch *conn.Channel) {
	_ = p.settle(ch) // that the channel has ended is the session's error already
	p.out.Flush()    // its error comes again with the next line
	p.idle.Store(p.unconfirmed.n == 0 && !p.source.has())
}

// done says that all has been published that ever will be, and that nothing is unconfirmed.
func (p *publisher) done() bool {
	return p.unconfirmed.n == 0 && (p.source.ended || p.stopping())
}

// stopping says that no further message shall be read.
func (p *publisher) stopping() bool {
	return p.guard.Stop().Err() != nil || p.nacked > 0 || p.failed != nil
}

// wait waits for whatever comes next: confirms, returns, input, the next message's time, the end.
func (p *publisher) wait(ch *conn.Channel) error {
	if err := p.out.Flush(); err != nil {
		return err
	}
	var input <-chan block
	var stop <-chan struct{}
	if !p.stopping() {
		stop = p.guard.Stop().Done()
		if !p.full() {
			input = p.source.waiting()
		}
	}
	if p.unconfirmed.n == 0 {
		p.idle.Store(true)
		defer p.idle.Store(false)
	}
	select {
	case <-p.unconfirmed.next(): // settle takes it in
	case <-ch.Returned():
		p.takeReturns(ch)
	case b, ok := <-input:
		p.source.add(b, ok)
	case <-ch.Closed():
		return ch.Reason()
	case <-p.out.Closed():
		return show.ErrClosedPipe
	case <-p.pace.next():
	case <-stop:
	case <-p.guard.Life().Done():
		return context.Cause(p.guard.Life())
	}
	return nil
}
