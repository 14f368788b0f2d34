package show

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosedPipe is returned by Output's methods when whoever read the output has gone, as head does after its last
// line. A program ends quietly then.
var ErrClosedPipe = errors.New("standard output was closed by its reader")

// ErrNotRead is returned by Output's methods once GiveUp was called.
var ErrNotRead = errors.New("writing to standard output: whoever reads it has stopped")

// file is a file whose reader may stop: a write to a full pipe waits for ever, and nothing ends it. So it is done in a
// goroutine of its own, which can be left behind. That costs a microsecond a write, of which there is one for 64 KiB or
// before each wait.
type file struct {
	f       *os.File
	begin   sync.Once
	writes  chan []byte
	written chan error
	given   chan struct{} // closed by giveUp
	give    sync.Once
	since   atomic.Int64  // when the present write began, in Unix nanoseconds; 0: there is none
	closed  chan struct{} // closed when the reader of a pipe has gone
}

func newFile(f *os.File) *file {
	w := &file{f: f, writes: make(chan []byte), written: make(chan error, 1), given: make(chan struct{}), closed: make(chan struct{})}
	if info, err := f.Stat(); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		go watchPipe(f, w.closed)
	}
	return w
}

// Write writes p, which is not to be changed after an ErrNotRead. It may be called by one goroutine at a time.
func (w *file) Write(p []byte) (int, error) {
	w.begin.Do(func() { go w.write() })
	select {
	case w.writes <- p:
	case <-w.given:
		return 0, ErrNotRead
	}
	w.since.Store(time.Now().UnixNano())
	defer w.since.Store(0)
	select {
	case err := <-w.written:
		if err != nil {
			return 0, explain(err)
		}
		return len(p), nil
	case <-w.given:
		return 0, ErrNotRead
	}
}

func (w *file) write() {
	if closedAtStart(w.f) {
		<-w.writes
		w.written <- errors.New("it is closed")
		return
	}
	for {
		select {
		case p := <-w.writes:
			_, err := w.f.Write(p)
			w.written <- err
		case <-w.given:
			return
		}
	}
}

func (w *file) stuck() time.Time {
	since := w.since.Load()
	if since == 0 {
		return time.Time{}
	}
	return time.Unix(0, since)
}

func (w *file) giveUp() {
	w.give.Do(func() { close(w.given) })
	w.since.Store(0)
}

// explain puts the failure of a write in words.
func explain(err error) error {
	if unread(err) {
		return ErrClosedPipe
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err // the file's name is no use to anyone
	}
	return fmt.Errorf("writing to standard output: %w", err)
}
