package publish

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// finish is called when everything has been published and confirmed. Without confirms one question is asked that the
// broker answers after all the rest, so that a channel which it has closed, for a missing exchange, say, is noticed.
func (p *publisher) finish(ch *conn.Channel) error {
	if p.strategy == none {
		if err := question(ch); err != nil {
			return err
		}
	}
	return p.out.Flush()
}

// several says whether more than one message is to be published.
func (p *publisher) several() bool { return p.count != 1 || p.lines || p.null }

// report ends a run: the summary, or the error with what is known of the messages.
func (p *publisher) report(err error) error {
	failure := p.failure(err)
	if p.source.number-p.skip > 1 && p.confirmed > 0 && (failure == nil || failure.Status == cli.Unroutable) {
		took := time.Since(p.began)
		cli.Banner(fmt.Sprintf("Published %d messages%s in %.2fs%s", p.confirmed, p.handled(), took.Seconds(), p.perSecond(p.confirmed, took)))
	}
	if failure != nil {
		return failure
	}
	if err == nil {
		p.guard.TellCut()
	}
	return err
}

func (p *publisher) perSecond(n int, d time.Duration) string {
	if p.strategy == none {
		return ""
	}
	return fmt.Sprintf(" (%s msg/s)", thousands(int(float64(n)/d.Seconds())))
}

// thousands groups a number's digits: 18,115.
func thousands(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// failure finds out how the run failed, nil if it didn't or if the error tells all.
func (p *publisher) failure(err error) *cli.Error {
	var refused *cli.Error
	switch {
	case errors.Is(err, errNoProgress):
		return p.failedAt("giving up", p.nothingFor(), "--confirm-timeout waits longer")
	case errors.Is(err, conn.ErrStopped):
		return p.failedAt("interrupted", p.guard.Cut(), "")
	case errors.Is(err, show.ErrNotRead):
		return p.failedAt("interrupted", p.guard.Cut(), "")
	case errors.As(err, &refused) && refused.Status == cli.Failed && p.several():
		return p.failedAt(refused.What, refused.Why, refused.Hint)
	case err != nil:
		return nil
	case p.nacked > 0:
		return p.failedAt(fmt.Sprintf("message %d", p.nacked), "refused by the broker (nack)",
			"a queue may be full: x-max-length with x-overflow=reject-publish; --retries tries again")
	case errors.As(p.failed, &refused):
		return refused
	case p.failed != nil:
		return p.failedAt("reading standard input", cli.Cause(p.failed), "")
	case p.guard.Stop().Err() != nil && !p.source.ended && (p.count != 0 && !p.lines && !p.null):
		return p.failedAt("interrupted", "", "")
	case p.returned > 0:
		return p.unrouted()
	}
	return nil
}

// nothingFor says what has been waited for in vain.
func (p *publisher) nothingFor() string {
	if cut := p.guard.Cut(); cut != "" {
		return cut + " for " + p.timeout.String()
	}
	return "nothing confirmed for " + p.timeout.String()
}

func (p *publisher) unrouted() *cli.Error {
	e := &cli.Error{
		Status: cli.Unroutable, What: "returned", Why: p.why,
		Hint: "start the consumer first, or set up its queue with its --declare-only",
	}
	if p.several() {
		e.What, e.Why = fmt.Sprintf("%d of %d messages returned", p.returned, p.confirmed+p.returned), "they have reached no queue"
	}
	return e
}

// failedAt is a failure with the message at which a script can resume.
func (p *publisher) failedAt(what, why, hint string) *cli.Error {
	first := p.nacked
	for i := range p.unconfirmed.n {
		if number := p.unconfirmed.at(i).number; first == 0 || number < first {
			first = number
		}
	}
	if first == 0 {
		first = p.source.number + 1
	}
	known := fmt.Sprintf("%d messages are confirmed, message %d is the first that is not", p.confirmed, first)
	if p.confirmed == 1 {
		known = fmt.Sprintf("1 message is confirmed, message %d is the first that is not", first)
	}
	switch {
	case !p.several():
		known = "the message is not confirmed"
	case p.strategy == none:
		known = fmt.Sprintf("%d messages were sent without confirms, message %d is the next", p.confirmed, first)
	}
	return &cli.Error{
		Status: cli.Failed, What: what, Hint: hint,
		Why: strings.TrimPrefix(why+"; "+known, "; "),
	}
}
