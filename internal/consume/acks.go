package consume

import (
	"context"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/show"
)

// verdict is what the broker is told of a delivery.
type verdict int

const (
	acknowledge verdict = iota // done: forget the message
	reject                     // failed for good: drop it, or send it to the dead-letter exchange
	requeue                    // put it back into the queue
)

// acks acknowledges or rejects the deliveries of one channel; delivery tags die with it. Acknowledgements are
// sent in multiples where the order allows, because one for each message costs more than the message itself
// (https://www.rabbitmq.com/docs/confirms#consumer-acks-multiple-parameter).
type acks struct {
	mu      sync.Mutex
	life    context.Context // once it is done, nothing is acknowledged before the consumer is cancelled
	out     *show.Output
	channel amqp.Acknowledger
	auto    bool // the broker wants no acknowledgements
	first   bool // each delivery was acknowledged before it was worked on
	ordered bool // deliveries are done in the order in which they came
	batch   int  // so many are acknowledged at once
	free    int  // so many more may be acknowledged before the consumer is cancelled; -1: all

	tag      uint64 // the latest delivery to be acknowledged together with all before it
	waiting  int    // how many that are
	held     []held
	sent     int  // how many deliveries the broker was told of
	unproven int  // how many of these it may not know of
	putBack  bool // a message went back into the queue
}

// held is a delivery that is done, of which the broker is told when the consumer is cancelled.
type held struct {
	tag uint64
	v   verdict
}

func newAcks(r *run, channel amqp.Acknowledger) *acks {
	ask := r.ask()
	a := &acks{
		life: r.guard.Life(), out: r.out, channel: channel, free: -1,
		auto: ask.AutoAck, first: r.AutoAck && !ask.AutoAck,
		ordered: r.Concurrency <= 1, // of a server too: the broker confirms its replies in their order, or we wait
		batch:   max(ask.Prefetch/2, 1),
	}
	if r.count > 0 {
		a.free = r.count - r.taken - ask.Prefetch
	}
	return a
}

// taken acknowledges a delivery that has just come, if that is to be the first thing done.
func (a *acks) taken(tag uint64) error {
	if !a.first {
		return nil
	}
	return a.settle(tag, acknowledge)
}

// done tells the broker of a delivery whose effect has come about, now or together with the next ones.
func (a *acks) done(tag uint64, v verdict) error {
	if a.first {
		return nil // that was the first thing done
	}
	return a.settle(tag, v)
}

func (a *acks) settle(tag uint64, v verdict) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.auto:
		a.sent++
		return nil
	case a.free == 0, a.life.Err() != nil: // the broker would send another one
		a.held = append(a.held, held{tag, v})
		return nil
	case a.free > 0:
		a.free--
	}
	if !a.ordered || v != acknowledge {
		return a.one(tag, v)
	}
	a.tag = tag
	a.waiting++
	if a.waiting < a.batch {
		return nil
	}
	return a.multiple()
}

// one tells the broker of a single delivery. What has been printed of it leaves the program first.
func (a *acks) one(tag uint64, v verdict) error {
	if err := a.out.Flush(); err != nil {
		return err
	}
	var err error
	if v == acknowledge {
		err = a.channel.Ack(tag, false)
	} else {
		err = a.channel.Reject(tag, v == requeue)
	}
	if err == nil {
		a.sent++
		a.unproven++
		a.putBack = a.putBack || v == requeue
	}
	return err
}

// returning says that a message was put back which may come again. A quorum queue takes a moment to count it, and
// is not to be taken for empty meanwhile.
func (a *acks) returning() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.putBack
}

// multiple acknowledges all deliveries up to the latest that is done.
func (a *acks) multiple() error {
	if err := a.out.Flush(); err != nil || a.waiting == 0 {
		return err
	}
	if err := a.channel.Ack(a.tag, true); err != nil {
		return err
	}
	a.sent += a.waiting
	a.unproven += a.waiting
	a.waiting = 0
	return nil
}

// upTo acknowledges this delivery and all before it at once.
func (a *acks) upTo(tag uint64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.multiple(); err != nil {
		return err
	}
	return a.channel.Ack(tag, true)
}

// flush acknowledges what waits for others, because the program is about to wait itself.
func (a *acks) flush() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.multiple()
}

// proven is called when the broker has answered something on the channel: what was sent before, it knows.
func (a *acks) proven() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unproven = 0
}

// count is how many deliveries are done.
func (a *acks) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sent
}

// rest tells the broker of what has been held back, once the consumer is cancelled and nothing more can be delivered.
func (a *acks) rest() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.multiple(); err != nil {
		return err
	}
	for _, held := range a.held {
		if err := a.one(held.tag, held.v); err != nil {
			return err
		}
	}
	a.held = nil
	return nil
}
