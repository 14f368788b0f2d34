package publish

import (
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// This file is a message's way: from the source to the tutorial's own send, and, confirmed, to its line of output.

// publishNext publishes one message if that is allowed now: an unconfirmed one of a lost connection, else the
// source's next. Its error is the library's, for a channel that is gone. On trial the first message goes alone, or those
// behind it might be taken before it. What the broker does not read waits in the write.
func (p *publisher) publishNext(ch *conn.Channel) (bool, error) {
	u := &p.unconfirmed
	if p.draining || p.pace.held() || p.trial && u.published > 0 {
		return false, nil
	}
	if u.published < u.n {
		return true, p.publish(ch, u.at(u.published))
	}
	if p.stopping() || p.full() || !p.pace.due(p.interval) {
		return false, p.commit(ch) // a transaction doesn't wait for time or input
	}
	m, ok := p.nextMessage()
	if !ok {
		return false, p.commit(ch)
	}
	u.push(m)
	return true, p.publish(ch, u.at(u.n-1))
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
	if err != nil {
		p.failed = err
		p.source.number-- // it is none of those that have been taken
		return m, false
	}
	p.pace.sent(p.interval)
	return m, true
}

// publish hands one message to the tutorial's own send, with the present channel's route.
func (p *publisher) publish(ch *conn.Channel, kept *Message) error {
	m := *kept
	m.Exchange, m.Mandatory = p.route.Exchange, p.mandatory || p.resends()
	if m.RoutingKey == "" {
		m.RoutingKey = p.route.RoutingKey
	}
	confirm, err := p.send(p.guard.Life(), ch, m)
	if err != nil {
		return err
	}
	kept.confirm = confirm
	p.unconfirmed.published++
	return p.sent(ch)
}

// sent does what the strategy wants once a message is on its way. Without confirms that is all there is to it, unless the
// user wants to know which message reaches no queue.
func (p *publisher) sent(ch *conn.Channel) error {
	switch {
	case p.strategy == none && !p.mandatory:
		if err := p.follow(ch); err != nil {
			return err
		}
		return p.acknowledged()
	case p.committed() && p.unconfirmed.published >= p.batch:
		return p.commit(ch)
	case p.strategy == batch || p.strategy == individual:
		p.draining = p.unconfirmed.published >= p.limit()
	}
	return nil
}

// committed says that the broker is asked from time to time whether it has all messages: by tx.commit, or without
// confirms by any other question, whose answer comes after every message that was returned.
func (p *publisher) committed() bool { return p.strategy == tx || p.strategy == none && p.mandatory }

// commit asks for the answer that stands for all messages that are on their way, if there are any.
func (p *publisher) commit(ch *conn.Channel) error {
	if !p.committed() || p.unconfirmed.published == 0 {
		return nil
	}
	var err error
	if p.strategy == tx {
		err = ch.TxCommit()
	} else {
		err = question(ch)
	}
	if err != nil {
		return err
	}
	p.takeReturns(ch)
	for p.unconfirmed.published > 0 {
		if p.cameBack() {
			return p.queueIsGone()
		}
		if err := p.acknowledged(); err != nil {
			return err
		}
	}
	return nil
}

// question asks the broker something that changes nothing. On a channel it answers in turn, so the answer says that it has
// dealt with all that came before.
func question(ch *conn.Channel) error { return ch.Qos(0, 0, false) }

// So much is published without confirms before the broker is asked whether it follows.
const (
	lead      = 2000
	leadBytes = 2 << 20
)

// follow sees to it that the broker is never far behind a publisher without confirms. Else megabytes wait in the buffers
// between the two: at the end a broker that works its way through them looks like one that has stopped, and what is cut off
// then is lost. The price is one round trip for so many messages.
func (p *publisher) follow(ch *conn.Channel) error {
	p.ahead++
	p.aheadBytes += p.unconfirmed.bytes
	if p.ahead < lead && p.aheadBytes < leadBytes {
		return nil
	}
	p.ahead, p.aheadBytes = 0, 0
	return question(ch)
}

// settle takes in what the broker has said, without waiting. A message that could not be routed comes back before it
// is confirmed, so that those which have come back are asked for when the confirms are there.
func (p *publisher) settle(ch *conn.Channel) error {
	for {
		answered := p.unconfirmed.answered()
		if answered == 0 {
			return nil
		}
		p.takeReturns(ch)
		for range answered {
			if err := p.confirmation(ch); err != nil {
				return err
			}
		}
	}
}

// confirmation takes in what the broker has answered to the first message. The library makes a nack of whatever is
// unanswered when a channel closes, and of that the channel's own reason is to be told.
func (p *publisher) confirmation(ch *conn.Channel) error {
	if !p.unconfirmed.at(0).confirm.Acked() {
		if ch.IsClosed() {
			return ch.Reason()
		}
		return p.refused(ch)
	}
	if p.cameBack() {
		return p.queueIsGone()
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
