package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ledger keeps the books of a connection: which methods wait for an answer, and what the broker may send at all. It sees
// each frame before the library does, because the library believes what it reads: an answer to nothing, or a method on a
// channel that has no such methods, stops its reader for ever, a confirm of a message that was never published makes it
// count to 2^64, and a body of 2^50 bytes, or deliveries beyond the prefetch, fill the memory.
type ledger struct {
	mu        sync.Mutex
	asked     []question // without an answer, in the order in which they were sent
	channels  map[uint16]*channel
	moved     time.Time // when the broker last answered, confirmed or delivered something
	violation error     // what the broker has done that no broker may do

	sent, received frames
}

// question is a method that the broker has to answer.
type question struct {
	channel uint16
	id      id
	since   time.Time
}

// channel is what is known of one AMQP channel.
type channel struct {
	closed     bool   // by the broker, which does not answer on it any more
	published  uint64 // in confirm mode: the delivery tag of the last message
	confirming bool
	prefetch   uint64 // the largest that was asked for; 0: none was
	consumers  uint64 // so many were asked for: each has the prefetch for itself
	unlimited  bool   // a consumer to which no prefetch applies
	delivered  int
	unsettled  unsettled
}

const (
	// LargestBody is the most bytes that a message's body may have, 512 MiB: RabbitMQ's max_message_size can't be set
	// higher (https://www.rabbitmq.com/docs/configure).
	LargestBody = 512 << 20
	// slack is how far a broker may go beyond twice the prefetch of each consumer.
	slack = 100
)

func newLedger() *ledger {
	now := time.Now()
	l := &ledger{channels: map[uint16]*channel{0: {}}, moved: now, asked: []question{{id: hello, since: now}}}
	l.sent = frames{see: l.seeSent, skip: greeting}
	l.received = frames{see: l.seeReceived, limit: collectable}
	return l
}

// write takes note of what the client sends.
func (l *ledger) write(p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.sent.feed(p) // it is the library's
}

// read takes note of what the broker sends, and returns an error if it may not send that.
func (l *ledger) read(p []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.violation == nil {
		l.violation = l.received.feed(p)
	}
	return l.violation
}

// awaited is the method that has been waiting for its answer for longest, and since when; "" if there is none.
func (l *ledger) awaited() (method string, since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.asked) == 0 {
		return "", time.Time{}
	}
	first := l.asked[0]
	switch first.id {
	case hello, startOk, secureOk:
		return "connection.open", first.since // the login is part of opening a connection to its user
	}
	return first.id.String(), first.since
}

func (l *ledger) lastMoved() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.moved
}

func (l *ledger) deliveries() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.channels {
		n += c.delivered
	}
	return n
}

func (l *ledger) seeSent(kind byte, number uint16, payload []byte) error {
	if kind != frameMethod || len(payload) < 4 {
		return nil
	}
	m, c := idOf(payload), l.channels[number]
	if m == channelOpen || c == nil {
		l.forget(number, 0) // what was asked on the closed channel of this number
		c = &channel{}
		l.channels[number] = c
	}
	switch m {
	case basicPublish:
		if c.confirming {
			c.published++
		}
		return nil
	case basicAck, basicNack, basicReject:
		c.settle(payload)
		return nil
	case confirmSelect:
		c.confirming = true
	case basicQos, basicConsume:
		c.ask(payload)
	}
	// A broker that has closed a channel answers nothing on it any more, but its closing, which may have crossed its own.
	unheard := (c.closed || l.channels[0].closed) && m != channelClose && m != connectionClose
	if asks(m) && !unheard && !flagged(payload, "no-wait") {
		l.asked = append(l.asked, question{number, m, time.Now()})
	}
	return nil
}

// forget drops what was asked on a channel and is never answered, but for one method.
func (l *ledger) forget(number uint16, but id) {
	l.asked = slices.DeleteFunc(l.asked, func(q question) bool { return q.channel == number && q.id != but })
}

func (l *ledger) seeReceived(kind byte, number uint16, payload []byte) error {
	switch {
	case kind != frameMethod && kind != frameHeader && kind != frameBody:
		return nil // a heartbeat
	case number == 0 && kind != frameMethod:
		return errors.New("content on channel 0, which has none")
	case kind == frameHeader && len(payload) >= 12:
		if size := binary.BigEndian.Uint64(payload[4:]); size > LargestBody {
			return fmt.Errorf("a body of %d bytes", size)
		}
		return nil
	case kind != frameMethod || len(payload) < 4:
		return nil
	}
	l.moved = time.Now()
	m, c := idOf(payload), l.channels[number]
	if ofConnection := m>>16 == connectionStart>>16; ofConnection != (number == 0) || c == nil {
		return fmt.Errorf("%s on channel %d, where it does not belong", m, number)
	}
	return l.seeMethod(number, c, payload)
}

// seeMethod takes a method on a channel that may have one of its class.
func (l *ledger) seeMethod(number uint16, c *channel, payload []byte) error {
	switch m := idOf(payload); m {
	case connectionBlocked, connectionUnblocked, channelFlow, basicReturn, basicCancel:
		return nil
	case connectionClose: // like channelClose, for all channels
		c.closed = true
		l.asked = slices.DeleteFunc(l.asked, func(q question) bool { return q.id != connectionClose })
		return nil
	case channelClose: // crosses what the client has asked meanwhile, which stays unanswered; but not its own close
		c.closed = true
		l.forget(number, channelClose)
		return nil
	case basicDeliver:
		return c.deliver(payload)
	case basicAck, basicNack:
		if len(payload) >= 12 {
			if tag := binary.BigEndian.Uint64(payload[4:]); tag > c.published {
				return fmt.Errorf("a confirm of message %d, and %d were published", tag, c.published)
			}
		}
		return nil
	case basicRecoverOk:
		c.unsettled.upTo(0) // all of them are back in their queues
	}
	return l.answered(number, idOf(payload))
}

// answered takes an answer. On each channel they come in the order of the questions.
func (l *ledger) answered(number uint16, answer id) error {
	for i, q := range l.asked {
		if q.channel != number {
			continue
		}
		if !answers(q.id, answer) {
			break
		}
		l.asked = slices.Delete(l.asked, i, i+1)
		return nil
	}
	return fmt.Errorf("%s, which nobody has asked for", answer)
}
