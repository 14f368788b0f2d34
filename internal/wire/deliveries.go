package wire

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// ask takes note of how much a client is ready to take: what it asks for with basic.qos, and for which consumers. To
// RabbitMQ a prefetch is one of the consumers that come after it, to others one of those that are there; a smaller one
// therefore takes nothing back.
func (c *channel) ask(payload []byte) {
	switch {
	case idOf(payload) == basicConsume:
		c.consumers++
		c.unlimited = c.unlimited || c.prefetch == 0 || flagged(payload, "no-ack")
	case len(payload) >= 10:
		prefetch := uint64(binary.BigEndian.Uint16(payload[8:]))
		c.prefetch = max(c.prefetch, prefetch)
		c.unlimited = c.unlimited || prefetch == 0
	}
}

// deliver counts a delivery. The prefetch is a promise of the broker's (AMQP 0-9-1, basic.qos); the library keeps
// whatever comes in memory.
func (c *channel) deliver(payload []byte) error {
	c.delivered++
	if c.unlimited {
		return nil
	}
	fields := arguments{rest: payload[4:]}
	fields.value(shortstr) // the consumer
	c.unsettled.add(fields.number(8))
	if n := c.unsettled.count(); uint64(n) > 2*c.prefetch*c.consumers+slack {
		return fmt.Errorf("%d unacknowledged deliveries with a prefetch of %d", n, c.prefetch)
	}
	return nil
}

// settle takes note of what the client acknowledges or rejects.
func (c *channel) settle(payload []byte) {
	if len(payload) < 13 {
		return
	}
	tag, multiple := binary.BigEndian.Uint64(payload[4:]), payload[12]&1 == 1 && idOf(payload) != basicReject
	if multiple {
		c.unsettled.upTo(tag)
	} else {
		c.unsettled.one(tag)
	}
}

// unsettled is the delivery tags that are neither acknowledged nor rejected, in rising order. Nearly always the first of
// them is settled next, or all up to one, so that there is nothing to search for. Those of a broker that does not count
// upwards may not be found again, and come to be too many.
type unsettled struct {
	tags  []uint64
	first int // those before it are settled
}

func (u *unsettled) count() int { return len(u.tags) - u.first }

func (u *unsettled) add(tag uint64) {
	if len(u.tags) == cap(u.tags) && 2*u.first >= len(u.tags) { // there is room, at the front
		u.tags, u.first = u.tags[:copy(u.tags, u.tags[u.first:])], 0
	}
	u.tags = append(u.tags, tag)
}

// one settles a single delivery.
func (u *unsettled) one(tag uint64) {
	if u.count() > 0 && u.tags[u.first] == tag {
		u.first++
		return
	}
	i, found := slices.BinarySearch(u.tags[u.first:], tag)
	switch {
	case !found: // one of basic.get
	case i <= u.count()/2: // those before it move up
		copy(u.tags[u.first+1:], u.tags[u.first:u.first+i])
		u.first++
	default:
		u.tags = slices.Delete(u.tags, u.first+i, u.first+i+1)
	}
}

// upTo settles all deliveries up to one; 0 stands for the last.
func (u *unsettled) upTo(tag uint64) {
	if tag == 0 {
		u.first = len(u.tags)
		return
	}
	for u.first < len(u.tags) && u.tags[u.first] <= tag {
		u.first++
	}
}
