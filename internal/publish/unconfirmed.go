package publish

import (
	"bytes"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Message is one message on its way out: what the tutorial's own send is called with.
type Message struct {
	Exchange   string
	RoutingKey string
	Mandatory  bool // return the message if it reaches no queue
	amqp.Publishing

	confirm  *amqp.DeferredConfirmation // of the present channel's basic.publish
	number   int                        // its place in the input, from 1
	returned bool                       // the broker could not route it
	tries    int                        // how often the broker has nacked it
}

// unconfirmed keeps, in order, the messages of which it isn't known whether the broker has them. On each channel the
// first published of them have been published. They are taken away in that order, although the broker may confirm a
// later one first.
type unconfirmed struct {
	ring      []Message
	first, n  int
	bytes     int // of the bodies
	published int
}

func (u *unconfirmed) at(i int) *Message { return &u.ring[(u.first+i)%len(u.ring)] }

// push adds a message behind the others.
func (u *unconfirmed) push(m Message) {
	if u.n == len(u.ring) {
		u.grow()
	}
	u.n++
	u.bytes += len(m.Body)
	*u.at(u.n - 1) = m
}

func (u *unconfirmed) grow() {
	larger := make([]Message, max(2*len(u.ring), 8))
	for i := range u.n {
		larger[i] = *u.at(i)
	}
	u.ring, u.first = larger, 0
}

// pop takes away the first message.
func (u *unconfirmed) pop() Message {
	m := u.at(0)
	message := *m
	*m = Message{} // lets go of its body
	u.first = (u.first + 1) % len(u.ring)
	u.n--
	u.bytes -= len(message.Body)
	u.published--
	return message
}

// answered is how many of the messages, from the first on, the broker has answered.
func (u *unconfirmed) answered() (n int) {
	for n < u.published && u.at(n).confirm != nil {
		select {
		case <-u.at(n).confirm.Done():
			n++
		default:
			return n
		}
	}
	return n
}

// next is closed when the broker has answered the first message, one way or the other. It is nil if there is none
// that an answer is expected for.
func (u *unconfirmed) next() <-chan struct{} {
	if u.published == 0 || u.at(0).confirm == nil {
		return nil
	}
	return u.at(0).confirm.Done()
}

// find returns the published message that has come back, or nil. With --message-id many have the same id, so that the rest
// must fit too; which of two that are alike in all of this came back makes no difference.
func (u *unconfirmed) find(r amqp.Return) *Message {
	for i := range u.published {
		m := u.at(i)
		if m.MessageId == r.MessageId && !m.returned && (m.RoutingKey == "" || m.RoutingKey == r.RoutingKey) && bytes.Equal(m.Body, r.Body) {
			return m
		}
	}
	return nil
}

// unreturn forgets which messages were returned, and says how many.
func (u *unconfirmed) unreturn() (n int) {
	for i := range u.n {
		if m := u.at(i); m.returned {
			m.returned = false
			n++
		}
	}
	return n
}
