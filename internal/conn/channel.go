package conn

import (
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Channel is the library's channel, all of its methods included, with the little more that a program needs which
// outlives its connections.
type Channel struct {
	*amqp.Channel

	connection *connection
	again      bool
	end        *end
}

// end is how one of the library's channels ended: done is closed once reason is there.
type end struct {
	done   chan struct{}
	reason *amqp.Error // nil: we closed it ourselves
}

func (c *connection) channel() (*Channel, error) {
	ch := &Channel{connection: c}
	return ch, ch.Reopen()
}

// Reopen replaces the library's channel by a new one on the same connection, since the broker closes a channel with
// every error. Qos, Confirm, Consume and all Notify registrations are gone with the old one.
func (ch *Channel) Reopen() error {
	opened, err := ch.connection.Connection.Channel()
	if err != nil {
		return fmt.Errorf("opening a channel: %w", err)
	}
	reasons, e := opened.NotifyClose(make(chan *amqp.Error, 1)), &end{done: make(chan struct{})}
	ch.Channel, ch.end = opened, e
	go func() {
		e.reason = <-reasons
		close(e.done)
	}()
	return nil
}

// Another opens a second channel on the same connection, for what must not fail together with the first.
func (ch *Channel) Another() (*Channel, error) { return ch.connection.channel() }

// Closed is closed when the channel or its connection is gone. Reason then says why.
func (ch *Channel) Closed() <-chan struct{} { return ch.end.done }

// Reason waits until the channel is gone and returns the cause: the broker's *amqp.Error, or the library's for a
// lost connection.
func (ch *Channel) Reason() error {
	<-ch.end.done
	if ch.end.reason == nil {
		return amqp.ErrClosed
	}
	return ch.end.reason
}

// Ready says that the program has got what it needs on this connection, its consumer for example. Until then the
// connection does not count as back: the broker may take it and refuse the rest, while a queue's node is down.
func (ch *Channel) Ready() { ch.connection.ready() }

// Again is true on a channel that stands for a lost one.
func (ch *Channel) Again() bool { return ch.again }

// Blocked tells that the broker takes no more messages from this connection (Active), for example for lack of
// memory, and when it does again (https://www.rabbitmq.com/docs/connection-blocked).
func (ch *Channel) Blocked() <-chan amqp.Blocking { return ch.connection.blocked }

// Offers says whether the broker has announced a capability, for example publisher_confirms.
func (ch *Channel) Offers(capability string) bool {
	return offers(ch.connection.Connection, capability)
}

// Sever cuts the connection's socket. Nothing less frees a publish that waits for a broker which has stopped reading.
func (ch *Channel) Sever() { ch.connection.socket.Close() }

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
