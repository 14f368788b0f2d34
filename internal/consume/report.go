package consume

import (
	"errors"
	"fmt"
	"time"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/show"
)

// summary is what --summary json says of a run. The figures of --check-numbers are there only with it.
type summary struct {
	Messages   int     `json:"messages"`
	Seconds    float64 `json:"seconds"`
	PerSecond  int     `json:"per_second"`
	Missing    *int    `json:"missing,omitempty"`
	Twice      *int    `json:"twice,omitempty"`
	OutOfOrder *int    `json:"out_of_order,omitempty"`
}

// report says at the end of a run how it went, and returns its error: what --check-numbers has found, unless there is
// another one that says more.
func (r *run) report(err error) error {
	if r.declareOnly || r.Server {
		return err
	}
	if r.numbers != nil {
		cli.Banner(r.numbers.String())
	}
	switch {
	case r.summary == show.JSONSummary:
		cli.Banner(show.Object(r.summed()))
	case r.quiet && r.count != 1 && err == nil:
		cli.Banner(r.received())
	}
	var failed *cli.Error
	if r.numbers != nil && (err == nil || errors.As(err, &failed) && failed.Status == cli.TooLate) {
		if verdict := r.numbers.verdict(); verdict != nil {
			return verdict
		}
	}
	return err
}

func (r *run) summed() summary {
	s := summary{Messages: r.taken, Seconds: show.Seconds(r.took()), PerSecond: show.PerSecond(r.taken, r.took())}
	if n := r.numbers; n != nil {
		missing := n.missing()
		s.Missing, s.Twice, s.OutOfOrder = &missing, &n.twice, &n.late
	}
	return s
}

// received is the summary for people.
func (r *run) received() string {
	text := fmt.Sprintf("Received %s", messages(r.taken))
	if r.taken == 0 {
		return text
	}
	text += fmt.Sprintf(" in %.2fs", r.took().Seconds())
	if rate := show.PerSecond(r.taken, r.took()); r.taken > 1 && rate > 0 {
		text += fmt.Sprintf(" (%s msg/s)", show.Thousands(rate))
	}
	return text
}

// took is how long messages have been coming: what was waited before the first and after the last does not count.
func (r *run) took() time.Duration {
	if r.first.IsZero() {
		return 0
	}
	return r.last.Sub(r.first)
}
