package consume

import (
	"context"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"
)

// verdict is what the broker is told of a delivery.
type verdict int

const (
	acknowledge verdict = iota // done: forget the message
	reject                     // failed for good: drop it, or send it to the dead-letter exchange
	requeue                    // put it back into the queue
)

// settlement acknowledges or rejects the deliveries of one channel; delivery tags die with it. Acknowledgements are
// sent in multiples where the order allows, because one for each message costs more than the message itself
// (https://www.rabbitmq.com/docs/confirms#consumer-acks-multiple-parameter).
type settlement struct {
	mu      sync.Mutex
	life    context.Context // once it is done, nothing is settled before the consumer is cancelled
	options *Options
	channel amqp.Acknowledger
	ordered bool // deliveries are done in the order in which they came
	batch   int  // so many are acknowledged at once
	free    int  // so many more may be settled before the consumer is cancelled; -1: all

	tag     uint64 // the latest delivery to be acknowledged together with all before it
	waiting int    // how many that are
	held    []settled
	sent    int  // how many deliveries are settled
	putBack bool // a message went back into the queue
}

// settled is a delivery that is done, but held back until the consumer is cancelled.
type settled struct {
	tag uint64
	v   verdict
}

func newSettlement(life context.Context, o *Options, channel amqp.Acknowledger) *settlement {
	prefetch := o.PrefetchCount()
	s := &settlement{
		life: life, options: o, channel: channel, free: -1,
		ordered: o.Concurrency <= 1,
		batch:   max(prefetch/2, 1),
	}
	if o.count > 0 {
		s.free = o.count - o.taken - prefetch
	}
	return s
}

// done settles a delivery whose effect has come about, now or together with the next ones.
func (s *settlement) done(tag uint64, v verdict) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.options.NoAck():
		s.sent++
		return nil
	case s.free == 0, s.life.Err() != nil: // the broker would send another one
		s.held = append(s.held, settled{tag, v})
		return nil
	case s.free > 0:
		s.free--
	}
	if !s.ordered || v != acknowledge {
		return s.one(tag, v)
	}
	s.tag = tag
	s.waiting++
	if s.waiting < s.batch {
		return nil
	}
	return s.multiple()
}

// one settles a single delivery. What has been printed of it leaves the program first.
func (s *settlement) one(tag uint64, v verdict) error {
	if err := s.options.out.Flush(); err != nil {
		return err
	}
	var err error
	if v == acknowledge {
		err = s.channel.Ack(tag, false)
	} else {
		err = s.channel.Reject(tag, v == requeue)
	}
	if err == nil {
		s.sent++
		s.putBack = s.putBack || v == requeue
	}
	return err
}

// returning says that a message was put back which may come again. A quorum queue takes a moment to count it, and
// is not to be taken for empty meanwhile.
func (s *settlement) returning() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.putBack
}

// multiple acknowledges all deliveries up to the latest that is done.
func (s *settlement) multiple() error {
	if err := s.options.out.Flush(); err != nil || s.waiting == 0 {
		return err
	}
	if err := s.channel.Ack(s.tag, true); err != nil {
		return err
	}
	s.sent += s.waiting
	s.waiting = 0
	return nil
}

// waits says whether there is anything to acknowledge together with what may come.
func (s *settlement) waits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting > 0 || s.options.NoAck()
}

// flush acknowledges what waits for others, because the program is about to wait itself.
func (s *settlement) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.multiple()
}

// rest settles what has been held back, once the consumer is cancelled and nothing more can be delivered.
func (s *settlement) rest() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.multiple(); err != nil {
		return err
	}
	for _, held := range s.held {
		if err := s.one(held.tag, held.v); err != nil {
			return err
		}
	}
	s.held = nil
	return nil
}
