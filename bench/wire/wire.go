// Package wire writes and reads AMQP 0-9-1 frames with as little work as can be. It knows just enough for the
// benchmark's limits (frames encoded beforehand) and for its null broker; it is no client.
package wire

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Header is what a client sends first.
const Header = "AMQP\x00\x00\x09\x01"

// MaxFrame is the largest frame that both sides agree on.
const MaxFrame = 128 << 10

// Kinds of frames (AMQP 0-9-1, section 4.2.3).
const (
	MethodFrame  = 1
	ContentFrame = 2
	BodyFrame    = 3
)

// ID is a method's class and number.
type ID uint32

// The methods of which the benchmark knows.
const (
	ConnectionStart   ID = 10<<16 | 10
	ConnectionStartOk ID = 10<<16 | 11
	ConnectionTune    ID = 10<<16 | 30
	ConnectionTuneOk  ID = 10<<16 | 31
	ConnectionOpen    ID = 10<<16 | 40
	ConnectionOpenOk  ID = 10<<16 | 41
	ConnectionClose   ID = 10<<16 | 50
	ConnectionCloseOk ID = 10<<16 | 51
	ChannelOpen       ID = 20<<16 | 10
	ChannelOpenOk     ID = 20<<16 | 11
	ChannelClose      ID = 20<<16 | 40
	ChannelCloseOk    ID = 20<<16 | 41
	QueueDeclare      ID = 50<<16 | 10
	QueueDeclareOk    ID = 50<<16 | 11
	BasicQos          ID = 60<<16 | 10
	BasicQosOk        ID = 60<<16 | 11
	BasicConsume      ID = 60<<16 | 20
	BasicPublish      ID = 60<<16 | 40
	BasicDeliver      ID = 60<<16 | 60
	BasicAck          ID = 60<<16 | 80
	ConfirmSelect     ID = 85<<16 | 10
	ConfirmSelectOk   ID = 85<<16 | 11
	TxSelect          ID = 90<<16 | 10
	TxSelectOk        ID = 90<<16 | 11
	TxCommit          ID = 90<<16 | 20
	TxCommitOk        ID = 90<<16 | 21
)

// Arguments of a method, in the order of the specification: uint8, uint16, uint32, uint64, Short and Long.
type (
	Short string // at most 255 bytes
	Long  []byte // long strings and tables
)

// Method encodes a method frame.
func Method(channel uint16, id ID, args ...any) []byte {
	p := binary.BigEndian.AppendUint32(nil, uint32(id))
	for _, arg := range args {
		switch v := arg.(type) {
		case uint8:
			p = append(p, v)
		case uint16:
			p = binary.BigEndian.AppendUint16(p, v)
		case uint32:
			p = binary.BigEndian.AppendUint32(p, v)
		case uint64:
			p = binary.BigEndian.AppendUint64(p, v)
		case Short:
			p = append(append(p, byte(len(v))), v...)
		case Long:
			p = append(binary.BigEndian.AppendUint32(p, uint32(len(v))), v...)
		}
	}
	return frame(nil, MethodFrame, channel, p)
}

// Properties are those of a message as they are sent: a flag for each that is there, and these in the order of the flags.
type Properties []byte

// Properties of messages that have no other than the delivery mode.
var (
	Transient  = Properties{0x10, 0, 1}
	Persistent = Properties{0x10, 0, 2}
)

// AsSend returns the properties that send --persistent gives a message: content type, delivery mode, id and timestamp.
func AsSend() Properties {
	const contentType, id = "text/plain", "00000000-0000-4000-8000-000000000000"
	p := Properties{0x90, 0xc0}
	p = append(append(p, byte(len(contentType))), contentType...)
	p = append(p, 2)
	p = append(append(p, byte(len(id))), id...)
	return binary.BigEndian.AppendUint64(p, uint64(time.Now().Unix()))
}

// Publish encodes a message for a queue, as basic.publish through the default exchange.
func Publish(queue string, body []byte, properties Properties) []byte {
	p := Method(1, BasicPublish, uint16(0), Short(""), Short(queue), uint8(0))
	header := binary.BigEndian.AppendUint64([]byte{0, 60, 0, 0}, uint64(len(body)))
	p = frame(p, ContentFrame, 1, append(header, properties...))
	for len(body) > 0 {
		part := body[:min(len(body), MaxFrame-8)]
		p, body = frame(p, BodyFrame, 1, part), body[len(part):]
	}
	return p
}

func frame(dst []byte, kind byte, channel uint16, payload []byte) []byte {
	dst = binary.BigEndian.AppendUint16(append(dst, kind), channel)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	return append(append(dst, payload...), 0xce)
}

// Reader reads frames.
type Reader struct{ *bufio.Reader }

// NewReader returns a Reader with room for the largest frame.
func NewReader(r io.Reader) Reader { return Reader{bufio.NewReaderSize(r, 2*MaxFrame)} }

// Frame is one frame. Its payload is valid until the next is read.
type Frame struct {
	Kind    byte
	Channel uint16
	Payload []byte
}

// Next reads a frame.
func (r Reader) Next() (Frame, error) {
	head, err := r.Peek(7)
	if err != nil {
		return Frame{}, err
	}
	f := Frame{Kind: head[0], Channel: binary.BigEndian.Uint16(head[1:])}
	size := int(binary.BigEndian.Uint32(head[3:])) + 8
	if size > MaxFrame {
		return f, fmt.Errorf("a frame of %d bytes", size)
	}
	whole, err := r.Peek(size)
	if err != nil {
		return f, err
	}
	f.Payload = whole[7 : size-1]
	_, err = r.Discard(size)
	return f, err
}

// Method is the frame's method, 0 if it is no method frame.
func (f Frame) Method() ID {
	if f.Kind != MethodFrame || len(f.Payload) < 4 {
		return 0
	}
	return ID(binary.BigEndian.Uint32(f.Payload))
}

// BodySize is what a content header announces.
func (f Frame) BodySize() uint64 { return binary.BigEndian.Uint64(f.Payload[4:]) }

// Await reads frames until one with this method comes.
func (r Reader) Await(id ID) (Frame, error) {
	for {
		f, err := r.Next()
		if err != nil || f.Method() == id {
			return f, err
		}
		if m := f.Method(); m == ConnectionClose || m == ChannelClose {
			return f, fmt.Errorf("the broker closes: %q", f.Payload)
		}
	}
}
