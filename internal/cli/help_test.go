package cli

import (
	"strings"
	"testing"
)

// helpProgram has a flag of every kind that help treats in its own way.
func helpProgram() *Program {
	p := testProgram()
	p.About = "First paragraph,\nwhich goes on.\n\nSecond paragraph."
	p.Lesson = []string{"confirm", "keep"}
	p.Experiments("rate", "confirm")
	confirm := "async"
	last := p.LastGroup("Connection")
	last.CountP("verbose", "v", "tell all; -vv more")
	f := p.Group("Confirms")
	f.Var(NewChoice(&confirm, "async", "batch", "none"), "confirm", "await by `HOW`; none is risky")
	f.Bool("keep", true, "keep it; for ever")
	return p
}

func TestHelp(t *testing.T) {
	want := `send: publish messages

Usage: send [FLAG...] [MESSAGE...]

      --confirm HOW   await by HOW: async, batch or none (default async)
      --keep          keep it
  -v, --verbose       tell all

Examples:
  send hello

send --help lists all flags. The broker is at AMQP_URL, or at --url.
`
	if got := helpProgram().help(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFullHelp(t *testing.T) {
	want := `send: publish messages

Usage:
  send [FLAG...] [MESSAGE...]

First paragraph, which goes on.

Second paragraph.

Flags of the tutorial:
      --confirm HOW   await by HOW: async, batch or none; none is risky (default async)
      --keep          keep it; for ever (default true)
  -v, --verbose       tell all; -vv more

Messages:
  -n, --count N             publish N messages (default 1)
      --interval PAUSE      PAUSE between messages
      --priority PRIORITY   PRIORITY
      --lines               lines
      --stdin               all

For experiments and measuring:
      --rate R   R messages a second

Examples:
  send hello
`
	if got := helpProgram().fullHelp(100); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for line := range strings.Lines(helpProgram().fullHelp(50)) {
		if len(line) > 51 {
			t.Errorf("longer than 50: %s", line)
		}
	}
}

// COLUMNS has the say, within what reads well.
func TestColumns(t *testing.T) {
	for variable, want := range map[string]int{"": screen, "many": screen, "60": 60, "5": 40, "1000": 100} {
		t.Setenv("COLUMNS", variable)
		if got := columns(); got != want {
			t.Errorf("COLUMNS=%s: %d, not %d", variable, got, want)
		}
	}
}
