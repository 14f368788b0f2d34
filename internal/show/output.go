package show

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// Output is standard output for results: buffered, so that a million lines do not cost a million system calls, and
// flushed at every line on a terminal and by Flush before each wait. Its methods may be called from several
// goroutines, and one call's text is never mixed with another's.
type Output struct {
	mu   sync.Mutex
	w    *bufio.Writer // keeps its first error
	file *file         // below w
	line bool          // flush at every line: a person is watching
	buf  []byte        // of escaped
	json bytes.Buffer  // of object
}

// NewOutput returns the Output that writes to f, which is os.Stdout outside of tests.
func NewOutput(f *os.File) *Output {
	below := newFile(f)
	return &Output{w: bufio.NewWriterSize(below, 64<<10), file: below, line: term.IsTerminal(int(f.Fd()))}
}

// Closed is closed when the reader of a pipe has gone. A program that waits for messages would not notice otherwise
// until it writes the next.
func (o *Output) Closed() <-chan struct{} { return o.file.closed }

// Stuck returns since when a write has been waiting for whoever reads the output; zero if none is.
func (o *Output) Stuck() time.Time { return o.file.stuck() }

// GiveUp lets every write fail that is not done yet, and all that come.
func (o *Output) GiveUp() { o.file.giveUp() }

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
		return 0, err
	}
	return len(p), o.w.Flush()
}

// print lets fill write one line to o.w, so that a message of a hundred mebibytes is not copied on its way out.
func (o *Output) print(fill func()) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	fill()
	if o.line {
		return o.w.Flush()
	}
	_, err := o.w.Write(nil) // its first error
	return err
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
	return o.w.Flush()
}
