package cli

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func testProgram() *Program {
	p := &Program{Name: "send", Arguments: "[MESSAGE...]", Summary: "publish messages", Examples: "send hello"}
	f := p.Group("Messages")
	f.IntP("count", "n", 1, "publish `N` messages")
	f.Duration("interval", 0, "`PAUSE` between messages")
	f.Float64("rate", 0, "`R` messages a second")
	f.Uint8("priority", 0, "`PRIORITY`")
	f.Bool("lines", false, "lines")
	f.Bool("stdin", false, "all")
	p.Exclusive("lines", "stdin")
	return p
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct{ arguments, want string }{
		{"--nonsense", "unknown flag: --nonsense"},
		{"-x", "unknown shorthand flag: 'x' in -x"},
		{"--count", "flag needs an argument: --count"},
		{"--count=two", `--count: "two" is not a whole number`},
		{"--interval=5", `--interval: "5" is not a duration such as 500ms, 10s or 2m`},
		{"--rate=fast", `--rate: "fast" is not a number`},
		{"--priority=256", `--priority: "256" is not a whole number from 0 to 255`},
		{"--lines=perhaps", `--lines: "perhaps" is not true or false`},
		{"--lines --stdin", "--lines and --stdin exclude each other"},
	} {
		t.Run(test.arguments, func(t *testing.T) {
			_, err := testProgram().parse(strings.Fields(test.arguments))
			var usage *Error
			if !errors.As(err, &usage) || usage.Status != WrongUsage || usage.Error() != test.want {
				t.Errorf("got %v, want the usage error %q", err, test.want)
			}
		})
	}
}

func TestParse(t *testing.T) {
	p := testProgram()
	args, err := p.parse([]string{"one", "-n", "3", "two", "--interval", "2s", "--lines=false", "--stdin", "--", "--three"})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(args, ","); got != "one,two,--three" {
		t.Errorf("arguments %s", got)
	}
	if d, _ := p.Group("Messages").GetDuration("interval"); d != 2*time.Second {
		t.Errorf("interval %s", d)
	}
}

func TestHelp(t *testing.T) {
	help := testProgram().help()
	for _, want := range []string{
		"send: publish messages\n", "Usage:\n  send [FLAG...] [MESSAGE...]\n", "\nMessages:\n", "-n, --count N", "\nExamples:\n  send hello\n",
	} {
		if !strings.Contains(help, want) {
			t.Errorf("help lacks %q:\n%s", want, help)
		}
	}
}

func TestError(t *testing.T) {
	if got := (&Error{What: "connecting", Why: "refused"}).Error(); got != "connecting: refused" {
		t.Error(got)
	}
	if got := Usage("", "--n: %d", 1).Error(); got != "--n: 1" {
		t.Error(got)
	}
}
