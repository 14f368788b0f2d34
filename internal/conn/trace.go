package conn

import (
	"encoding/binary"
	"fmt"
	"net"
	"strings"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/show"
)

// tap tells on standard error which AMQP methods pass through a connection, in the protocol's own terms, for
// --verbose. It names methods and the fields listed in methods.go, which hold no secret.
type tap struct {
	net.Conn
	sent, received frames
}

func newTap(c net.Conn) *tap {
	return &tap{
		Conn:     c,
		sent:     frames{tell: func(text string) { cli.Say("-> %s", text) }, greeting: len("AMQP\x00\x00\x09\x01")},
		received: frames{tell: func(text string) { cli.Say("<- %s", text) }},
	}
}

func (t *tap) Write(p []byte) (int, error) {
	t.sent.feed(p)
	return t.Conn.Write(p)
}

func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.received.feed(p[:n])
	return n, err
}

// Frame types (AMQP 0-9-1, section 4.2.3).
const (
	frameMethod = 1
	frameHeader = 2
	frameBody   = 3
)

const (
	frameOverhead = 7 + 1   // type, channel, size; end
	traceable     = 1 << 17 // a frame larger than any that is negotiated is not AMQP, and not collected
)

// frames cuts a stream of bytes, which come in pieces of any size, into frames.
type frames struct {
	tell     func(string)
	greeting int    // bytes before the first frame
	skip     int    // bytes of a body, which is not collected
	partial  []byte // the beginning of a frame
}

func (f *frames) feed(p []byte) {
	for len(p) > 0 {
		if drop := min(f.greeting, len(p)); drop > 0 {
			f.greeting -= drop
			p = p[drop:]
			continue
		}
		if drop := min(f.skip, len(p)); drop > 0 {
			f.skip -= drop
			p = p[drop:]
			continue
		}
		want := 7
		if len(f.partial) >= 7 {
			want = frameOverhead + int(binary.BigEndian.Uint32(f.partial[3:]))
		}
		take := min(want-len(f.partial), len(p))
		f.partial = append(f.partial, p[:take]...)
		p = p[take:]
		if len(f.partial) == want {
			f.next()
		}
	}
}

// next is called with a frame's first seven bytes, and again with all of it unless it is skipped.
func (f *frames) next() {
	kind, channel := f.partial[0], binary.BigEndian.Uint16(f.partial[1:])
	size := int(binary.BigEndian.Uint32(f.partial[3:]))
	if len(f.partial) == 7 {
		if kind != frameMethod && kind != frameHeader || size > traceable {
			f.skip = size + 1
			f.partial = f.partial[:0]
		}
		return
	}
	payload := f.partial[7 : 7+size]
	switch kind {
	case frameMethod:
		f.tell(fmt.Sprintf("channel %d: %s", channel, describe(payload)))
	case frameHeader:
		if len(payload) >= 12 {
			f.tell(fmt.Sprintf("channel %d: content of %d bytes", channel, binary.BigEndian.Uint64(payload[4:])))
		}
	}
	f.partial = f.partial[:0]
}

// describe names a method and its telling fields.
func describe(payload []byte) string {
	if len(payload) < 4 {
		return "a method frame that is too short"
	}
	class, id := binary.BigEndian.Uint16(payload), binary.BigEndian.Uint16(payload[2:])
	m, known := methods()[[2]uint16{class, id}]
	if !known {
		return fmt.Sprintf("method %d.%d", class, id)
	}
	fields := arguments{rest: payload[4:]}
	var b strings.Builder
	b.WriteString(m.name)
	for _, field := range m.fields {
		fields.append(&b, field)
	}
	return b.String()
}

// arguments reads a method's arguments (AMQP 0-9-1, section 4.2.5) as far as they go.
type arguments struct {
	rest []byte
	bad  bool
}

func (a *arguments) take(n int) []byte {
	if n > len(a.rest) || a.bad {
		a.bad = true
		return make([]byte, 8)[:min(n, 8)]
	}
	taken := a.rest[:n]
	a.rest = a.rest[n:]
	return taken
}

func (a *arguments) number(bytes int) (n uint64) {
	for _, b := range a.take(bytes) {
		n = n<<8 | uint64(b)
	}
	return n
}

// append writes one field as " name=value". A field without a name is read and not shown.
func (a *arguments) append(b *strings.Builder, f field) {
	var value any
	switch f.kind {
	case octet:
		value = a.number(1)
	case short:
		value = a.number(2)
	case long:
		value = a.number(4)
	case longlong:
		value = a.number(8)
	case shortstr:
		value = show.Escape(string(a.take(int(a.number(1)))))
	case longstr:
		value = show.Escape(string(a.take(int(a.number(4)))))
	case table:
		a.take(int(a.number(4)))
		return
	case bits:
		octet := a.number(1)
		for i, name := range strings.Split(f.name, " ") {
			if !a.bad && octet>>i&1 == 1 {
				b.WriteString(" " + name)
			}
		}
		return
	}
	if f.name != "" && !a.bad {
		fmt.Fprintf(b, " %s=%v", f.name, value)
	}
}
