package consume

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"amqp-tutorials/internal/conn"
)

// --idle-timeout counts from the program's start and again from the end of the work on each message, but not while one is
// worked on.
func TestIdleTimeout(t *testing.T) {
	const idle = time.Minute
	for name, test := range map[string]struct {
		do   func(r *run)
		want time.Duration
	}{
		"nothing comes": {func(*run) {}, idle},
		"looking twice does not begin anew": {func(r *run) {
			time.Sleep(idle / 2)
			r.rest()
		}, idle},
		"messages come in time": {func(r *run) {
			for range 10 {
				time.Sleep(idle - time.Second)
				r.wake()
				r.rest()
			}
		}, 10*(idle-time.Second) + idle},
		"a task takes long": {func(r *run) {
			r.wake()
			time.Sleep(time.Hour)
			r.rest()
		}, time.Hour + idle},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, 1, 1, "--idle-timeout "+idle.String())
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				r := &run{Options: o, guard: conn.NewGuard(context.Background(), nil)}
				defer r.guard.Close()
				r.startIdle()
				test.do(r)
				<-r.guard.Life().Done()
				if took := time.Since(began); took != test.want || context.Cause(r.guard.Life()) != errIdle {
					t.Errorf("ended after %v, not %v: %v", took, test.want, context.Cause(r.guard.Life()))
				}
			})
		})
	}
}
