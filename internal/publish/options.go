// Package publish is what all publishers do besides their tutorial's own calls: where messages come from, at what
// pace they go out, how their confirms are awaited, and how nothing is lost when the connection is.
package publish

import (
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/show"
	"amqp-tutorials/internal/table"
	"amqp-tutorials/internal/topology"
)

// Options say what is published and how. A program sets the fields in which its tutorial differs.
type Options struct {
	Default    string          // the message where there is none among the arguments
	DefaultKey string          // not empty: the first argument is the routing key, and this stands for it where there is none
	Queue      *topology.Queue // the program publishes to this queue, and to an exchange only if --exchange says so; nil: to an exchange
	Persistent bool            // messages are written to disk

	exchange, routingKey     string
	declareOnly              bool
	stdin, lines, null, json bool
	count, skip, size        int
	number, template, quiet  bool
	summary                  show.Summary
	keySeparator             string
	interval                 time.Duration
	rate                     float64
	confirm                  mode
	mandatory                bool
	batch, window, retries   int
	timeout                  time.Duration
	contentType, encoding    string
	headers                  table.Table
	priority                 uint8
	expiration               time.Duration
	messageID, correlationID string
	replyTo, messageType     string
	appID, userID            string

	groups []*pflag.FlagSet // of all of the above
}

// Flags adds the flags that all publishers share.
func (o *Options) Flags(p *cli.Program) {
	f := p.Group("Messages")
	f.BoolVar(&o.stdin, "stdin", false, "all of standard input is one message")
	f.BoolVarP(&o.lines, "lines", "l", false, "each line of standard input is a message; its end is not part of it")
	f.BoolVar(&o.null, "null", false, "as --lines, alone or with it, but messages end at a NUL byte")
	f.BoolVar(&o.json, "json", false, "each line of standard input is a message as --format json prints it, with all properties; flags win over them")
	f.IntVarP(&o.count, "count", "n", 1, "publish `N` messages, 0: until stopped; with --lines at most the first N, without -n all")
	f.IntVar(&o.skip, "skip", 0, "begin after the first `N` messages of the input")
	f.DurationVarP(&o.interval, "interval", "i", 0, "wait for `DURATION` between two messages")
	f.Float64Var(&o.rate, "rate", 0, "publish `R` messages a second")
	f.BoolVar(&o.number, "number", false, "begin each message with its number")
	f.BoolVar(&o.template, "template", false, "messages are Go templates; {{.Count}}, {{.Time}}, {{.UUID}}, {{.Random 1 10}}")
	f.IntVar(&o.size, "size", 0, "pad or cut each message to so many `BYTES`")
	f.BoolVar(&o.quiet, "quiet", false, "print no line for each message")
	o.summary = show.TextSummary
	f.Var(&o.summary, "summary", "more than one message: the last line on stderr says how many were published; json: an object says so, always, by `FORMAT`")
	if o.Queue != nil {
		f.StringVarP(&o.exchange, "exchange", "e", "", "publish to the exchange `NAME` instead of a queue; it must exist")
	}
	f.StringVarP(&o.routingKey, "routing-key", "k", "", "publish with this routing `KEY`")
	if o.DefaultKey != "" {
		f.StringVar(&o.keySeparator, "key-separator", "", "with --lines: `TEXT` ends a line's routing key")
	}
	f.BoolVar(&o.declareOnly, "declare-only", false, "declare what is needed, publish nothing")
	p.Experiments("rate", "number", "size")
	p.Exclusive("stdin", "lines", "json")
	p.Exclusive("stdin", "null", "json")
	p.Exclusive("interval", "rate")
	p.Exclusive("key-separator", "routing-key")
	properties, confirms := p.Group("Message properties"), p.Group("Publisher confirms")
	o.propertyFlags(properties)
	o.confirmFlags(confirms)
	o.groups = []*pflag.FlagSet{f, properties, confirms}
}

// given says whether the user has named a flag.
func (o *Options) given(name string) bool {
	for _, group := range o.groups {
		if group.Changed(name) {
			return true
		}
	}
	return false
}

func (o *Options) confirmFlags(f *pflag.FlagSet) {
	o.confirm = async
	f.Var(cli.NewChoice(&o.confirm, individual, batch, async, tx, none), "confirm", "await confirms by this `STRATEGY`; tx is AMQP's transactions, none does not wait")
	f.IntVar(&o.batch, "batch", 100, "with --confirm batch or tx: wait, or commit, after every `N` messages")
	f.IntVar(&o.window, "window", 5000, "with --confirm async: leave at most `N` messages, and 16 MiB, unconfirmed at once")
	f.DurationVar(&o.timeout, "confirm-timeout", time.Minute, "give up when nothing has been confirmed for `DURATION`")
	f.IntVar(&o.retries, "retries", 0, "publish a message again up to `N` times when the broker nacks it")
	f.BoolVar(&o.mandatory, "mandatory", false, "have the broker return what reaches no queue; exit status 4")
}

