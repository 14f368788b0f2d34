package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// same is how close together the same signal counts once: GNU timeout sends its signal to the program and then to its
// process group.
const same = time.Second

// farewell is what a program that is to end at once has left for its own children.
const farewell = 500 * time.Millisecond

// hurry is the key under which a run's context holds the context that ends with the second signal.
type hurry struct{}

// Hurry returns a context that is done when the program is to end at once, with all that it has started: at the second
// signal. ctx is the one that Program.Run has called run with.
func Hurry(ctx context.Context) context.Context {
	if hard, ok := ctx.Value(hurry{}).(context.Context); ok {
		return hard
	}
	return ctx
}

// stopOnSignal returns the run's context, which the first signal ends. At the second one the process exits with 128 and its
// number, as soon as ended is closed, but in half a second at most. It reads signals from a channel of its own because
// signal.NotifyContext hears only the first of them, and none in a program that was started with SIGINT ignored. It
// also makes a write to a closed pipe return EPIPE instead of killing the process, so that what was not written is not
// acknowledged.
func stopOnSignal(ended <-chan struct{}) context.Context {
	hard, kill := context.WithCancel(context.Background())
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), hurry{}, hard))
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(signals, syscall.SIGHUP)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		first, at := <-signals, time.Now()
		cancel()
		for {
			next := <-signals
			if next == first && time.Since(at) < same {
				continue
			}
			kill()
			select {
			case <-ended:
			case <-time.After(farewell):
			}
			if number, ok := next.(syscall.Signal); ok {
				os.Exit(128 + int(number))
			}
			os.Exit(Failed)
		}
	}()
	return ctx
}
