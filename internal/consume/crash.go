package consume

import (
	"context"
	"fmt"
	"time"

	"amqp-tutorials/internal/cli"
)

// This file is --crash-after: a lesson on what an acknowledgement is for.

// crashSoon lets the run crash when the time is over that --crash-after says.
func (s *Session) crashSoon() {
	r := s.run
	time.AfterFunc(r.crashAfter, func() {
		_ = r.out.Flush() // a crash has nobody to tell that it has failed
		r.lost = s.ch.Delivered() - s.acks.count()
		close(r.crashed)
	})
}

// awaitCrash does not acknowledge a delivery, but waits for the crash that is to come instead.
func (r *run) awaitCrash() error {
	r.guard.Finish() // that is no work
	defer r.guard.Begin()
	if err := r.out.Flush(); err != nil {
		return err
	}
	select {
	case <-r.crashed:
		select {} // this process is about to end
	case <-r.guard.Life().Done():
		return context.Cause(r.guard.Life())
	}
}

// crash ends the program as a kill would: nobody says goodbye to the broker.
func (r *run) crash() error {
	what := "the message is not acknowledged and goes back to the queue"
	if r.AutoAck {
		what = fmt.Sprintf("the broker has forgotten what it has sent: %d messages are lost", r.lost)
	}
	return &cli.Error{Status: cli.Failed, What: "crashed on purpose", Why: fmt.Sprintf("--crash-after %s: %s", r.crashAfter, what)}
}
