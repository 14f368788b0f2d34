package conn

import (
	"crypto/tls"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
)

// connection is an open AMQP connection and what is known of it. Whatever the library notifies of is taken from it at
// once, by the goroutines below: a notification that waits for its reader stops all others.
type connection struct {
	*amqp.Connection
	wire     line
	node     *node
	secured  *tls.Conn              // nil: without TLS
	end      atomic.Pointer[end]    // of the session's channels
	blocked  atomic.Pointer[string] // why the broker takes no messages; nil: it does
	lost     atomic.Pointer[loss]   // nil: it is open, or was closed by us
	channels []*Channel             // of the session
	noted    map[string]bool        // what the user was told that need not be told again; the run's
	ready    func()                 // called by the program when it has got what it needs
}

// line is what a connection asks its *wire.Conn for. Tests have one of their own.
type line interface {
	Awaited() (method string, since time.Time)
	Stuck() time.Time
	Answered() time.Time
	Written() time.Time
	Violation() error
	Delivered() int
	Sever()
}

// loss is how a connection was lost.
type loss struct {
	why string
	at  time.Time
}

func newConnection(opened *amqp.Connection, w line, n *node) *connection {
	c := &connection{Connection: opened, wire: w, node: n, ready: func() {}}
	c.end.Store(newEnd())
	go c.watchBlocked(c.NotifyBlocked(make(chan amqp.Blocking, 16)))
	go c.watchClosed(c.NotifyClose(make(chan *amqp.Error, 1)))
	return c
}

// watchBlocked tells once that the broker takes no messages from this connection, for lack of memory for example, and once
// that it does again (https://www.rabbitmq.com/docs/connection-blocked).
func (c *connection) watchBlocked(changes <-chan amqp.Blocking) {
	for b := range changes {
		was := c.blocked.Load() != nil
		switch {
		case b.Active && !was:
			c.blocked.Store(&b.Reason)
			cli.Say("the broker takes no messages for now: %s; waiting", b.Reason)
		case !b.Active && was:
			c.blocked.Store(nil)
			cli.Say("the broker takes messages again")
		}
	}
}

// watchClosed hangs up when the connection is lost. The library's own closing waits for a publish that is stuck in its
// write, and that waits for the socket.
func (c *connection) watchClosed(closed <-chan *amqp.Error) {
	e := <-closed
	if e == nil {
		return // we closed it ourselves
	}
	c.lost.Store(&loss{c.why(e), time.Now()})
	c.end.Load().come(e)
	time.Sleep(farewell)
	c.wire.Sever()
}

// why puts the end of this connection, or of one of its channels, in words.
func (c *connection) why(e *amqp.Error) string {
	if broken := c.wire.Violation(); broken != nil && !e.Server {
		return broken.Error()
	}
	return reason(e)
}

// farewell is the moment that is left for what is on its way, before a socket is cut.
const farewell = 100 * time.Millisecond

// close says goodbye to the broker and returns whether it has answered, which it does when it has dealt with all that was
// sent before. The channels are not closed first: that would be another round trip, and closing
// the connection closes them too (AMQP 0-9-1, section 1.4.2.10).
func (c *connection) close(g *Guard) (answered bool) {
	for _, ch := range c.channels {
		ch.release()
	}
	done := make(chan error, 1)
	go func() { done <- c.Connection.Close() }()
	select {
	case err := <-done:
		if err != nil {
			c.wire.Sever()
		}
		return err == nil
	case <-time.After(g.Goodbye):
	}
	g.note(c)
	c.wire.Sever() // frees whatever is stuck in the library
	select {
	case <-done:
	case <-time.After(farewell):
	}
	return false
}
