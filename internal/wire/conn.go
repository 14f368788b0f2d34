// Package wire is what sits between the socket and the AMQP library: it joins small writes into large ones, keeps the
// books of what the broker has to answer and may send, and tells for --verbose which methods pass. It knows bytes, not
// programs.
package wire

import (
	"bufio"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

const readRoom = 64 << 10

// Conn is a connection to a broker with all of that. The library gets it instead of the socket.
type Conn struct {
	net.Conn // the socket, or TLS on it
	socket   net.Conn
	r        *bufio.Reader
	w        *joined
	books    *ledger
	tap      *tap // nil: nobody wants to know what passes

	silence atomic.Int64 // nanoseconds after which the library takes the broker for dead; 0: never
}

// New puts a Conn on stream, which is TLS on the socket or the socket itself. If tell is not nil it is called with whatever
// passes, from the goroutines that write and read.
func New(stream, socket net.Conn, tell func(Event)) *Conn {
	c := &Conn{
		Conn: stream, socket: socket, books: newLedger(),
		r: bufio.NewReaderSize(stream, readRoom), w: join(stream),
	}
	if tell != nil {
		c.tap = newTap(tell)
	}
	return c
}

// Write takes p over. What is not written at once goes out together with what comes next.
func (c *Conn) Write(p []byte) (int, error) {
	c.books.write(p)
	if c.tap != nil {
		c.tap.write(p)
	}
	return c.w.Write(p)
}

// Read reads ahead, since the library reads 4 KiB at a time. Its error is a *Violation if the broker sends what no broker
// may send.
func (c *Conn) Read(p []byte) (int, error) {
	if silence := time.Duration(c.silence.Load()); silence > 0 && c.r.Buffered() == 0 {
		// The library does this in the goroutine that writes heartbeats, which waits for a broker that has stopped
		// reading, under a memory alarm for example. One that still sends is not dead.
		if err := c.Conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return 0, fmt.Errorf("read deadline: %w", err)
		}
	}
	n, err := c.r.Read(p)
	if c.tap != nil {
		c.tap.read(p[:n])
	}
	if broken := c.books.read(p[:n]); broken != nil {
		return 0, &Violation{broken.Error()}
	}
	return n, err
}

// Violation is a broker's breach of the protocol.
type Violation struct{ What string }

func (v *Violation) Error() string { return "the broker breaks the protocol: it sends " + v.What }

// Violation returns what the broker has broken, or nil.
func (c *Conn) Violation() error {
	if err := c.books.read(nil); err != nil {
		return &Violation{err.Error()}
	}
	return nil
}

// Awaited returns the method that has been waiting for its answer for longest, and since when; "" if there is none.
func (c *Conn) Awaited() (method string, since time.Time) { return c.books.awaited() }

// Stuck returns since when a Write has been waiting for the broker to read; zero if none is.
func (c *Conn) Stuck() time.Time { return c.w.stuckSince() }

// Answered returns when the broker last answered, confirmed or delivered something. Heartbeats do not count.
func (c *Conn) Answered() time.Time { return c.books.lastMoved() }

// Written returns when the socket last took what was written.
func (c *Conn) Written() time.Time { return c.w.lastWritten() }

// Delivered is how many deliveries have come.
func (c *Conn) Delivered() int { return c.books.deliveries() }

// SetReadDeadline is how the library says after how long a silence it takes the broker for dead.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if t.IsZero() {
		c.silence.Store(0)
	} else {
		c.silence.Store(int64(time.Until(t)))
	}
	return c.Conn.SetReadDeadline(t)
}

// Close writes what is left, connection.close-ok for example, if that takes but a moment, and closes the socket.
func (c *Conn) Close() error { return c.w.Close() }

// Sever closes the socket at once, and frees every Write and Read.
func (c *Conn) Sever() {
	c.w.sever()
	c.socket.Close()
}
