package consume

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// journal records what the broker would be told.
type journal []string

func (j *journal) Ack(tag uint64, multiple bool) error {
	*j = append(*j, fmt.Sprintf("ack %d %t", tag, multiple))
	return nil
}

func (j *journal) Nack(tag uint64, multiple, requeue bool) error {
	*j = append(*j, fmt.Sprintf("nack %d %t %t", tag, multiple, requeue))
	return nil
}

func (j *journal) Reject(tag uint64, requeue bool) error {
	*j = append(*j, fmt.Sprintf("reject %d %t", tag, requeue))
	return nil
}

// options parses flags as a program with this prefetch and concurrency would.
func options(t *testing.T, prefetch, concurrency int, flags string) *Options {
	t.Helper()
	o := &Options{Prefetch: prefetch, Concurrency: concurrency}
	o.Flags(&cli.Program{})
	if err := o.flags.Parse(strings.Fields(flags)); err != nil {
		t.Fatal(err)
	}
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	return o
}

// runOf is a run with these options, under a guard that ends with stop.
func runOf(t *testing.T, o *Options) *run {
	t.Helper()
	out := show.NewOutput(os.NewFile(^uintptr(0), "nowhere"))
	g := conn.NewGuard(context.Background(), out)
	t.Cleanup(g.Close)
	return &run{Options: o, guard: g, out: out}
}

func TestAcks(t *testing.T) {
	for _, test := range []struct {
		name                  string
		prefetch, concurrency int
		flags                 string
		do                    string // d3: delivery 3 is done, r3: rejected; flush; rest
		want                  string
	}{
		{"prefetch 1: at once", 1, 1, "", "d1 d2", "ack 1 true, ack 2 true"},
		{"in multiples of half the prefetch", 8, 0, "", "d1 d2 d3 d4 d5 d6 d7 d8", "ack 4 true, ack 8 true"},
		{"before a wait", 8, 0, "", "d1 d2 flush flush d3 rest", "ack 2 true, ack 3 true"},
		{"a rejected one in between", 8, 0, "", "d1 r2 d3 flush", "reject 2 false, ack 3 true"},
		{"--reject", 8, 0, "--reject", "r1 r2", "reject 1 false, reject 2 false"},
		{"one by one with concurrency", 1, 4, "", "d2 d1", "ack 2 false, ack 1 false"},
		{"--auto-ack", 8, 0, "--auto-ack", "d1 d2 flush rest", ""},
		{"--count: the last wait for the cancel", 1, 1, "--count 3", "d1 d2 d3 flush rest", "ack 1 true, ack 2 true, ack 3 false"},
		{"--count 1", 500, 0, "--count 1", "d1 flush rest", "ack 1 false"},
		{"--count with --auto-ack", 500, 0, "--count 2 --auto-ack", "d1 d2 flush rest", "ack 1 true, ack 2 false"},
		{"a stop: not before the cancel, or another would come", 1, 1, "", "d1 stop d2 flush rest", "ack 1 true, ack 2 false"},
		{"--requeue --count: all at the end", 500, 0, "--count 2 --requeue", "q1 q2 flush rest", "reject 1 true, reject 2 true"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var told journal
			r := runOf(t, options(t, test.prefetch, test.concurrency, test.flags))
			s := newAcks(r, &told)
			for word := range strings.FieldsSeq(test.do) {
				var err error
				tag := uint64(word[1] - '0')
				switch word[0] {
				case 's':
					r.guard.End(conn.ErrStopped)
				case 'd':
					if err = s.taken(tag); err != nil {
						t.Fatal(err)
					}
					err = s.done(tag, acknowledge)
				case 'r':
					if word == "rest" {
						err = s.rest()
					} else {
						err = s.done(tag, reject)
					}
				case 'q':
					err = s.done(tag, requeue)
				default:
					err = s.flush()
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.Join(told, ", "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// The broker sends at most as many as are acknowledged, and the prefetch: that may never be more than --count.
func TestNeverMoreThanCount(t *testing.T) {
	for _, flags := range []string{"--count 1", "--count 2", "--count 9", "--count 10", "--count 999", "--count 12345", "--requeue --count 50", "--auto-ack --count 7"} {
		for _, concurrency := range []int{0, 1, 4, 100} {
			o := options(t, 500, concurrency, flags)
			r := runOf(t, o)
			prefetch := r.ask().Prefetch
			s := newAcks(r, new(journal))
			if prefetch < 1 || s.free+prefetch != o.count {
				t.Errorf("%s, concurrency %d: %d may be settled before the end, with a prefetch of %d", flags, concurrency, s.free, prefetch)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	for _, flags := range []string{"--count -1", "--timeout -1s", "--idle-timeout -1s", "--crash-after -1s", "--prefetch 0", "--prefetch 65536", "--concurrency 0"} {
		o := &Options{Prefetch: 1, Concurrency: 1}
		o.Flags(&cli.Program{})
		if err := o.flags.Parse(strings.Fields(flags)); err != nil {
			t.Fatal(err)
		}
		if err := o.Check(); err == nil {
			t.Errorf("%s was taken", flags)
		}
	}
}
