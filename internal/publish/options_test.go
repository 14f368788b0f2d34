package publish

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"amqp-tutorials/internal/cli"
)

// parsed are the options of a command line, checked.
func parsed(t *testing.T, arguments ...string) (*Options, error) {
	t.Helper()
	o := &Options{}
	o.Flags(&cli.Program{})
	all := pflag.NewFlagSet("all", pflag.ContinueOnError)
	for _, group := range o.groups {
		all.AddFlagSet(group)
	}
	if err := all.Parse(arguments); err != nil {
		t.Fatal(err)
	}
	return o, o.Check()
}

// No number is taken that a run could not live with.
func TestBounds(t *testing.T) {
	for flag, values := range map[string][]string{
		"--count":           {"-1", "1000000000001", "9223372036854775807"},
		"--skip":            {"-1", "1000000000001", "9223372036854775807"},
		"--size":            {"-1", "536870913", "99999999999", "9223372036854775807"},
		"--batch":           {"0", "1048577", "1000000000"},
		"--window":          {"0", "1048577"},
		"--retries":         {"-1", "1000001"},
		"--rate":            {"0", "-1", "NaN", "Inf", "-Inf", "1e-10", "1e7"},
		"--interval":        {"-1s"},
		"--confirm-timeout": {"0s", "-1s"},
		"--expiration":      {"-1s", "1us", "1200h"},
	} {
		for _, value := range values {
			_, err := parsed(t, flag, value)
			var usage *cli.Error
			if !errors.As(err, &usage) || usage.Status != cli.WrongUsage || !strings.HasPrefix(usage.What, flag+": ") {
				t.Errorf("%s %s: got %v", flag, value, err)
			}
		}
	}
	for flag, values := range map[string][]string{
		"--count": {"0", "1000000000000"}, "--size": {"0", "536870912"}, "--batch": {"1", "1048576"}, "--rate": {"0.0001", "1e6"},
		"--interval": {"0s"}, "--expiration": {"0s", "1ms", "1193h"},
	} {
		for _, value := range values {
			if _, err := parsed(t, flag, value); err != nil {
				t.Errorf("%s %s: %v", flag, value, err)
			}
		}
	}
	if o, err := parsed(t); err != nil || o.interval != 0 {
		t.Errorf("without flags: %v, %v", o.interval, err)
	}
}

// Any two numbers are a range.
func TestRandom(t *testing.T) {
	for _, span := range [][2]int{{1, 1}, {-3, 3}, {0, math.MaxInt}, {math.MinInt, 0}, {math.MinInt, math.MaxInt}, {math.MaxInt, math.MaxInt}} {
		for range 100 {
			if n, err := (data{}).Random(span[0], span[1]); err != nil || n < span[0] || n > span[1] {
				t.Fatalf("%v: %d, %v", span, n, err)
			}
		}
	}
	if _, err := (data{}).Random(2, 1); err == nil {
		t.Error("2 to 1 was taken")
	}
}

func TestWaits(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "input"))
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if waits(null) || !waits(file) || !waits(r) {
		t.Errorf("/dev/null %v, file %v, pipe %v", waits(null), waits(file), waits(r))
	}
	file.Close()
	if waits(file) {
		t.Error("a closed file waits")
	}
}
