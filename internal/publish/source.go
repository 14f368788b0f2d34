package publish

import (
	"bytes"
	"io"
	"os"
	"sync/atomic"
)

// source is where the bodies come from: the arguments, again and again, or standard input.
type source struct {
	text      []byte       // of the arguments, if input is nil
	input     <-chan block // from standard input
	separator []byte       // what ends a body there; nil: all of a block is one
	ready     []byte       // read from it and not taken yet
	more      bool         // ready holds a body, which may be empty
	err       error        // reading the input failed
	ended     bool
	skip      int
	left      int // how many more; -1: no limit
	number    int // of the last body taken

	offered atomic.Int32 // blocks that are there and that add was not called with yet
}

// block is what one read of the input brought: whole lines, the last one of the input perhaps without its end.
type block struct {
	text []byte
	err  error
}

// newSource begins to read standard input, if the options ask for it.
func (o *Options) newSource(text string, stdin io.Reader) *source {
	s := &source{text: []byte(text), left: o.count, skip: o.skip}
	if o.count == 0 || o.lines || o.null {
		s.left = -1
		if o.count > 0 && o.given("count") {
			s.left = o.count
		}
	}
	if !o.fromInput() {
		s.number, s.skip = o.skip, 0
		return s
	}
	blocks := make(chan block)
	s.input = blocks
	offer := func(b block) {
		s.offered.Add(1)
		blocks <- b
	}
	switch {
	case o.stdin:
	case o.null:
		s.separator = []byte{0}
	default:
		s.separator = []byte{'\n'}
	}
	go func() {
		defer close(blocks)
		if o.stdin {
			readAll(stdin, offer)
		} else {
			readSeparated(stdin, s.separator[0], offer)
		}
	}()
	return s
}

// has says whether there is a body to take now, or one that waits to be read.
func (s *source) has() bool {
	return !s.ended && (s.input == nil && s.left != 0 || s.more || s.offered.Load() > 0)
}

// next returns the next body, or ok false: then either the source has ended or it has to wait for input. The body is
// part of what was read, not a copy.
func (s *source) next() (body []byte, ok bool) {
	switch {
	case s.left == 0:
		s.ended = true
		return nil, false
	case s.input == nil:
		body = s.text
	case s.more:
		body = s.cut()
	default:
		s.ended = s.ended || s.err != nil
		return nil, false
	}
	s.number++
	if s.left > 0 {
		s.left--
	}
	return body, true
}

// cut takes the first body off what has been read.
func (s *source) cut() (body []byte) {
	if s.separator == nil {
		s.more = false
		return s.ready
	}
	body, s.ready, _ = bytes.Cut(s.ready, s.separator)
	s.more = len(s.ready) > 0
	if s.separator[0] == '\n' {
		body = bytes.TrimSuffix(body, []byte("\r"))
	}
	return body[:len(body):len(body)] // without room to grow into its neighbour
}

// add takes over a block from the input channel; ok is false once that is closed.
func (s *source) add(b block, ok bool) {
	if !ok {
		s.ended = true
		return
	}
	s.offered.Add(-1)
	s.ready, s.err = b.text, b.err
	s.more = len(b.text) > 0 || s.separator == nil && b.err == nil
	for ; s.skip > 0 && s.more; s.skip-- {
		s.cut()
		s.number++
	}
}

// waiting is the channel to wait on for add, nil if there is nothing to wait for.
func (s *source) waiting() <-chan block {
	if s.ended || s.more || s.err != nil {
		return nil
	}
	return s.input
}

func readAll(r io.Reader, offer func(block)) {
	body, err := all(r)
	if err != nil {
		offer(block{err: err})
		return
	}
	offer(block{text: body})
}

// all is io.ReadAll, which reads a large input in parts and copies them together, without the copy where the size is
// known: that of a file.
func all(r io.Reader) ([]byte, error) {
	f, ok := r.(*os.File)
	if !ok {
		return io.ReadAll(r)
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > largestMessage {
		return io.ReadAll(r)
	}
	var b bytes.Buffer
	b.Grow(int(info.Size()) + bytes.MinRead) // which it wants free to see the end
	_, err = b.ReadFrom(r)
	return b.Bytes(), err
}

// largestMessage is more than any RabbitMQ takes.
const largestMessage = 1 << 30

const (
	blockSize  = 64 << 10
	largeBlock = 1 << 20 // for long lines, of which each would need a block of its own, and be copied there
	readSize   = 4 << 10 // a read gets at least so much room
)

// readSeparated passes on at once what a read has brought, up to the last separator in it, so that the lines of a log
// flow as they are written. The bodies are parts of the buffers that were read, not copies: at most the buffers of the
// unconfirmed messages are in memory. (To fill buffers again was not faster: 3.17 s of CPU against 3.21 for a million lines
// with confirms, 1.64 against 1.55 without.) A line may be of any length; the last one needs no end.
func readSeparated(r io.Reader, separator byte, offer func(block)) {
	var (
		buf   = make([]byte, 0, blockSize)
		begin = 0 // of what has not been passed on
		err   error
	)
	for err == nil {
		if cap(buf)-len(buf) < readSize {
			rest := buf[begin:]
			buf = append(make([]byte, 0, max(blockSize, 2*len(rest), min(8*len(rest), largeBlock))), rest...)
			begin = 0
		}
		var n int
		n, err = r.Read(buf[len(buf):cap(buf)])
		fresh := len(buf)
		buf = buf[:len(buf)+n]
		end := fresh + bytes.LastIndexByte(buf[fresh:], separator) + 1
		if end == fresh {
			end = begin // no line is complete
		}
		var b block
		switch {
		case err == io.EOF:
			end = len(buf)
		case err != nil:
			b.err = err
		}
		if end > begin || b.err != nil {
			b.text = buf[begin:end]
			offer(b)
			begin = end
		}
	}
}
