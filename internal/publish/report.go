package publish

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
)

// takeReturns takes in the messages that have come back, without waiting.
func (p *publisher) takeReturns() {
	for len(p.returns) > 0 {
		p.unroutable(<-p.returns)
	}
}

// unroutable reports a returned message: it has reached no queue. There may be many on their way; the message id
// tells which one it is.
func (p *publisher) unroutable(r amqp.Return) {
	which := ""
	if m := p.unconfirmed.find(r.MessageId); m != nil {
		m.returned = true
		which = fmt.Sprintf(" (message %d)", m.number)
	}
	if !p.mandatory {
		return // it is astray
	}
	p.returned++
	if p.confirm == none {
		p.confirmed-- // it counted when it was published
	}
	p.why = fmt.Sprintf("no queue is bound to exchange %s for routing key %q", r.Exchange, r.RoutingKey)
	if r.Exchange == "" {
		p.why = "there is no queue " + r.RoutingKey
	}
	if p.several() {
		cli.Say("returned: %s%s", p.why, which)
	}
}

// astray says that the first unconfirmed message, for the queue that the program has declared, was returned: the queue
// has been deleted since, or, in a cluster, its only node is down. RabbitMQ confirms such a message all the same.
func (p *publisher) astray() bool {
	return p.Declared && !p.mandatory && p.unconfirmed.at(0).returned
}

// gone ends a session whose queue isn't there any more. The next one declares it again, as soon as the broker lets it,
// and publishes all that is unconfirmed.
func (p *publisher) gone() error {
	return &conn.LostError{Why: "queue " + p.RoutingKey + " is gone"}
}

// stands asks whether the queue is still there that the program has declared. It can't be told from a nack: a node that
// dies with a queue leaves nacks behind, and a full queue answers with one.
func (p *publisher) stands(ch *conn.Channel) error {
	_, err := ch.QueueDeclarePassive(p.RoutingKey, false, false, false, false, nil)
	var answer *amqp.Error
	if errors.As(err, &answer) && answer.Code == amqp.NotFound {
		return p.gone()
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
	if p.Declared && p.nacked == 0 {
		if err := p.stands(ch); err != nil {
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
		m.Body = bytes.Clone(m.Body) // it outlives the source's buffer, behind later messages
		p.unconfirmed.push(m)
		return nil
	}
	if p.nacked == 0 || m.number < p.nacked {
		p.nacked = m.number
	}
	if p.several() {
		cli.Say("message %d refused by the broker (nack)", m.number)
	}
	return nil
}

// finish is called when everything has been published and confirmed. Without confirms one question is asked that the
// broker answers after all the rest, so that a channel which it has closed, for a missing exchange, say, is noticed.
func (p *publisher) finish(ch *conn.Channel) error {
	if p.confirm == none {
		if err := ch.Qos(0, 0, false); err != nil {
			return err
		}
		p.takeReturns()
	}
	return p.out.Flush()
}

// several says whether more than one message is to be published.
func (p *publisher) several() bool { return p.count != 1 || p.lines || p.null }

// report ends a run: the summary, or the error with what is known of the messages.
func (p *publisher) report(err error) error {
	failure := p.failure(err)
	if p.source.number-p.skip > 1 && (failure == nil || failure.Status == cli.Unroutable) {
		took := time.Since(p.began)
		sent := p.confirmed + p.returned
		cli.Banner(fmt.Sprintf("Published %d messages%s in %.2fs%s", sent, p.handled(), took.Seconds(), p.perSecond(sent, took)))
	}
	switch {
	case failure != nil:
		return failure
	default:
		return err
	}
}

func (p *publisher) perSecond(n int, d time.Duration) string {
	if p.confirm == none {
		return ""
	}
	return fmt.Sprintf(" (%s msg/s)", thousands(int(float64(n)/d.Seconds())))
}

// thousands groups a number's digits: 18,115.
func thousands(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// failure finds out how the run failed, nil if it didn't or if the error tells all.
func (p *publisher) failure(err error) *cli.Error {
	var refused *cli.Error
	switch {
	case errors.Is(err, errNoProgress):
		return p.failedAt("giving up", "nothing confirmed for "+p.timeout.String(), "--confirm-timeout waits longer")
	case errors.Is(err, errInterrupted):
		return p.failedAt("interrupted", "", "")
	case errors.As(err, &refused) && refused.Status == cli.Failed && p.several():
		return p.failedAt(refused.What, refused.Why, refused.Hint)
	case err != nil:
		return nil
	case p.nacked > 0:
		return p.failedAt(fmt.Sprintf("message %d", p.nacked), "refused by the broker (nack)",
			"a queue may be full: x-max-length with x-overflow=reject-publish; --retries tries again")
	case errors.As(p.failed, &refused):
		return refused
	case p.failed != nil:
		return p.failedAt("reading standard input", p.failed.Error(), "")
	case p.stop.Err() != nil && !p.source.ended && (p.count != 0 && !p.lines && !p.null):
		return p.failedAt("interrupted", "", "")
	case p.returned > 0:
		return p.unrouted()
	}
	return nil
}

func (p *publisher) unrouted() *cli.Error {
	e := &cli.Error{
		Status: cli.Unroutable, What: "returned", Why: p.why,
		Hint: "start the consumer first, or set up its queue with its --declare-only",
	}
	if p.several() {
		e.What, e.Why = fmt.Sprintf("%d of %d messages returned", p.returned, p.confirmed+p.returned), "they have reached no queue"
	}
	return e
}

// failedAt is a failure with the message at which a script can resume.
func (p *publisher) failedAt(what, why, hint string) *cli.Error {
	first := p.nacked
	for i := range p.unconfirmed.n {
		if number := p.unconfirmed.at(i).number; first == 0 || number < first {
			first = number
		}
	}
	if first == 0 {
		first = p.source.number + 1
	}
	known := fmt.Sprintf("%d messages are confirmed, message %d is the first that is not", p.confirmed, first)
	if p.confirmed == 1 {
		known = fmt.Sprintf("1 message is confirmed, message %d is the first that is not", first)
	}
	switch {
	case !p.several():
		known = "the message is not confirmed"
	case p.confirm == none:
		known = fmt.Sprintf("%d messages were sent without confirms, message %d is the next", p.confirmed, first)
	}
	return &cli.Error{
		Status: cli.Failed, What: what, Hint: hint,
		Why: strings.TrimPrefix(why+"; "+known, "; "),
	}
}
