package rpc

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"amqp-tutorials/internal/cli"
)

func TestNumbers(t *testing.T) {
	o := &Options{Default: 30}
	if got, err := o.numbers(nil); err != nil || !slices.Equal(got, []int{30}) {
		t.Errorf("without arguments: %v, %v", got, err)
	}
	if got, err := o.numbers([]string{"1", "-5", "1000"}); err != nil || !slices.Equal(got, []int{1, -5, 1000}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, wrong := range []string{"", "abc", "1.5", "99999999999999999999"} {
		var usage *cli.Error
		if _, err := o.numbers([]string{"1", wrong}); !errors.As(err, &usage) || usage.Status != cli.WrongUsage {
			t.Errorf("%q: got %v, want a usage error", wrong, err)
		}
	}
}

func TestCheck(t *testing.T) {
	valid := Options{Queue: "q", timeout: time.Second, replyTo: "queue", concurrency: 1, count: 1}
	if err := valid.Check(); err != nil {
		t.Error(err)
	}
	for _, change := range []func(*Options){
		func(o *Options) { o.Queue = "" },
		func(o *Options) { o.timeout = time.Microsecond },
		func(o *Options) { o.timeout = 1200 * time.Hour },
		func(o *Options) { o.concurrency = 0 },
		func(o *Options) { o.concurrency = 65536 },
		func(o *Options) { o.concurrency = math.MaxInt },
		func(o *Options) { o.count = 0 },
		func(o *Options) { o.count = math.MaxInt },
	} {
		wrong := valid
		change(&wrong)
		if err := wrong.Check(); err == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
}

func TestPercentile(t *testing.T) {
	var l latencies
	for i := 100; i > 0; i-- {
		l.add(time.Duration(i) * time.Millisecond)
	}
	for p, want := range map[int]time.Duration{0: 1, 50: 50, 99: 99, 100: 100} {
		if got := l.percentile(p); got != want*time.Millisecond {
			t.Errorf("p%d is %s", p, got)
		}
	}
}
