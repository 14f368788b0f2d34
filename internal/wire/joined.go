package wire

import (
	"net"
	"sync"
	"time"
)

const (
	writeRoom = 128 << 10 // so much may wait to be written; then Write waits too
	farewell  = 100 * time.Millisecond
)

// joined makes few large writes out of many small ones. The library flushes after every message, which at a hundred
// thousand messages a second is most of a client's work. What is written while another write is under way goes out together
// with the next one; nothing ever waits for more to come.
type joined struct {
	stream net.Conn

	mu      sync.Mutex
	changed sync.Cond // buf, err or closing
	buf     []byte    // to be written
	writing bool
	closing bool
	err     error
	stuck   time.Time // since when a Write waits for room; zero: none does
	written time.Time // when the last write to the stream was done
}

func join(stream net.Conn) *joined {
	w := &joined{stream: stream}
	w.changed.L = &w.mu
	go w.flush()
	return w
}

// Write takes p over. An error of an earlier write is told by the next one, as with any buffered connection.
func (w *joined) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.buf) > writeRoom {
		w.awaitRoom()
	}
	switch {
	case w.err != nil:
		return 0, w.err
	case w.closing:
		return 0, net.ErrClosed
	}
	w.buf = append(w.buf, p...)
	if !w.writing {
		w.changed.Broadcast()
	}
	return len(p), nil
}

func (w *joined) awaitRoom() {
	w.stuck = time.Now()
	for len(w.buf) > writeRoom && w.err == nil && !w.closing {
		w.changed.Wait()
	}
	w.stuck = time.Time{}
}

// flush writes whatever there is, until an error or Close.
func (w *joined) flush() {
	var spare []byte
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.err == nil {
		if len(w.buf) == 0 {
			if w.closing {
				return
			}
			w.changed.Wait()
			continue
		}
		out := w.buf
		w.buf, w.writing = spare[:0], true
		w.changed.Broadcast() // there is room
		w.mu.Unlock()
		_, err := w.stream.Write(out)
		w.mu.Lock()
		spare, w.writing, w.written = out, false, time.Now()
		if w.err == nil {
			w.err = err
		}
		w.changed.Broadcast()
	}
}

// Close writes what is left, if that takes but a moment, and closes the stream.
func (w *joined) Close() error {
	w.stream.SetWriteDeadline(time.Now().Add(farewell))
	w.mu.Lock()
	w.closing = true
	w.changed.Broadcast()
	for w.err == nil && (len(w.buf) > 0 || w.writing) {
		w.changed.Wait()
	}
	w.mu.Unlock()
	return w.stream.Close()
}

// sever lets every Write fail, the one that waits too.
func (w *joined) sever() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = net.ErrClosed
	}
	w.changed.Broadcast()
}

func (w *joined) stuckSince() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stuck
}

func (w *joined) lastWritten() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.written
}
