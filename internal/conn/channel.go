package conn

import (
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
)

// Channel is the library's channel, all of its methods included, with the little more that a program needs which
// outlives its connections. All channels of one session stand and fall together: when the broker closes one of them the
// session is at its end.
type Channel struct {
	*amqp.Channel

	connection *connection
	again      bool
	returns    chan chan []amqp.Return // asks for the messages that have come back; nil: nobody wants them
	returned   chan struct{}           // has an element when there are any
}

// end is how a session ended: done is closed once reason is there.
type end struct {
	once   sync.Once
	done   chan struct{}
	reason *amqp.Error // nil: we closed it ourselves
}

func newEnd() *end { return &end{done: make(chan struct{})} }

func (e *end) come(reason *amqp.Error) {
	e.once.Do(func() {
		e.reason = reason
		close(e.done)
	})
}

func (c *connection) channel() (*Channel, error) {
	ch := &Channel{connection: c}
	c.channels = append(c.channels, ch)
	return ch, ch.open()
}

// Reopen replaces the library's channel by a new one on the same connection, since the broker closes a channel with
// every error. Qos, Confirm, Consume and all Notify registrations are gone with the old one.
func (ch *Channel) Reopen() error {
	ch.connection.end.Store(newEnd()) // what the broker had against the old one is dealt with
	return ch.open()
}

func (ch *Channel) open() error {
	opened, err := ch.connection.Connection.Channel()
	if err != nil {
		return fmt.Errorf("opening a channel: %w", err)
	}
	ch.Channel = opened
	reasons, e := opened.NotifyClose(make(chan *amqp.Error, 1)), ch.connection.end.Load()
	go func() { e.come(<-reasons) }()
	return nil
}

// Another opens a second channel on the same connection, for what the broker shall not mix with the first.
func (ch *Channel) Another() (*Channel, error) { return ch.connection.channel() }

// Closed is closed when a channel of the session or its connection is gone. Reason then says why.
func (ch *Channel) Closed() <-chan struct{} { return ch.connection.end.Load().done }

// Reason returns why the session's channels are gone: the broker's *amqp.Error, or the library's for a lost connection.
// It waits a moment for it, since the library tells of it in a goroutine, and never for more: the channel may be open.
func (ch *Channel) Reason() error {
	e := ch.connection.end.Load()
	select {
	case <-e.done:
	case <-time.After(time.Second):
		return amqp.ErrClosed
	}
	if e.reason == nil {
		return amqp.ErrClosed
	}
	return e.reason
}

// Ready says that the program has got what it needs on this connection, its consumer for example. Until then the
// connection does not count as back: the broker may take it and refuse the rest, while a queue's node is down.
func (ch *Channel) Ready() { ch.connection.ready() }

// Again is true on a channel that stands for a lost one.
func (ch *Channel) Again() bool { return ch.again }

// Offers says whether the broker has announced a capability, for example publisher_confirms.
func (ch *Channel) Offers(capability string) bool {
	return offers(ch.connection.Connection, capability)
}

// NoteOnce tells the user something, once in a run.
func (ch *Channel) NoteOnce(text string) {
	if noted := ch.connection.noted; !noted[text] {
		noted[text] = true
		cli.Say("note: %s", text)
	}
}

// Sever cuts the connection's socket, as a crash does.
func (ch *Channel) Sever() { ch.connection.wire.Sever() }

// Delivered is how many deliveries have come on the channels of this session, also those that the library still holds.
func (ch *Channel) Delivered() int { return ch.connection.wire.Delivered() }

// KeepReturns has the messages kept that come back to their publisher (basic.return), for Returns to take. They are
// taken from the library at once, because one that is not holds up its reader for five seconds and is lost then.
func (ch *Channel) KeepReturns() {
	from := ch.NotifyReturn(make(chan amqp.Return, 64))
	ch.returns, ch.returned = make(chan chan []amqp.Return), make(chan struct{}, 1)
	go keepReturns(from, ch.returns, ch.returned)
}

// keepReturns answers each question with all that has come back until then. It ends when from is closed, with the channel,
// and all has been asked for, or once nobody can be left to ask.
func keepReturns(from <-chan amqp.Return, questions <-chan chan []amqp.Return, some chan<- struct{}) {
	var kept []amqp.Return
	for {
		select {
		case r, ok := <-from:
			if !ok {
				from = nil // Returns is asked once more, at the session's end
				continue
			}
			kept = append(kept, r)
			select {
			case some <- struct{}{}:
			default:
			}
		case answer, ok := <-questions:
			if !ok {
				return
			}
			for len(from) > 0 {
				kept = append(kept, <-from)
			}
			answer <- kept
			kept = nil
		}
	}
}

// Returns takes the messages that have come back. A message that can't be routed comes back before its confirm
// (https://www.rabbitmq.com/docs/publishers#unroutable), so that after a confirm its return is among them.
func (ch *Channel) Returns() []amqp.Return {
	if ch.returns == nil {
		return nil
	}
	answer := make(chan []amqp.Return, 1)
	ch.returns <- answer
	return <-answer
}

// Returned has an element when there is something for Returns to take.
func (ch *Channel) Returned() <-chan struct{} { return ch.returned }

// release ends what the channel has running.
func (ch *Channel) release() {
	if ch.returns != nil {
		close(ch.returns)
	}
}

// Refusal returns the broker's error if err is its answer to what the program asked for, and nil if err is anything
// else, a lost connection for example.
func (ch *Channel) Refusal(err error) *amqp.Error {
	if errors.Is(err, amqp.ErrClosed) {
		err = ch.Reason()
	}
	var refused *amqp.Error
	if !errors.As(err, &refused) || !refused.Server || lost(refused) {
		return nil
	}
	return refused
}