// Check refuses options that don't go together.
func (o *Options) Check() error {
	if err := o.checkNumbers(); err != nil {
		return err
	}
	switch {
	case o.Queue != nil && o.routingKey != "" && o.exchange == "":
		return cli.Usage("--queue names the queue; --routing-key goes with --exchange", "--routing-key without --exchange")
	case o.keySeparator != "" && !o.lines && !o.null:
		return cli.Usage("", "--key-separator goes with --lines or --null")
	}
	if o.rate > 0 {
		o.interval = time.Duration(float64(time.Second) / o.rate)
	}
	return o.checkNames()
}

// The most that can be asked for. RabbitMQ takes messages of 512 MiB at most, and an expiration of 32 bits.
const (
	mostMessages   = 1_000_000_000_000 // a year's work at 30,000 a second, and numbers up to there never overflow
	mostAtOnce     = 1 << 20
	mostBytes      = 512 << 20
	mostRetries    = 1_000_000
	mostExpiration = math.MaxUint32 * time.Millisecond
	slowest        = 0.0001 // messages a second: one in three hours
	fastest        = 1e6
)

func (o *Options) checkNumbers() error {
	for _, number := range []struct {
		flag               string
		value, least, most int
	}{
		{"count", o.count, 0, mostMessages},
		{"skip", o.skip, 0, mostMessages},
		{"size", o.size, 0, mostBytes},
		{"batch", o.batch, 1, mostAtOnce},
		{"window", o.window, 1, mostAtOnce},
		{"retries", o.retries, 0, mostRetries},
	} {
		if number.value < number.least || number.value > number.most {
			return cli.Usage("", "--%s: %d is not from %d to %d", number.flag, number.value, number.least, number.most)
		}
	}
	switch {
	case o.given("rate") && !(o.rate >= slowest && o.rate <= fastest): // NaN is neither
		return cli.Usage("", "--rate: %v is not from %v to %.0f messages a second", o.rate, slowest, fastest)
	case o.interval < 0:
		return cli.Usage("", "--interval: %s is less than nothing", o.interval)
	case o.timeout <= 0:
		return cli.Usage("", "--confirm-timeout: %s is not more than nothing", o.timeout)
	case o.expiration < 0 || o.expiration > mostExpiration || o.expiration > 0 && o.expiration < time.Millisecond:
		return cli.Usage("", "--expiration: %s is neither nothing nor from 1ms to %s", o.expiration, mostExpiration)
	}
	return nil
}

// arguments takes the program's arguments apart: the routing key, if the program has one, and the message.
func (o *Options) arguments(args []string) (key, text string, err error) {
	key = o.routingKey
	if o.DefaultKey != "" && key == "" && o.keySeparator == "" {
		key = o.DefaultKey
		if len(args) > 0 {
			key, args = args[0], args[1:]
		}
	}
	if len(key) > 255 {
		return "", "", cli.Usage("", "a routing key has at most 255 bytes, this one has %d", len(key))
	}
	if o.fromInput() && len(args) > 0 {
		return "", "", cli.Usage("leave out the message, or the flag", "the messages come from standard input: superfluous argument %s", cli.Quote(args[0]))
	}
	if len(args) == 0 {
		if !o.fromInput() && !o.declareOnly && waits(os.Stdin) {
			cli.Say("note: standard input is not read; --lines publishes each line of it, --stdin all of it as one message")
		}
		return key, o.Default, nil
	}
	return key, strings.Join(args, " "), nil
}

// keyGiven says that the command line names the routing key.
func (o *Options) keyGiven(args []string) bool {
	return o.given("routing-key") || o.DefaultKey != "" && len(args) > 0
}

// waits says whether somebody means a program to read a file: it is a pipe, or has been opened for it. A terminal and
// /dev/null, which is what cron gives to its jobs, tell nothing.
func waits(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && (info.Mode().IsRegular() || info.Mode()&os.ModeNamedPipe != 0)
}

func (o *Options) fromInput() bool { return o.stdin || o.separated() }

// separated says that standard input holds many messages, each with its end.
func (o *Options) separated() bool { return o.lines || o.null || o.json }
