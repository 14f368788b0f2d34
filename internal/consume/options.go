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

// Options say how a program consumes. It sets those fields in which its tutorial differs; flags set the others.
type Options struct {
	Waiting     string      // the banner once the broker has confirmed the consumer
	Prefetch    int         // how many deliveries may be unacknowledged at once
	Concurrency int         // how many deliveries are worked on at once; 0: the program has no such flag
	Slow        bool        // the work takes time: what is printed is shown before it begins
	Server      bool        // the program answers requests: it has no use for other acknowledgements and formats
	Failures    func() bool // --reject and --requeue are for what fails, and not for every message; nil: never

	AutoAck   bool        // --auto-ack
	Reject    bool        // --reject
	Requeue   bool        // --requeue
	Arguments table.Table // of basic.consume, for example x-priority

	count                int
	timeout, idleTimeout time.Duration
	untilEmpty           bool
	declareOnly          bool
	crashing             bool
	crashAfter           time.Duration
	format               show.Format
	template             show.Template
	quiet                bool
	readyFile            string

	tag   string // the consumer tag that the program gives its consumer: its name
	flags *pflag.FlagSet
}

// Flags adds the flags that all consumers share.
func (o *Options) Flags(p *cli.Program) {
	f := p.Group("Consuming")
	f.IntVarP(&o.count, "count", "n", 0, "take `N` messages and no more (default 0: until stopped)")
	f.DurationVar(&o.timeout, "timeout", 0, "stop after `DURATION` in all")
	f.DurationVar(&o.idleTimeout, "idle-timeout", 0, "stop when nothing has come for `DURATION`")
	f.BoolVar(&o.untilEmpty, "until-empty", false, "stop when the queue is empty")
	f.IntVar(&o.Prefetch, "prefetch", o.Prefetch, "take at most `N` unacknowledged messages")
	if o.Concurrency > 0 {
		f.IntVar(&o.Concurrency, "concurrency", o.Concurrency, "work on `N` messages at once; --prefetch is at least as much")
	}
	f.Var(&o.Arguments, "consumer-arg", "give basic.consume the argument `NAME=VALUE`; for example x-stream-offset=first; may be repeated")
	f.BoolVar(&o.declareOnly, "declare-only", false, "declare and bind what is needed, consume nothing")
	f.StringVar(&o.readyFile, "ready-file", "", "create `FILE` when the broker has confirmed the consumer")
	f.BoolVar(&o.quiet, "quiet", false, "print no line for each message")
	p.Experiments("crash-after")
	o.format = show.Text
	o.flags, o.tag = f, p.Name
	if o.Server {
		return
	}
	f.BoolVar(&o.AutoAck, "auto-ack", false, "have the broker forget a message once it is sent; the tutorials' no_ack; the broker then sends all it has")
	f.BoolVar(&o.Reject, "reject", false, "reject each message; the broker drops it, or sends it to the dead-letter exchange")
	f.BoolVar(&o.Requeue, "requeue", false, "reject each message and put it back into the queue")
	f.DurationVar(&o.crashAfter, "crash-after", 0, "take a message and die after `DURATION` without acknowledging it; with --auto-ack take what the broker sends")
	f.Var(cli.NewChoice(&o.format, show.Text, show.Raw, show.Raw0, show.JSON), "format", "print as `FORMAT`; raw is the bytes and a newline, raw0 the bytes and a NUL")
	f.Var(&o.template, "template", "print messages as this Go `TEMPLATE` says: {{.Body}}, {{.RoutingKey}}, {{.Headers.NAME}}, {{.MessageID}} ...")
	p.Exclusive("auto-ack", "reject", "requeue")
	p.Exclusive("crash-after", "reject", "requeue")
	p.Exclusive("format", "template")
}

// Check refuses options that don't go together.
func (o *Options) Check() error {
	switch {
	case o.count < 0 || o.count > mostMessages:
		return cli.Usage("", "--count: %d is not from 0 to %d", o.count, mostMessages)
	case o.Requeue && !o.failures() && o.count == 0 && o.timeout == 0:
		return cli.Usage("--requeue -n 5 looks at five messages and leaves them in the queue",
			"--requeue without --count or --timeout would take the same messages for ever")
	case o.timeout < 0 || o.idleTimeout < 0 || o.crashAfter < 0:
		return cli.Usage("", "--timeout, --idle-timeout and --crash-after take no negative duration")
	case o.Prefetch < 1 || o.Prefetch > maxPrefetch:
		return cli.Usage("", "--prefetch: %d is not from 1 to 65535; without a limit the broker would send all it has", o.Prefetch)
	case o.flags.Lookup("concurrency") != nil && (o.Concurrency < 1 || o.Concurrency > maxPrefetch):
		return cli.Usage("", "--concurrency: %d is not from 1 to 65535", o.Concurrency)
	}
	o.Prefetch = max(o.Prefetch, o.Concurrency)
	o.crashing = o.flags.Changed("crash-after")
	return nil
}

// mostMessages is a year's work at 30,000 messages a second; numbers up to there never overflow.
const mostMessages = 1_000_000_000_000

// maxPrefetch is the largest prefetch that basic.qos can carry (AMQP 0-9-1, a short).
const maxPrefetch = math.MaxUint16

// failures says that --reject and --requeue are for what fails.
func (o *Options) failures() bool { return o.Failures != nil && o.Failures() }
