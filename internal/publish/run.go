package publish

import (
	"context"
	"os"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// Send is a tutorial's own publishing: one basic.publish.
type Send func(ctx context.Context, ch *conn.Channel, m Message) error

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
		Options: o, shaper: &shaper{Options: o}, declare: declare, send: send,
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
	err = broker.Keep(life, p.session)
	p.bar.Finish()
	if life.Err() != nil {
		err = context.Cause(life)
	}
	return p.report(err)
}

// publisher is one run.
type publisher struct {
	*Options
	shaper  *shaper
	declare func(*conn.Channel) error
	send    Send
	source  *source
	out     *show.Output
	bar     *show.Progress
	stop    context.Context // done when the user wants the program to end
	began   time.Time

	unconfirmed unconfirmed
	confirms    chan amqp.Confirmation // of the present channel
	returns     chan amqp.Return       // of the present channel
	draining    bool                   // a batch is complete and waits for its confirms
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
	defer p.settle(ch) // what was confirmed before a loss needs no resending
	if err := p.choose(ch); err != nil {
		return err
	}
	if err := p.declare(ch); err != nil || p.declareOnly {
		return err
	}
	var err error
	if p.confirms, p.returns, err = p.ask(ch); err != nil {
		return err
	}
	p.unconfirmed.published, p.draining = 0, false
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

// done says that all has been published that ever will be, and that nothing is unconfirmed.
func (p *publisher) done() bool {
	return p.unconfirmed.n == 0 && (p.source.ended || p.stopping())
}

// stopping says that no further message shall be read.
func (p *publisher) stopping() bool { return p.stop.Err() != nil || p.nacked > 0 || p.failed != nil }

// publishNext publishes one message if that is allowed now: an unconfirmed one of a lost connection, else the
// source's next. Its error is the library's, for a channel that is gone.
func (p *publisher) publishNext(life context.Context, ch *conn.Channel) (bool, error) {
	u := &p.unconfirmed
	if p.blocked.Load() || p.draining || p.pace.held() {
		return false, nil
	}
	if u.published < u.n {
		return true, p.publish(life, ch, u.at(u.published))
	}
	if p.stopping() || p.confirm != none && u.n >= p.limit() || !p.pace.due(p.interval) {
		return false, p.commit(ch) // a transaction doesn't wait for time or input
	}
	m, ok := p.nextMessage()
	if !ok {
		return false, p.commit(ch)
	}
	u.push(m)
	return true, p.publish(life, ch, u.at(u.n-1))
}

// nextMessage makes the source's next text a message, if there is one now. If that fails the source ends here; what
// came before is still confirmed.
func (p *publisher) nextMessage() (Message, bool) {
	body, ok := p.source.next()
	if !ok {
		p.failed = p.source.err
		return Message{}, false
	}
	m, err := p.shaper.message(body, p.source.number)
	p.failed = err
	p.pace.sent(p.interval)
	return m, err == nil
}

// publish hands one message to the tutorial's own send. Without confirms that is all there is to it.
func (p *publisher) publish(life context.Context, ch *conn.Channel, m *Message) error {
	if err := p.send(life, ch, *m); err != nil {
		return err
	}
	p.unconfirmed.published++
	switch {
	case p.confirm == none:
		return p.acknowledged()
	case p.confirm == tx && p.unconfirmed.published >= p.batch:
		return p.commit(ch)
	case p.confirm == batch || p.confirm == individual:
		p.draining = p.unconfirmed.published >= p.limit()
	}
	return nil
}

// commit ends the present transaction, if there is one; the broker has all of its messages then.
func (p *publisher) commit(ch *conn.Channel) error {
	if p.confirm != tx || p.unconfirmed.published == 0 {
		return nil
	}
	if err := ch.TxCommit(); err != nil {
		return err
	}
	p.takeReturns()
	for p.unconfirmed.published > 0 {
		if err := p.acknowledged(); err != nil {
			return err
		}
	}
	return nil
}

// settle takes in what the broker has said, without waiting. A message that could not be routed is returned before it
// is confirmed (https://www.rabbitmq.com/docs/publishers#unroutable), so returns come first.
func (p *publisher) settle(ch *conn.Channel) error {
	for len(ch.Blocked()) > 0 {
		p.flowControl(<-ch.Blocked())
	}
	if len(p.confirms) > 0 {
		p.progressed()
	}
	for len(p.confirms) > 0 {
		if err := p.confirmation(<-p.confirms); err != nil {
			return err
		}
	}
	p.takeReturns()
	return nil
}

func (p *publisher) confirmation(c amqp.Confirmation) error {
	p.takeReturns()
	if p.unconfirmed.published == 0 {
		return nil // the channel has closed
	}
	if !c.Ack {
		p.refused()
		return nil
	}
	return p.acknowledged()
}

// acknowledged: the broker has the first unconfirmed message. This is where it is reported as sent.
func (p *publisher) acknowledged() error {
	m := p.unconfirmed.pop()
	p.draining = p.draining && p.unconfirmed.published > 0
	if m.returned {
		return nil
	}
	p.confirmed++
	p.bar.Set(int64(p.confirmed))
	if p.quiet {
		return nil
	}
	if p.DefaultKey != "" {
		return p.out.Printf(" [x] Sent %s:%s\n", show.Escape(m.RoutingKey), show.Escape(string(m.Body)))
	}
	return p.out.Printf(" [x] Sent %s\n", show.Escape(string(m.Body)))
}

// wait waits for whatever comes next: confirms, returns, input, the next message's time, the end.
func (p *publisher) wait(life context.Context, ch *conn.Channel) error {
	if err := p.out.Flush(); err != nil {
		return err
	}
	var input <-chan block
	var stop <-chan struct{}
	if !p.stopping() {
		stop = p.stop.Done()
		if p.unconfirmed.n < max(p.limit(), 1) {
			input = p.source.waiting()
		}
	}
	defer p.attend(p.unconfirmed.n == 0)()
	select {
	case c, ok := <-p.confirms:
		if !ok {
			return ch.Reason()
		}
		p.progressed()
		return p.confirmation(c)
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
