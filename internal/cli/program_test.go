package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
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
		{"-x", "unknown flag: -x"},
		{"--count", "flag needs an argument: --count"},
		{"--count=two", `--count: "two" is not a whole number`},
		{"-n", "flag needs an argument: --count"},
		{"--=x", "a flag has a name after its dashes"},
		{"--count=9223372036854775808", `--count: "9223372036854775808" is too large a number`},
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

// What was meant is in the hint.
func TestMeant(t *testing.T) {
	for _, test := range []struct{ arguments, want, hint string }{
		{"--intervall 1s", "unknown flag: --intervall", "did you mean --interval?"},
		{"--coutn=3", "unknown flag: --coutn", "did you mean --count?"},
		{"--nonsense", "unknown flag: --nonsense", "send --help lists every flag; what follows -- is never taken for one"},
		{"-lines", "-lines: a flag of more than one letter has two dashes", "two dashes: --lines"},
		{"-count=3", "-count: a flag of more than one letter has two dashes", "two dashes: --count"},
		{"one -n 3 -count 3", "-count: a flag of more than one letter has two dashes", "two dashes: --count"},
		{"-interva=3s", "unknown flag: -i", "did you mean --interval?"},
		{"-5", "unknown flag: -5", "what begins with - is taken for a flag, a negative number too, unless -- stands before it: send -- -5"},
		{"--confirm asinc", `--confirm: "asinc" is none of async, none`, "did you mean async?"},
		{"--confirm x", `--confirm: "x" is none of async, none`, ""},
	} {
		t.Run(test.arguments, func(t *testing.T) {
			p := testProgram()
			p.Group("Messages").Var(NewChoice(new(string), "async", "none"), "confirm", "")
			_, err := p.parse(strings.Fields(test.arguments))
			var usage *Error
			if !errors.As(err, &usage) || usage.Error() != test.want || usage.Hint != test.hint {
				t.Errorf("got %v, hint %q", err, usage.Hint)
			}
		})
	}
}

// What has one dash is a flag's value if the flag has one.
func TestOneDashIsAValue(t *testing.T) {
	for _, arguments := range []string{"--text -lines", "-t -lines", "-vt -lines", "-- -lines", "-t=-lines", "-vtlines"} {
		p := testProgram()
		p.Group("Messages").StringP("text", "t", "", "")
		p.Group("Messages").BoolP("verbose", "v", false, "")
		if _, err := p.parse(strings.Fields(arguments)); err != nil {
			t.Errorf("%s: %v", arguments, err)
		}
	}
}

// Whatever could be a password, or a part of one, is not repeated.
func TestNoPasswords(t *testing.T) {
	for _, arguments := range []string{
		"-pmysecret", "-vpmysecret", "-psecret=x", "--passwordsecret", "--urlamqp://eve:secret@h", "--count amqp:/eve:secret@h",
		"--count eve:secret@h", "-n amqp:secret", "--rate=amqps://eve:secret@h", "--lines=eve:secret@h", "--confirm eve:secret@h",
		"---secret", "--=secret", "-üsecret", "-passwort=secret",
	} {
		p := testProgram()
		p.Group("Messages").Var(NewChoice(new(string), "async", "none"), "confirm", "")
		p.Group("Messages").BoolP("verbose", "v", false, "")
		p.Group("Messages").String("password", "", "")
		_, err := p.parse(strings.Fields(arguments))
		var usage *Error
		if !errors.As(err, &usage) || strings.Contains(usage.Error()+usage.Hint, "secret") {
			t.Errorf("%s: got %v, hint %q", arguments, err, usage.Hint)
		}
	}
	for _, argument := range []string{"amqp://eve:secret@h/", "amqp:/eve:secret@h", "eve:secret@h", "AMQP:secret"} {
		if err := NoArguments([]string{argument}, ""); strings.Contains(err.Error(), "secret") {
			t.Error(err)
		}
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

func TestDecimal(t *testing.T) {
	for text, want := range map[string]int{"010": 10, "08": 8, "-1": -1, "+3": 3} {
		p := testProgram()
		if _, err := p.parse([]string{"-n", text, "--priority", "09"}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		count, err := p.Group("Messages").GetInt("count")
		if priority, _ := p.Group("Messages").GetUint8("priority"); err != nil || count != want || priority != 9 {
			t.Errorf("%s: %d, priority %d, %v", text, count, priority, err)
		}
	}
	for _, text := range []string{"0x10", "1_000", "1e3", "", " 1"} {
		if _, err := testProgram().parse([]string{"-n", text}); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestCause(t *testing.T) {
	_, missing := os.Open("no/such/file")
	for err, want := range map[error]string{
		missing: "no such file or directory",
		&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}: "connection reset by peer",
		fmt.Errorf("reading: %w", syscall.EISDIR):                                     "reading: is a directory",
	} {
		if got := Cause(err); got != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
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
