package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Frame types (AMQP 0-9-1, section 4.2.3).
const (
	frameMethod    = 1
	frameHeader    = 2
	frameBody      = 3
	frameHeartbeat = 8
)

const (
	greeting      = len("AMQP\x00\x00\x09\x01") // what a client says before its first frame
	frameHead     = 7                           // type, channel, size
	frameOverhead = frameHead + 1               // and the end
	collectable   = 1 << 17                     // a frame larger than any that is negotiated is not AMQP, and not collected
)

// frames cuts a stream of bytes, which come in pieces of any size, into frames.
type frames struct {
	// see is called for each frame. The payload is that of a method or a content header, which is not kept; of a body
	// nothing is collected.
	see     func(kind byte, channel uint16, payload []byte) error
	limit   int    // a frame with a larger payload is an error; 0: none is
	skip    int    // bytes that are passed over: the greeting, or a body
	partial []byte // the beginning of a frame that came in pieces
}

// feed takes the next piece of the stream. Its error is see's.
func (f *frames) feed(p []byte) error {
	for len(p) > 0 {
		if drop := min(f.skip, len(p)); drop > 0 {
			f.skip -= drop
			p = p[drop:]
			continue
		}
		if len(f.partial) == 0 && len(p) >= frameHead {
			used, err := f.whole(p)
			if err != nil {
				return err
			}
			if used > 0 {
				p = p[used:]
				continue
			}
		}
		used, err := f.collect(p)
		if err != nil {
			return err
		}
		p = p[used:]
	}
	return nil
}

// whole takes the frame with which p begins, if all that is wanted of it is there: nearly always, and without a copy.
func (f *frames) whole(p []byte) (used int, err error) {
	kind, channel, size := head(p)
	if skipped(kind, size) {
		return frameHead, f.pass(kind, channel, size)
	}
	if len(p) < size+frameOverhead {
		return 0, nil
	}
	return size + frameOverhead, f.see(kind, channel, p[frameHead:frameHead+size])
}

// collect adds to the beginning of a frame, and takes it when it is complete.
func (f *frames) collect(p []byte) (used int, err error) {
	want := frameHead
	if len(f.partial) >= frameHead {
		_, _, size := head(f.partial)
		want = size + frameOverhead
	}
	used = min(want-len(f.partial), len(p))
	f.partial = append(f.partial, p[:used]...)
	if len(f.partial) < want {
		return used, nil
	}
	kind, channel, size := head(f.partial)
	switch {
	case skipped(kind, size):
		err = f.pass(kind, channel, size)
	case want > frameHead:
		err = f.see(kind, channel, f.partial[frameHead:frameHead+size])
	default:
		return used, nil // the head, of which more is to come
	}
	f.partial = f.partial[:0]
	return used, err
}

// pass lets a frame pass whose payload is of no interest.
func (f *frames) pass(kind byte, channel uint16, size int) error {
	if f.limit > 0 && size > f.limit {
		return fmt.Errorf("a frame of %d bytes", size)
	}
	f.skip = size + 1
	return f.see(kind, channel, nil)
}

func head(p []byte) (kind byte, channel uint16, size int) {
	size = int(min(binary.BigEndian.Uint32(p[3:]), math.MaxInt32-1)) // so that an int of 32 bits holds it, and one more
	return p[0], binary.BigEndian.Uint16(p[1:]), size
}

// skipped says whether a frame's payload is of no interest.
func skipped(kind byte, size int) bool {
	return kind != frameMethod && kind != frameHeader || size > collectable
}
