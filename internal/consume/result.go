package consume

import (
	"context"
	"errors"
	"fmt"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/show"
)

// result turns the end of a run into its error: too little in too short a time is one, being stopped is none.
func (r *run) result(err error) error {
	end, regular := r.end(err)
	if !regular {
		return end
	}
	if r.unproven > 0 && !r.guard.Answered() {
		return r.mayComeAgain()
	}
	if r.lost > 0 {
		return &cli.Error{Status: cli.Failed, What: "stopping", Why: fmt.Sprintf("%d messages are lost", r.lost)}
	}
	switch end {
	case errEmpty, errIdle, errTimeout:
		if failure := r.tooLittle(end, r.guard.Cut()); failure != nil {
			return failure
		}
	}
	r.guard.TellCut()
	return nil
}

// end finds out why the run ended. regular is false if something has gone wrong, which end then tells.
func (r *run) end(err error) (end error, regular bool) {
	var lost *conn.LostError
	var failed *cli.Error
	cause := error(nil)
	if life := r.guard.Life(); life.Err() != nil {
		cause = context.Cause(life)
	}
	switch {
	case err == nil, err == errCount, err == errEmpty:
		return err, true
	case cause == nil, errors.Is(err, show.ErrClosedPipe):
		return err, false
	case errors.As(err, &lost), errors.Is(err, context.Canceled), errors.Is(err, show.ErrNotRead), err == cause:
		return cause, true // what a call of the library's said when its connection was cut is of no use
	case errors.As(err, &failed) && failed.Status == cli.Unconnected && cause != conn.ErrStopped:
		return cause, true // there never was a connection, and its time is up
	}
	return err, false
}

// tooLittle is the error of a run whose time was up too early, nil if it was not.
func (r *run) tooLittle(end error, cut string) error {
	short := r.count > 0 && r.taken < r.count
	if !short && (r.taken > 0 || r.untilEmpty) {
		return nil
	}
	e := &cli.Error{Status: cli.TooLate, What: "no message came", Why: end.Error()}
	if short {
		e.What = fmt.Sprintf("%d of %d messages came", r.taken, r.count)
	}
	switch end {
	case errIdle:
		e.Why = "nothing came for " + r.idleTimeout.String()
	case errTimeout:
		e.Why = "time is up after " + r.timeout.String()
	}
	if cut != "" {
		e.Why += "; " + cut
	}
	return e
}

// mayComeAgain is the error of a run whose last acknowledgements nobody has confirmed: the broker's connection.close-ok is
// the only proof that they have arrived.
func (r *run) mayComeAgain() error {
	why := r.guard.Cut()
	if why == "" {
		why = "the broker has not answered connection.close"
	}
	return &cli.Error{
		Status: cli.Failed, What: "stopping",
		Why: fmt.Sprintf("%s: up to %d messages that were acknowledged may come again", why, r.unproven),
	}
}
