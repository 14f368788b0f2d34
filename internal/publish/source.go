package publish

import (
	"bytes"
	"io"
	"os"
)

// source is where the bodies come from: the arguments, again and again, or standard input.
type source struct {
	text   []byte       // of the arguments, if input is nil
	input  <-chan block // from standard input
	ready  [][]byte     // bodies read from it and not taken yet
	err    error        // reading the input failed
	ended  bool
	skip   int
	left   int // how many more; -1: no limit
	number int // of the last body taken
}

// block is what one read of the input brought.
type block struct {
	bodies [][]byte
	err    error
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
	switch {
	case o.stdin:
		go readAll(stdin, blocks)
	case o.null:
		go readSeparated(stdin, 0, blocks)
	default:
		go readSeparated(stdin, '\n', blocks)
	}
	return s
}

// next returns the next body, or ok false: then either the source has ended or it has to wait for input.
func (s *source) next() (body []byte, ok bool) {
	switch {
	case s.left == 0:
		s.ended = true
		return nil, false
	case s.input == nil:
		body = s.text
	case len(s.ready) == 0:
		return nil, false
	default:
		body, s.ready[0], s.ready = s.ready[0], nil, s.ready[1:]
	}
	s.number++
	if s.left > 0 {
		s.left--
	}
	return body, true
}

// add takes over a block from the input channel; ok is false once that is closed.
func (s *source) add(b block, ok bool) {
	if !ok {
		s.ended = true
		return
	}
	skipped := min(s.skip, len(b.bodies))
	s.skip -= skipped
	s.number += skipped
	s.ready = b.bodies[skipped:]
	if b.err != nil {
		s.err, s.ended = b.err, true
	}
}

// waiting is the channel to wait on for add, nil if there is nothing to wait for.
func (s *source) waiting() <-chan block {
	if s.ended || len(s.ready) > 0 {
		return nil
	}
	return s.input
}

func readAll(r io.Reader, blocks chan<- block) {
	defer close(blocks)
	body, err := all(r)
	if err != nil {
		blocks <- block{err: err}
		return
	}
	blocks <- block{bodies: [][]byte{body}}
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

// readSeparated cuts the input at each separator and passes on at once what a read has brought, so that the lines of
// a log flow as they are written. The bodies are slices of the blocks that were read, not copies: at most the blocks
// of the unconfirmed messages are in memory. A line may be of any length; the last one needs no end.
func readSeparated(r io.Reader, separator byte, blocks chan<- block) {
	defer close(blocks)
	var (
		buf   = make([]byte, 0, blockSize)
		begin = 0 // of the unfinished line
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
		var b block
		for i := bytes.IndexByte(buf[fresh:], separator); i >= 0; i = bytes.IndexByte(buf[fresh:], separator) {
			b.bodies = append(b.bodies, line(buf[begin:fresh+i], separator))
			fresh += i + 1
			begin = fresh
		}
		switch {
		case err == io.EOF && begin < len(buf):
			b.bodies = append(b.bodies, line(buf[begin:], separator))
		case err != nil && err != io.EOF:
			b.err = err
		}
		if len(b.bodies) > 0 || b.err != nil {
			blocks <- b
		}
	}
}

// line takes the \r from a line that ended with \r\n, and the capacity to grow into its neighbour.
func line(text []byte, separator byte) []byte {
	if separator == '\n' {
		text = bytes.TrimSuffix(text, []byte("\r"))
	}
	return text[:len(text):len(text)]
}
