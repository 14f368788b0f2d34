package conn

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/wire"
)

// trace is what --verbose does with all that passes between the library and the broker: nil without it.
func (s *Settings) trace() func(wire.Event) {
	if s.verbose == 0 {
		return nil
	}
	t := tracer{full: s.verbose > 1, coloured: cli.Coloured(), indent: len(filepath.Base(os.Args[0]) + ": ")}
	if columns, _, err := term.GetSize(int(os.Stderr.Fd())); err == nil {
		t.columns = columns
	}
	return func(e wire.Event) {
		if t.full || !e.Detail {
			cli.SayStyled(t.line(e, time.Now()))
		}
	}
}

// tracer puts what passes into lines. The first -v leaves out what is not the lesson: the handshake, the number of the
// channel where there is one only, most of an id that a machine has made up.
type tracer struct {
	full     bool // -vv
	coloured bool
	columns  int // of the terminal; 0: it is none, and lines are not broken, for the sake of grep
	indent   int // how many columns stand before a line
}

func (t *tracer) line(e wire.Event, now time.Time) string {
	head, colour := "<- ", cli.Magenta
	if e.Sent {
		head, colour = "-> ", cli.Cyan
	}
	if t.full {
		head = now.Format("15:04:05.000 ") + head
	}
	if t.full || e.Several && e.Channel != 0 {
		head += fmt.Sprintf("channel %d: ", e.Channel)
	}
	begin := t.indent + len(head)
	column := begin + len(e.Name)
	line := head + e.Name
	if t.coloured {
		line = colour.Paint(line)
	}
	for _, f := range e.Fields {
		text := t.field(f)
		width := utf8.RuneCountInString(text)
		if t.columns > 0 && column+1+width > t.columns {
			line += "\n" + strings.Repeat(" ", begin-1)
			column = begin - 1
		}
		line += " " + text
		column += 1 + width
	}
	return line
}

// field is one of an event's fields, cut to what is needed to tell it from others.
func (t *tracer) field(f wire.Field) string {
	const (
		most     = 60 // of any value
		mostOfID = 12 // of an id that a machine has made up
	)
	switch {
	case t.full, f.Name == "reply-text", f.Name == "reason":
		return f.String() // what the broker says is the point of it
	case f.Name == "message-id", f.Name == "correlation-id", f.Name == "reply-to",
		strings.HasPrefix(f.Value, "amq.gen-"), strings.HasPrefix(f.Value, "amq.ctag-"):
		f.Value = cut(f.Value, mostOfID)
	default:
		f.Value = cut(f.Value, most)
	}
	return f.String()
}

// cut shortens a text that is much longer than most.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most+8 {
		return text
	}
	return string([]rune(text)[:most]) + "…"
}
