package wire

import (
	"strconv"
	"strings"

	"amqp-tutorials/internal/show"
)

// kind is a type of method argument (AMQP 0-9-1, section 4.2.1).
type kind int

const (
	octet kind = iota
	short
	long
	longlong
	shortstr
	longstr
	table
	bits // up to eight flags in an octet, the first in its lowest bit
)

// field is one argument; without a name it isn't shown. The name of bits are the flags' names.
type field struct {
	kind kind
	name string
}

// arguments reads a method's arguments (AMQP 0-9-1, section 4.2.5) as far as they go.
type arguments struct {
	rest []byte
	bad  bool
}

// take takes so many bytes off; of a method that is cut short there are none.
func (a *arguments) take(n int) []byte {
	if n < 0 || n > len(a.rest) || a.bad {
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

// appendTo adds one argument to those that are told: bits as the names of those that are set, and not what has no name,
// or is a table without fields.
func (a *arguments) appendTo(told []Field, f field) []Field {
	value := a.value(f.kind)
	if a.bad || f.name == "" {
		return told
	}
	switch v := value.(type) {
	case uint64:
		if f.kind != bits {
			return append(told, Field{f.name, strconv.FormatUint(v, 10)})
		}
		for i, name := range strings.Split(f.name, " ") {
			if v>>i&1 == 1 {
				told = append(told, Field{Name: name})
			}
		}
	case string:
		switch {
		case f.kind == table && v == "":
		case f.kind == table:
			told = append(told, Field{f.name, tableText(v)})
		case f.name == "exchange" && v == "":
			told = append(told, Field{f.name, `"" (default)`})
		default:
			told = append(told, Field{f.name, quote(v)})
		}
	}
	return told
}

// quote escapes a text, and puts it in quotes if it is empty or would not end with the next space.
func quote(text string) string {
	escaped := show.Escape(text)
	if escaped == "" || strings.ContainsAny(escaped, ` "`) {
		return `"` + strings.ReplaceAll(escaped, `"`, `\"`) + `"`
	}
	return escaped
}
