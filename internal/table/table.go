// Package table is NAME=VALUE, JSON and amqp.Table, both ways.
package table

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Table is an AMQP field table as a flag that may be repeated: NAME=VALUE. An integer, true and false are sent as
// such; anything else, and anything in double quotes or with leading zeros, as a string. It serves for the optional
// arguments of a queue, exchange or consumer and for the headers of a message.
type Table struct{ Fields amqp.Table }

// Set adds one NAME=VALUE.
func (t *Table) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf("%q is not NAME=VALUE", text)
	}
	if len(name) > 255 {
		return fmt.Errorf("the name %.20q... is longer than 255 bytes", name)
	}
	if t.Fields == nil {
		t.Fields = amqp.Table{}
	}
	t.Fields[name] = field(value)
	if at, err := time.Parse(time.RFC3339, value); name == "x-stream-offset" && err == nil {
		t.Fields[name] = at // a stream is read from a timestamp only if it is one on the wire
	}
	return nil
}

func field(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
		return n // 01234, -0 and +5 are text: a postcode would lose its zero, a telephone number its sign
	}
	switch {
	case text == "true":
		return true
	case text == "false":
		return false
	case len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"':
		return text[1 : len(text)-1]
	}
	return text
}

// String lists the fields in the order of their names.
func (t *Table) String() string {
	var fields []string
	for _, name := range slices.Sorted(maps.Keys(t.Fields)) {
		fields = append(fields, fmt.Sprintf("%s=%v", name, t.Fields[name]))
	}
	return strings.Join(fields, ",")
}

// Type is what --help calls a value of this kind.
func (t *Table) Type() string { return "NAME=VALUE" }

// With returns the fields and one more, leaving t alone.
func (t *Table) With(name string, value any) amqp.Table {
	fields := maps.Clone(t.Fields)
	if fields == nil {
		fields = amqp.Table{}
	}
	fields[name] = value
	return fields
}
