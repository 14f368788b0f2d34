package wire

import (
	"encoding/binary"
	"fmt"
	"strings"

	"amqp-tutorials/internal/show"
)

// teller returns a frames.see that tells, in the protocol's own terms, which AMQP methods pass, for --verbose. It names
// methods and the fields listed in methods.go, which hold no secret.
func teller(tell func(string)) func(kind byte, channel uint16, payload []byte) error {
	return func(kind byte, channel uint16, payload []byte) error {
		switch {
		case kind == frameMethod:
			tell(fmt.Sprintf("channel %d: %s", channel, describe(payload)))
		case kind == frameHeader && len(payload) >= 12:
			tell(fmt.Sprintf("channel %d: content of %d bytes", channel, binary.BigEndian.Uint64(payload[4:])))
		}
		return nil
	}
}

// describe names a method and its telling fields.
func describe(payload []byte) string {
	if len(payload) < 4 {
		return "a method frame that is too short"
	}
	m, known := find(idOf(payload))
	if !known {
		return idOf(payload).String()
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

// take takes so many bytes off; of a method that is cut short there are none.
func (a *arguments) take(n int) []byte {
	if n > len(a.rest) || a.bad {
		a.bad = true
		return nil
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

// value reads one argument.
func (a *arguments) value(k kind) any {
	switch k {
	case octet, bits:
		return a.number(1)
	case short:
		return a.number(2)
	case long:
		return a.number(4)
	case longlong:
		return a.number(8)
	case shortstr:
		return string(a.take(int(a.number(1))))
	default: // longstr, table
		return string(a.take(int(a.number(4))))
	}
}

// append writes one field as " name=value". A field without a name is read and not shown.
func (a *arguments) append(b *strings.Builder, f field) {
	value := a.value(f.kind)
	switch v := value.(type) {
	case string:
		value = show.Escape(v)
	case uint64:
		if f.kind != bits {
			break
		}
		for i, name := range strings.Split(f.name, " ") {
			if !a.bad && v>>i&1 == 1 {
				b.WriteString(" " + name)
			}
		}
		return
	}
	if f.name != "" && !a.bad {
		fmt.Fprintf(b, " %s=%v", f.name, value)
	}
}
