// Package consume is what all consumers do besides their tutorial's own calls: take deliveries until they are to
// stop, acknowledge them after their effect, and go on after a lost connection.
package consume

import (
	"math"
	"time"

	"github.com/spf13/pflag"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/show"
	"amqp-tutorials/internal/table"
)

// Options say how a program consumes. It sets those fields in which its tutorial differs.
type Options struct {
	Waiting     string      // the banner once the broker has confirmed the consumer
	Prefetch    int         // how many deliveries may be unacknowledged at once; PrefetchCount for what to ask for
	Concurrency int         // how many deliveries are worked on at once; 0: the program has no such flag
	Arguments   table.Table // of basic.consume, for example x-priority
	Queue       string      // what is consumed from; subscribe sets it, for --until-empty and to explain a cancelled consumer
	DeclareOnly bool        // subscribe declares and binds, and consumes nothing
	Server      bool        // the program answers requests: it has no use for other acknowledgements and formats
	OnFailure   bool        // --reject and --requeue are for what fails, not for every message

	count                    int
	timeout, idleTimeout     time.Duration
	untilEmpty               bool
	autoAck, reject, requeue bool
	crashing                 bool
	crashAfter               time.Duration
	maxDeliveries            int
	format                   show.Format
	template                 show.Template
	quiet                    bool
	readyFile                string

	flags  *pflag.FlagSet
	out    *show.Output
	settle *settlement // of the present session
	taken  int         // deliveries settled in earlier sessions
}

// Flags adds the flags that all consumers share.
func (o *Options) Flags(p *cli.Program) {
	f := p.Group("Consuming")
	f.IntVarP(&o.count, "count", "n", 0, "stop after `N` messages and take no more than these (default 0: until stopped)")
	f.DurationVar(&o.timeout, "timeout", 0, "stop after `DURATION` in all")
	f.DurationVar(&o.idleTimeout, "idle-timeout", 0, "stop when nothing has come for `DURATION`")
	f.BoolVar(&o.untilEmpty, "until-empty", false, "stop when the queue is empty")
	f.IntVar(&o.Prefetch, "prefetch", o.Prefetch, "take `N` messages at once at most before they are acknowledged")
	if o.Concurrency > 0 {
		f.IntVar(&o.Concurrency, "concurrency", o.Concurrency, "work on `N` messages at once; --prefetch is at least as much")
	}
	f.Var(&o.Arguments, "consumer-arg", "argument of basic.consume, `NAME=VALUE`, for example x-stream-offset=first; may be repeated")
	f.BoolVar(&o.DeclareOnly, "declare-only", false, "declare and bind what is needed, consume nothing")
	f.StringVar(&o.readyFile, "ready-file", "", "create `FILE` when the broker has confirmed the consumer")
	f.BoolVar(&o.quiet, "quiet", false, "print no line for each message")
	o.format = show.Text
	o.flags = f
	if o.Server {
		return
	}
	f.BoolVar(&o.autoAck, "auto-ack", false, "the broker forgets a message as soon as it has sent it (the tutorials' no_ack), and sends all it has")
	f.BoolVar(&o.reject, "reject", false, "reject each message instead: the broker drops it, or sends it to the dead-letter exchange")
	f.BoolVar(&o.requeue, "requeue", false, "reject each message and put it back into the queue")
	if o.Concurrency > 0 {
		f.IntVar(&o.maxDeliveries, "max-deliveries", 0, "with --requeue: reject a task for good that has failed `N` times (a classic queue tells only the first time from the rest)")
	}
	f.DurationVar(&o.crashAfter, "crash-after", 0, "take one message, wait `DURATION` and exit without acknowledging it, as in a crash")
	f.Var(&o.format, "format", "print messages as text, raw (the bytes and a newline), raw0 (the bytes and a NUL) or json, by `FORMAT`")
	f.Var(&o.template, "template", "print messages as this Go `TEMPLATE` says: {{.Body}}, {{.RoutingKey}}, {{.Headers.NAME}}, {{.MessageID}} ...")
	p.Exclusive("auto-ack", "reject", "requeue", "crash-after")
	p.Exclusive("format", "template")
}

// Check refuses options that don't go together.
func (o *Options) Check() error {
	switch {
	case o.count < 0:
		return cli.Usage("", "--count: %d is less than nothing", o.count)
	case o.requeue && !o.OnFailure && o.count == 0 && o.timeout == 0:
		return cli.Usage("--requeue -n 5 looks at five messages and leaves them in the queue",
			"--requeue without --count or --timeout would take the same messages for ever")
	case o.maxDeliveries < 0:
		return cli.Usage("", "--max-deliveries: %d is less than nothing", o.maxDeliveries)
	case o.timeout < 0 || o.idleTimeout < 0 || o.crashAfter < 0:
		return cli.Usage("", "--timeout, --idle-timeout and --crash-after take no negative duration")
	case o.Prefetch < 1 || o.Prefetch > math.MaxUint16:
		return cli.Usage("", "--prefetch: %d is not from 1 to 65535; without a limit the broker would send all it has", o.Prefetch)
	case o.flags.Lookup("concurrency") != nil && (o.Concurrency < 1 || o.Concurrency > math.MaxUint16):
		return cli.Usage("", "--concurrency: %d is not from 1 to 65535", o.Concurrency)
	}
	o.Prefetch = max(o.Prefetch, o.Concurrency)
	o.crashing = o.flags.Changed("crash-after")
	return nil
}

// PrefetchCount is what to ask of basic.qos. With --count it is small enough that the broker never sends more than
// what is left: all but the last so many messages are acknowledged as they are done, and these at the end, when the
// consumer has been cancelled. A tenth of what is left keeps both the waiting and that rest short.
func (o *Options) PrefetchCount() int {
	left := o.count - o.taken
	switch {
	case o.crashing:
		return 1
	case o.count == 0:
		return o.Prefetch
	case o.requeue && !o.OnFailure:
		return min(left, math.MaxUint16) // a message put back before the end would be taken again
	default:
		return min(o.Prefetch, max((left+9)/10, min(left, o.Concurrency), 1))
	}
}

// NoAck is basic.consume's flag no-ack. The broker's own automatic acknowledgement knows no limit: with --count the
// program acknowledges each message itself before it looks at it, which comes to the same.
func (o *Options) NoAck() bool { return o.autoAck && o.count == 0 }

// tutorialLines says whether the tutorials' own lines, such as " [x] Done", are printed. Before a crash nothing is done.
func (o *Options) tutorialLines() bool {
	return o.format == show.Text && !o.template.Given() && !o.quiet && !o.crashing
}
