package consume

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"amqp-tutorials/internal/cli"
)

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		name, bodies string // the bodies between commas
		line, why    string
	}{
		{"none", "", "0 messages: 0 missing, 0 twice, 0 out of order", ""},
		{"one", "1 hi", "1 message: 0 missing, 0 twice, 0 out of order", ""},
		{"all", "1 hi,2 hi,3 ", "3 messages: 0 missing, 0 twice, 0 out of order", ""},
		{"cut behind the number", "1,2,3", "3 messages: 0 missing, 0 twice, 0 out of order", ""},
		{"some are missing", "2,5,9,20", "4 messages: 16 missing, 0 twice, 0 out of order", "missing: 1, 3-4, 6-8 and more"},
		{"the last of them", "1,2,7", "3 messages: 4 missing, 0 twice, 0 out of order", "missing: 3-6"},
		{"twice, and once more", "1,2,2,2,3", "5 messages: 0 missing, 2 twice, 0 out of order", ""},
		{"out of order", "1,4,2,3,5", "5 messages: 0 missing, 0 twice, 2 out of order", ""},
		{"delivered again: not out of order", "1,2,3,2,3,4", "6 messages: 0 missing, 2 twice, 0 out of order", ""},
		{"far apart", "1,65535,65536,65537,1073741824", "5 messages: 1073741819 missing, 0 twice, 0 out of order", "missing: 2-65534, 65538-1073741823"},
		{
			"no number", "1 hi,hi,,0,-1,+2,01,2x,0x2 ,2 hi", "10 messages: 0 missing, 0 twice, 0 out of order, 8 without a number",
			"8 messages without a number",
		},
	} {
		var n numbers
		if test.bodies != "" {
			for body := range strings.SplitSeq(test.bodies, ",") {
				if err := n.see([]byte(body)); err != nil {
					t.Fatal(err)
				}
			}
		}
		why := ""
		var failed *cli.Error
		if errors.As(n.verdict(), &failed) && failed.Status == cli.Failed {
			why = failed.Why
		}
		if n.String() != test.line || why != test.why {
			t.Errorf("%s: got %s (%s), want %s (%s)", test.name, &n, why, test.line, test.why)
		}
	}
}

// However high a number, there is not more memory taken than is said, and no panic.
func TestNumbersTooHigh(t *testing.T) {
	for _, body := range []string{"1073741825 x", "9223372036854775807 x", "99999999999999999999 x", strings.Repeat("9", 100)} {
		var n numbers
		var failed *cli.Error
		if err := n.see([]byte(body)); err == nil && n.without != 1 || err != nil && !errors.As(err, &failed) {
			t.Errorf("%s: %v, %s", body, err, &n)
		}
	}
}

func BenchmarkNumbers(b *testing.B) {
	var n numbers
	var bodies [1 << 12][]byte
	for i := range bodies {
		bodies[i] = fmt.Appendf(nil, "%d a line of a log", i+1)
	}
	for i := 0; b.Loop(); i++ {
		if err := n.see(bodies[i%len(bodies)]); err != nil {
			b.Fatal(err)
		}
	}
}
