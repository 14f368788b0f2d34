package show

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"unicode/utf8"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// ErrClosedPipe is returned by Output's methods when whoever read the output has gone, as head does after its last
// line. A program ends quietly then.
var ErrClosedPipe = errors.New("standard output was closed by its reader")

// Output is standard output for results: buffered, so that a million lines do not cost a million system calls, and
// flushed at every line on a terminal and by Flush before each wait. Its methods may be called from several
// goroutines, and one call's text is never mixed with another's.
type Output struct {
	mu   sync.Mutex
	w    *bufio.Writer // keeps its first error
	line bool          // flush at every line: a person is watching
	buf  []byte        // of escaped
	json bytes.Buffer  // of object

	closed chan struct{}
}

// NewOutput returns the Output that writes to f, which is os.Stdout outside of tests.
func NewOutput(f *os.File) *Output {
	o := &Output{
		w: bufio.NewWriterSize(f, 64<<10), line: term.IsTerminal(int(f.Fd())), closed: make(chan struct{}),
	}
	if info, err := f.Stat(); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		go o.watch(int32(f.Fd()))
	}
	return o
}

// Closed is closed when the reader of a pipe has gone. A program that waits for messages would not notice otherwise
// until it writes the next.
func (o *Output) Closed() <-chan struct{} { return o.closed }

// watch waits for the error condition of a pipe that nobody reads from any more, which poll reports unasked.
func (o *Output) watch(fd int32) {
	for {
		pipe := []unix.PollFd{{Fd: fd}}
		_, err := unix.Poll(pipe, -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err == nil && pipe[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
			close(o.closed)
		}
		return
	}
}

// Printf writes one result line, which format must end with a newline.
func (o *Output) Printf(format string, args ...any) error {
	return o.print(func() { fmt.Fprintf(o.w, format, args...) })
}

// Line writes prefix and text, which is escaped, and a newline.
func (o *Output) Line(prefix string, text []byte) error {
	return o.print(func() {
		o.w.WriteString(prefix)
		o.escaped(text, AppendEscaped)
		o.w.WriteByte('\n')
	})
}

// Write writes what another program has printed, at once.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.w.Write(p); err != nil {
		return 0, pipeError(err)
	}
	return len(p), pipeError(o.w.Flush())
}

// print lets fill write one line to o.w, so that a message of a hundred mebibytes is not copied on its way out.
func (o *Output) print(fill func()) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	fill()
	if o.line {
		return pipeError(o.w.Flush())
	}
	_, err := o.w.Write(nil) // its first error
	return pipeError(err)
}

// piece is how much of a text is escaped at once.
const piece = 8 << 10

// escaped writes a text escaped, a piece at a time.
func (o *Output) escaped(text []byte, escape func(dst, text []byte) []byte) {
	for len(text) > 0 {
		n := whole(text, piece)
		o.buf = escape(o.buf[:0], text[:n])
		o.w.Write(o.buf)
		text = text[n:]
	}
}

// whole is a length of at most n up to which no character of the text is cut in two.
func whole(text []byte, n int) int {
	if len(text) <= n {
		return len(text)
	}
	for end := n; end > n-utf8.UTFMax; end-- {
		if utf8.RuneStart(text[end]) {
			return end
		}
	}
	return n // it is not UTF-8
}

// Flush hands over everything printed so far. What has not been flushed may not be acknowledged.
func (o *Output) Flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return pipeError(o.w.Flush())
}

func pipeError(err error) error {
	var file *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE):
		return ErrClosedPipe
	case errors.As(err, &file):
		return fmt.Errorf("writing to standard output: %w", file.Err)
	default:
		return fmt.Errorf("writing to standard output: %w", err)
	}
}
