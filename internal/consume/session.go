package consume

import (
	"context"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// Session is what a tutorial's work is handed together with a delivery: the way to standard output, and behind the
// delivery's own Ack and Reject the way back to the broker. It lasts as long as its channel.
type Session struct {
	// Replies is a second channel, in confirm mode, for a program that answers: a reply that the broker refuses closes its
	// channel, and requests must not be lost with it. It is nil for all others.
	Replies *conn.Channel

	run  *run
	ch   *conn.Channel
	acks *acks

	mu      sync.Mutex
	replies []reply
	more    chan struct{} // has an element when there is another reply
}

// reply waits for its confirm.
type reply struct {
	confirm *amqp.DeferredConfirmation
	then    func() error
}

func (r *run) newSession(ch *conn.Channel) (*Session, error) {
	s := &Session{run: r, ch: ch, acks: newAcks(r, ch), more: make(chan struct{}, 1)}
	if !r.Server {
		return s, nil
	}
	var err error
	if s.Replies, err = ch.Another(); err != nil {
		return nil, err
	}
	if !ch.Offers("publisher_confirms") {
		return s, nil
	}
	return s, s.Replies.Confirm(false)
}

// Print prints a delivery as --format says. The text form is prefix and body.
func (s *Session) Print(prefix string, d amqp.Delivery) error { return s.print(prefix, "", &d) }

// PrintWithKey is Print for messages whose routing key says something: prefix, key, a colon and the body.
func (s *Session) PrintWithKey(prefix string, d amqp.Delivery) error {
	return s.print(prefix, d.RoutingKey, &d)
}

func (s *Session) print(prefix, key string, d *amqp.Delivery) (err error) {
	r := s.run
	switch {
	case r.quiet:
		return nil
	case r.template.Given():
		err = r.out.Templated(&r.template, d)
	default:
		err = r.out.Message(r.format, prefix, key, d)
	}
	if err == nil && r.Slow {
		return r.out.Flush()
	}
	return err
}

// Say prints one of the tutorial's own lines, such as " [x] Done", unless the output is for programs. Before a crash
// nothing is done.
func (s *Session) Say(format string, args ...any) error {
	r := s.run
	if r.format != show.Text || r.template.Given() || r.quiet || r.crashing && !r.AutoAck {
		return nil
	}
	if err := r.out.Printf(format+"\n", args...); err != nil || !r.Slow {
		return err
	}
	return r.out.Flush()
}

// Output is standard output, for what a command prints.
func (s *Session) Output() *show.Output { return s.run.out }

// Hurry is done when the program is to end at once, with all that it has started.
func (s *Session) Hurry() context.Context { return s.run.hurry }

// Confirmed calls then once the broker has confirmed a message that was published on Replies. It does not wait for that:
// other deliveries are worked on meanwhile. A broker without publisher confirms has none to wait for.
func (s *Session) Confirmed(confirm *amqp.DeferredConfirmation, then func() error) error {
	if confirm == nil {
		return then()
	}
	s.mu.Lock()
	s.replies = append(s.replies, reply{confirm, then})
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return nil
}

// confirming is closed when the broker has answered the first reply that waits; nil if there is none.
func (s *Session) confirming() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.replies) == 0 {
		return nil
	}
	return s.replies[0].confirm.Done()
}

// confirmed acknowledges the requests whose replies are confirmed by now.
func (s *Session) confirmed() error {
	for {
		s.mu.Lock()
		if len(s.replies) == 0 {
			s.mu.Unlock()
			return nil
		}
		first := s.replies[0]
		select {
		case <-first.confirm.Done():
		default:
			s.mu.Unlock()
			return nil
		}
		s.replies = s.replies[1:]
		s.mu.Unlock()
		if !first.confirm.Acked() {
			if s.Replies.IsClosed() {
				return s.ch.Reason()
			}
			return &conn.LostError{Why: "the broker refuses a reply (nack)"}
		}
		if err := first.then(); err != nil {
			return err
		}
	}
}

// Ack implements amqp.Acknowledger, which is what a delivery's own Ack calls: the delivery's effect has come about, and the
// broker may forget it. What was printed leaves the program before. Acknowledgements may wait for others to go together
// with, but never longer than until the program itself has to wait. With --auto-ack there is nothing left to do.
func (s *Session) Ack(tag uint64, multiple bool) error {
	switch {
	case s.run.crashing && !s.run.AutoAck:
		return s.run.awaitCrash()
	case multiple:
		return s.acks.upTo(tag)
	}
	return s.acks.done(tag, acknowledge)
}

// Reject implements amqp.Acknowledger: the broker puts the delivery back into its queue, or drops it, or sends it to the
// queue's dead-letter exchange.
func (s *Session) Reject(tag uint64, again bool) error {
	switch {
	case s.run.crashing && !s.run.AutoAck:
		return s.run.awaitCrash()
	case again:
		return s.acks.done(tag, requeue)
	}
	return s.acks.done(tag, reject)
}

// Nack implements amqp.Acknowledger. It is RabbitMQ's Reject for several at once; of one it does the same.
func (s *Session) Nack(tag uint64, multiple, again bool) error {
	if multiple {
		return s.ch.Nack(tag, true, again)
	}
	return s.Reject(tag, again)
}
