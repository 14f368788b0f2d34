// Launch is the program behind scripts/broker: it gives people, demos and commands a RabbitMQ to try things on, and
// takes it away again.
//
// Everything that it says itself goes to stderr.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

const help = `broker - a RabbitMQ to try the programs with

  scripts/broker [--port N] [--data DIR] [--listen ADDRESS [--tls]]
      Start a broker, say how to reach it, and stop it at Ctrl-C.

  scripts/broker run [--limit D] [--fresh NAMES] COMMAND [ARG...]
      Run COMMAND with a broker, whose address it finds in AMQP_URL, and end with
      its exit status.

  scripts/broker ctl ARG...
      Run rabbitmqctl for the broker that scripts/broker has started: the one at
      AMQP_URL, or the only one.

  scripts/broker queues [--watch]
      List the queues of the vhost at AMQP_URL, once or until Ctrl-C.

A broker that is started listens on this machine only, has a folder of its own that
is removed at the end, and leaves a RabbitMQ that runs as a service alone. It is the
RabbitMQ of this machine, or else a container if Docker runs, or else a RabbitMQ that
is installed first. "scripts/broker" starts none if one answers at AMQP_URL or on port
5672 already; "run" uses the one at AMQP_URL if that answers, and else starts one.

Flags:
`

// Exit statuses beside those of a command.
const (
	failed   = 1
	misused  = 2
	timedOut = 124 // as GNU timeout has it
)

// options are what the command line says.
type options struct {
	install string // the command that installs RabbitMQ
	port    int
	data    string
	listen  string
	tls     bool
	limit   time.Duration
	fresh   []string
	watch   bool
}

func main() { os.Exit(program(os.Args[1:])) }

func program(args []string) int {
	var o options
	flags := pflag.NewFlagSet("broker", pflag.ContinueOnError)
	flags.SetInterspersed(false)
	flags.SortFlags = false
	flags.SetOutput(io.Discard)
	flags.IntVar(&o.port, "port", 0, "the `port` to listen on (default 5672, with --tls 5671, or another if it is taken)")
	flags.StringVar(&o.data, "data", "", "keep what is in the broker in this `folder`, and take it up again the next time")
	flags.StringVar(&o.listen, "listen", "", "listen on this `address` for others, 0.0.0.0 for all of the machine's;\nthe only user then has a random password")
	flags.BoolVar(&o.tls, "tls", false, "encrypt, with certificates that are made for this broker")
	flags.DurationVar(&o.limit, "limit", 0, "of run: end COMMAND after this `time`, with exit status 124")
	flags.StringSliceVar(&o.fresh, "fresh", nil, "of run: queues and exchanges (`names`, by commas) that COMMAND wants for itself:\nat AMQP_URL it gets a new vhost, or is not run if there are such already")
	flags.BoolVar(&o.watch, "watch", false, "of queues: show changes as they come")
	flags.StringVar(&o.install, "install", "", "")
	_ = flags.MarkHidden("install")

	// Flags may stand before the subcommand and after it, but what follows is the command's.
	err := flags.Parse(args)
	name, rest := "start", flags.Args()
	if err == nil && len(rest) > 0 {
		name = rest[0]
		if name == "ctl" {
			return ctl(rest[1:])
		}
		err = flags.Parse(rest[1:])
		rest = flags.Args()
	}
	switch {
	case errors.Is(err, pflag.ErrHelp) || name == "help":
		fmt.Print(help + flags.FlagUsages())
		return 0
	case err != nil:
		return misuse("%v", err)
	}
	switch {
	case name == "start" && len(rest) > 0:
		return misuse("start takes no arguments: %s", rest[0])
	case name == "start":
		return start(o)
	case name == "run" && len(rest) == 0:
		return misuse("run: which command?")
	case name == "run":
		return run(o, rest)
	case name == "queues":
		return queues(o.watch)
	default:
		return misuse("no such command: %s", name)
	}
}

func misuse(format string, args ...any) int {
	say(format, args...)
	say("scripts/broker --help tells what there is")
	return misused
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "broker: %s\n", strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// listenToSignals returns the channel on which the signals come that ask for the end. Ctrl-C counts also if this was
// started in the background by a script, where it is ignored; a hangup does not under nohup.
func listenToSignals() <-chan os.Signal {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	return signals
}

// status is the exit status of a program that has ended because of a signal.
func status(s os.Signal) int {
	if number, ok := s.(syscall.Signal); ok {
		return 128 + int(number)
	}
	return failed
}

// stopLimit is how long stopping may take: a node that shall keep its data needs a few seconds.
const stopLimit = 30 * time.Second

// stop takes the broker away. Nothing can hold this up for ever: at a further signal, or when stopLimit has passed,
// this process ends at once, and the broker's processes end with it.
func stop(b *broker, signals <-chan os.Signal) {
	done := make(chan struct{})
	go func() {
		b.stop()
		close(done)
	}()
	await(done, signals)
}

func await(done <-chan struct{}, signals <-chan os.Signal) {
	select {
	case <-done:
	case s := <-signals:
		os.Exit(status(s))
	case <-time.After(stopLimit):
		os.Exit(failed)
	}
}

// launched is the broker that was started, or nil and the status to exit with.
func launched(o options, signals <-chan os.Signal) (*broker, int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var b *broker
	var err error
	done := make(chan struct{})
	go func() {
		b, err = launch(ctx, o)
		close(done)
	}()
	select {
	case <-done:
	case s := <-signals:
		cancel()
		await(done, signals)
		if b != nil {
			stop(b, signals)
		}
		return nil, status(s)
	}
	if err != nil {
		say("%v", err)
		return nil, failed
	}
	return b, 0
}
