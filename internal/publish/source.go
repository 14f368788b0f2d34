package publish

import (
	"bytes"
	"io"
	"os"
	"slices"
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

	offered atomic.Int32  // blocks that are there and that add was not called with yet
	spent   []spentBuffer // buffers all of whose bodies have been taken
	free    chan<- []byte // buffers that may be filled again
}

// block is what one read of the input brought: whole lines, the last one of the input perhaps without its end.
type block struct {
	text  []byte
	err   error
	spent []byte // the buffer of the blocks before this one, if this is the first of another
}

// spentBuffer is a buffer, and the number of the last body in it.
type spentBuffer struct {
	number int
	buf    []byte
}

// newSource begins to read standard input, if the options ask for it.
func (o *Options) newSource(text string, stdin io.Reader) *source {
	s := &source{text: []byte(text), left: o.count, skip: o.skip}
	if o.count == 0 || o.separated() {
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
	free := make(chan []byte, freeBlocks)
	s.input, s.free = blocks, free
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
			readSeparated(stdin, s.separator[0], offer, free)
		}
	}()
	return s
}

// has says whether there is a body to take now, or one that waits to be read.
func (s *source) has() bool {
	return !s.ended && (s.input == nil && s.left != 0 || s.more || s.offered.Load() > 0)
}

// next returns the next body, or ok false: then either the source has ended or it has to wait for input. The body is
// part of a buffer that is filled again once release has been called for it.
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
	if b.spent != nil {
		s.spent = append(s.spent, spentBuffer{s.number, b.spent})
	}
	s.ready, s.err = b.text, b.err
	s.more = len(b.text) > 0 || s.separator == nil && b.err == nil
	for ; s.skip > 0 && s.more; s.skip-- {
		s.cut()
		s.number++
		s.release(s.number) // nobody has any of those before it
	}
}

// waiting is the channel to wait on for add, nil if there is nothing to wait for.
func (s *source) waiting() <-chan block {
	if s.ended || s.more || s.err != nil {
		return nil
	}
	return s.input
}

// release says that no body up to the one with this number is needed any more.
func (s *source) release(number int) {
	for len(s.spent) > 0 && s.spent[0].number <= number {
		select {
		case s.free <- s.spent[0].buf:
		default:
		}
		s.spent = slices.Delete(s.spent, 0, 1) // which also lets go of it
	}
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
	freeBlocks = 32      // so many are kept to be filled again
)

// readSeparated passes on at once what a read has brought, up to the last separator in it, so that the lines of a log
// flow as they are written. The bodies are parts of the buffers that were read, not copies: at most the buffers of the
// unconfirmed messages are in memory. Buffers that come back on free are filled again. A line may be of any length; the
// last one needs no end.
func readSeparated(r io.Reader, separator byte, offer func(block), free <-chan []byte) {
	var (
		buf   = make([]byte, 0, blockSize)
		begin = 0    // of what has not been passed on
		spent []byte // buffer that has been passed on whole
		err   error
	)
	for err == nil {
		if cap(buf)-len(buf) < readSize {
			rest := buf[begin:]
			if cap(buf) == blockSize {
				spent = buf[:0]
			}
			buf = append(buffer(max(blockSize, 2*len(rest), min(8*len(rest), largeBlock)), free), rest...)
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
		b := block{spent: spent}
		switch {
		case err == io.EOF:
			end = len(buf)
		case err != nil:
			b.err = err
		}
		if end > begin || b.err != nil {
			b.text = buf[begin:end]
			offer(b)
			begin, spent = end, nil
		}
	}
}

// buffer returns an empty buffer, one to be filled again if there is one and it is large enough.
func buffer(size int, free <-chan []byte) []byte {
	if size == blockSize {
		select {
		case buf := <-free:
			return buf
		default:
		}
	}
	return make([]byte, 0, size)
}
