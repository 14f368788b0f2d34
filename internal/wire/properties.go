package wire

import (
	"math"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/show"
)

// properties reads the property flags of a content header and the properties that they announce (AMQP 0-9-1, section
// 4.2.6.1): of the class basic, which is the only one with contents.
func properties(rest []byte) (set []Field) {
	args := arguments{rest: rest}
	flags := args.number(2)
	if flags&1 == 1 {
		return nil // more flags follow: no property of AMQP 0-9-1 is among them
	}
	for i, f := range [...]field{
		{shortstr, "content-type"},
		{shortstr, "content-encoding"},
		{table, "headers"},
		{octet, "delivery-mode"},
		{octet, "priority"},
		{shortstr, "correlation-id"},
		{shortstr, "reply-to"},
		{shortstr, "expiration"},
		{shortstr, "message-id"},
		{longlong, "timestamp"},
		{shortstr, "type"},
		{shortstr, "user-id"},
		{shortstr, "app-id"},
		{shortstr, "cluster-id"},
	} {
		if flags>>(15-i)&1 == 0 {
			continue
		}
		if f.name == "timestamp" {
			if at := args.number(8); !args.bad {
				set = append(set, Field{f.name, timestamp(at).Format(time.RFC3339)})
			}
			continue
		}
		set = args.appendTo(set, f)
	}
	return set
}

// timestamp is one of AMQP's, which count seconds (AMQP 0-9-1, section 4.2.5.4). What is beyond all calendars stays within.
func timestamp(seconds uint64) time.Time {
	const year9999 = 253402300799
	return time.Unix(int64(min(seconds, year9999)), 0).UTC()
}

// tableText is a field table as JSON.
func tableText(payload string) string {
	args := arguments{rest: []byte(payload)}
	fields := args.table(0)
	text, err := show.Headers(fields)
	if args.bad || err != nil {
		return "(not readable)"
	}
	return string(text)
}

// deepest is how many tables and arrays are read within each other: nobody writes so many, and a hostile broker could.
const deepest = 16

// table reads all that is left as a field table.
func (a *arguments) table(depth int) amqp.Table {
	fields := amqp.Table{}
	for len(a.rest) > 0 && !a.bad {
		name := string(a.take(int(a.number(1))))
		fields[name] = a.field(depth)
	}
	return fields
}

// field reads one value of a table or array, which begins with the letter of its type (AMQP 0-9-1, section 4.2.1, as
// RabbitMQ reads it: https://www.rabbitmq.com/amqp-0-9-1-errata).
func (a *arguments) field(depth int) any {
	kind := byte(a.number(1))
	switch kind {
	case 't':
		return a.number(1) != 0
	case 'b':
		return int8(a.number(1))
	case 'B':
		return uint8(a.number(1))
	case 's':
		return int16(a.number(2))
	case 'u':
		return uint16(a.number(2))
	case 'I':
		return int32(a.number(4))
	case 'i':
		return uint32(a.number(4))
	case 'l':
		return int64(a.number(8))
	case 'L':
		return a.number(8)
	case 'f':
		return math.Float32frombits(uint32(a.number(4)))
	case 'd':
		return math.Float64frombits(a.number(8))
	case 'D':
		scale := uint8(a.number(1))
		return amqp.Decimal{Scale: scale, Value: int32(a.number(4))}
	case 'T':
		return timestamp(a.number(8))
	case 'V':
		return nil
	}
	return a.compound(kind, depth)
}

// compound reads a value that says its own length.
func (a *arguments) compound(kind byte, depth int) any {
	content := a.take(int(a.number(4)))
	inner := arguments{rest: content, bad: a.bad || depth == deepest}
	switch kind {
	case 'S':
		return string(content)
	case 'x':
		return append([]byte{}, content...)
	case 'F':
		fields := inner.table(depth + 1)
		a.bad = inner.bad
		return fields
	case 'A':
		list := []any{}
		for len(inner.rest) > 0 && !inner.bad {
			list = append(list, inner.field(depth+1))
		}
		a.bad = inner.bad
		return list
	}
	a.bad = true
	return nil
}
