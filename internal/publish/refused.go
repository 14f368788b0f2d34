package publish

import (
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
)

// This file is about messages that the broker does not take: returned because they reach no queue, or nacked.

// takeReturns takes in the messages that have come back, without waiting.
func (p *publisher) takeReturns(ch *conn.Channel) {
	for _, r := range ch.Returns() {
		p.unroutable(r)
	}
}

// unroutable reports a returned message: it has reached no queue. There may be many on their way: which one it is
// tells the message itself.
func (p *publisher) unroutable(r amqp.Return) {
	which := ""
	if m := p.unconfirmed.find(r); m != nil {
		m.returned = true
		which = fmt.Sprintf(" (message %d)", m.number)
	}
	if !p.mandatory {
		return // it is published again, see cameBack
	}
	p.returned++
	p.why = fmt.Sprintf("no queue is bound to exchange %s for routing key %q", r.Exchange, r.RoutingKey)
	if r.Exchange == "" {
		p.why = "there is no queue " + r.RoutingKey
	}
	if p.several() && !p.quiet {
		cli.Say("returned: %s%s", p.why, which)
	}
}

// declared says that the program has seen to it that the queue is there to which it publishes.
func (p *publisher) declared() bool { return p.Queue != nil && !p.Queue.NoDeclare && p.exchange == "" }

// resends says whether messages that come back from the queue that the program has declared are published again. In a
// cluster a classic queue is away while its only node is, and RabbitMQ 3 confirms messages all the same that reach no
// queue. To have them returned costs RabbitMQ 3.10 some percent of its time, so it is not asked of a single node: if that
// one is away, so is the connection.
func (p *publisher) resends() bool {
	return p.cluster && p.declared() && !p.mandatory && p.strategy != none
}

// cameBack says that the first unconfirmed message was returned, and is to be published again.
func (p *publisher) cameBack() bool { return p.resends() && p.unconfirmed.at(0).returned }

// queueIsGone ends a session whose queue isn't there any more. The next one declares it again, as soon as the broker lets
// it, and publishes all that is unconfirmed.
func (p *publisher) queueIsGone() error {
	return &conn.LostError{Why: "queue " + p.route.RoutingKey + " is gone"}
}

// lookForQueue asks whether the queue is still there that the program has declared. It can't be told from a nack: a node
// that dies with a queue leaves nacks behind, and a full queue answers with one.
func (p *publisher) lookForQueue(ch *conn.Channel) error {
	_, err := ch.QueueDeclarePassive(p.route.RoutingKey, false, false, false, false, nil)
	var answer *amqp.Error
	if errors.As(err, &answer) && answer.Code == amqp.NotFound {
		return p.queueIsGone()
	}
	return err
}

// maxTrials is on how many channels a message is tried before its nack is believed: 20 seconds or so.
const maxTrials = 8

// refused handles a nack for the first unconfirmed message: it is published again after a pause, or given up.
//
// For a moment after a node has died there is no leader of its quorum queues. RabbitMQ 3.10 refuses what is published
// to them on a new channel then, and for as long as that channel lasts: so it takes another.
func (p *publisher) refused(ch *conn.Channel) error {
	if p.declared() && p.nacked == 0 {
		if err := p.lookForQueue(ch); err != nil {
			p.unconfirmed.at(0).confirm = nil // its answer has been taken in
			return err
		}
	}
	if p.trial && p.trials < maxTrials {
		p.trials++
		p.unconfirmed.at(0).confirm = nil
		return &conn.LostError{Why: "the broker refuses messages (nack)"}
	}
	m := p.unconfirmed.pop()
	p.draining = p.draining && p.unconfirmed.published > 0
	m.tries++
	if m.tries <= p.retries {
		p.pace.hold = time.Now().Add(100 * time.Millisecond << min(m.tries, 8))
		p.unconfirmed.push(m)
		return nil
	}
	p.nacks++
	if p.nacked == 0 || m.number < p.nacked {
		p.nacked = m.number
	}
	if p.several() {
		cli.Say("message %d refused by the broker (nack)", m.number)
	}
	return nil
}
