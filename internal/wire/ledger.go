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
// each frame before the library does, because the library believes what it reads: an answer to nothing stops its reader
// for ever, a confirm of a message that was never published makes it count to 2^64, and a body of 2^50 bytes, or
// deliveries beyond the prefetch, fill the memory.
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
	published  uint64 // in confirm mode: the delivery tag of the last message
	confirming bool
	prefetch   uint64
	unlimited  bool   // a consumer without acknowledgements, to which the prefetch does not apply
	delivered  uint64 // the delivery tag of the last delivery
	settled    uint64 // how many of them are acknowledged or rejected, or some less, see settle
}

const (
	// LargestBody is the most bytes that a message's body may have, 512 MiB: RabbitMQ's max_message_size can't be set
	// higher (https://www.rabbitmq.com/docs/configure).
	LargestBody = 512 << 20
	// slack is how far a broker may go beyond twice the prefetch.
	slack = 100
)

func newLedger() *ledger {
	l := &ledger{channels: map[uint16]*channel{}, moved: time.Now()}
	l.sent = frames{see: l.seeSent, skip: greeting}
	l.received = frames{see: l.seeReceived}
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
	if first.id == startOk {
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
		n += int(c.delivered)
	}
	return n
}

func (l *ledger) channel(number uint16) *channel {
	c := l.channels[number]
	if c == nil {
		c = &channel{}
		l.channels[number] = c
	}
	return c
}

func (l *ledger) seeSent(kind byte, number uint16, payload []byte) error {
	if kind != frameMethod || len(payload) < 4 {
		return nil
	}
	m, c := idOf(payload), l.channel(number)
	switch m {
	case basicPublish:
		if c.confirming {
			c.published++
		}
		return nil
	case basicAck, basicNack, basicReject:
		c.settle(payload)
		return nil
	case channelOpen:
		*c = channel{} // the number of a channel that was closed
	case confirmSelect:
		c.confirming = true
	case basicQos:
		if len(payload) >= 10 {
			c.prefetch = uint64(binary.BigEndian.Uint16(payload[8:]))
		}
	case basicConsume:
		c.unlimited = c.unlimited || flagged(payload, "no-ack")
	}
	if asks(m) && !flagged(payload, "no-wait") {
		l.asked = append(l.asked, question{number, m, time.Now()})
	}
	return nil
}

// settle counts what the client acknowledges or rejects. After a multiple acknowledgement single ones beyond it are
// forgotten, so that up to a prefetch too few may be counted.
func (c *channel) settle(payload []byte) {
	if len(payload) < 13 {
		return
	}
	tag, multiple := binary.BigEndian.Uint64(payload[4:]), payload[12]&1 == 1 && idOf(payload) != basicReject
	if multiple {
		c.settled = max(c.settled, tag)
	} else {
		c.settled++
	}
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
	m, c := idOf(payload), l.channel(number)
	switch m {
	case connectionStart, connectionBlocked, connectionUnblocked, channelFlow, basicReturn, basicCancel:
		return nil
	case connectionClose:
		l.asked = nil
		return nil
	case channelClose: // crosses what the client has asked meanwhile, which stays unanswered; but not its own close
		l.asked = slices.DeleteFunc(l.asked, func(q question) bool { return q.channel == number && q.id != channelClose })
		return nil
	case basicDeliver:
		return c.deliver(number)
	case basicAck, basicNack:
		if len(payload) >= 12 {
			if tag := binary.BigEndian.Uint64(payload[4:]); tag > c.published {
				return fmt.Errorf("a confirm of message %d, and %d were published", tag, c.published)
			}
		}
		return nil
	}
	return l.answered(number, m)
}

// deliver counts a delivery. The prefetch is a promise of the broker's (AMQP 0-9-1, basic.qos); the library keeps
// whatever comes in memory.
func (c *channel) deliver(number uint16) error {
	c.delivered++
	switch {
	case number == 0:
		return errors.New("basic.deliver on channel 0, which has no consumers")
	case c.unlimited || c.prefetch == 0 || c.delivered <= c.settled+2*c.prefetch+slack:
		return nil
	}
	return fmt.Errorf("%d unacknowledged deliveries with a prefetch of %d", c.delivered-c.settled, c.prefetch)
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
