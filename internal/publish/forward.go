package publish

import (
	"context"

	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// This file is a message's way: from the source to the tutorial's own send, and, confirmed, to its line of output.

// publishNext publishes one message if that is allowed now: an unconfirmed one of a lost connection, else the
// source's next. Its error is the library's, for a channel that is gone. On trial the first message goes alone, or those
// behind it might be taken before it.
func (p *publisher) publishNext(life context.Context, ch *conn.Channel) (bool, error) {
	u := &p.unconfirmed
	if p.blocked.Load() || p.draining || p.pace.held() || p.trial && u.published > 0 {
		return false, nil
	}
	if u.published < u.n {
		return true, p.publish(life, ch, u.at(u.published))
	}
	if p.stopping() || p.full() || !p.pace.due(p.interval) {
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
	confirm, err := p.send(life, ch, *m)
	if err != nil {
		return err
	}
	m.confirm = confirm
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
		if p.astray() {
			return p.gone()
		}
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
	for taken := false; ; taken = true {
		select {
		case <-p.unconfirmed.next():
			if !taken {
				p.progressed()
			}
			if err := p.confirmation(ch); err != nil {
				return err
			}
		default:
			p.takeReturns()
			return nil
		}
	}
}

// confirmation takes in what the broker has answered to the first message. The library makes a nack of whatever is
// unanswered when a channel closes, and of that the channel's own reason is to be told.
func (p *publisher) confirmation(ch *conn.Channel) error {
	p.takeReturns()
	if !p.unconfirmed.at(0).confirm.Acked() {
		if ch.IsClosed() {
			return ch.Reason()
		}
		return p.refused(ch)
	}
	if p.astray() {
		return p.gone()
	}
	if p.trial {
		p.trial, p.trials = false, 0
		ch.Ready()
	}
	return p.acknowledged()
}

// acknowledged: the broker has the first unconfirmed message. This is where it is reported as sent.
func (p *publisher) acknowledged() error {
	m := p.unconfirmed.pop()
	defer p.source.release(m.number) // once its line is written
	p.draining = p.draining && p.unconfirmed.published > 0
	if m.returned {
		return nil
	}
	p.confirmed++
	p.bar.Set(int64(p.confirmed))
	if p.quiet {
		return nil
	}
	prefix := " [x] Sent "
	if p.DefaultKey != "" {
		prefix += show.Escape(m.RoutingKey) + ":"
	}
	return p.out.Line(prefix, m.Body)
}
