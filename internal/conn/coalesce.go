package conn

import (
	"bufio"
	"net"
	"sync"
	"time"
)

const (
	writeRoom = 128 << 10 // so much may wait to be written; then Write waits too
	readRoom  = 64 << 10
	farewell  = 100 * time.Millisecond // for what is still unwritten on Close
)

// coalescer makes few large writes and reads out of many small ones. The library flushes after every message and reads
// 4 KiB at a time, which at a hundred thousand messages a second is most of a client's work. What is written while
// another write is under way goes out together with the next one; nothing ever waits for more to come.
type coalescer struct {
	net.Conn
	r *bufio.Reader

	mu      sync.Mutex
	changed sync.Cond // buf, err or closing
	buf     []byte    // to be written
	writing bool
	closing bool
	err     error
}

func coalesce(c net.Conn) *coalescer {
	w := &coalescer{Conn: c, r: bufio.NewReaderSize(c, readRoom)}
	w.changed.L = &w.mu
	go w.flush()
	return w
}

func (c *coalescer) Read(p []byte) (int, error) { return c.r.Read(p) }

// Write takes p over. An error of an earlier write is told by the next one, as with any buffered connection.
func (c *coalescer) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.buf) > writeRoom && c.err == nil && !c.closing {
		c.changed.Wait()
	}
	switch {
	case c.err != nil:
		return 0, c.err
	case c.closing:
		return 0, net.ErrClosed
	}
	c.buf = append(c.buf, p...)
	if !c.writing {
		c.changed.Broadcast()
	}
	return len(p), nil
}

// flush writes whatever there is, until an error or Close.
func (c *coalescer) flush() {
	var spare []byte
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil {
		if len(c.buf) == 0 {
			if c.closing {
				return
			}
			c.changed.Wait()
			continue
		}
		out := c.buf
		c.buf, c.writing = spare[:0], true
		c.changed.Broadcast() // there is room
		c.mu.Unlock()
		_, err := c.Conn.Write(out)
		c.mu.Lock()
		spare, c.writing, c.err = out, false, err
		c.changed.Broadcast()
	}
}

// Close writes what is left, connection.close-ok for example, if that takes but a moment.
func (c *coalescer) Close() error {
	c.Conn.SetWriteDeadline(time.Now().Add(farewell))
	c.mu.Lock()
	c.closing = true
	c.changed.Broadcast()
	for c.err == nil && (len(c.buf) > 0 || c.writing) {
		c.changed.Wait()
	}
	c.mu.Unlock()
	return c.Conn.Close()
}
