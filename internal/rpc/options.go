// Package rpc is what an RPC client does besides its tutorial's own calls: keep requests in flight, match replies to
// them, and give up those that are not answered in time.
package rpc

import (
	"math"
	"strconv"
	"time"

	"amqp-tutorials/internal/cli"
)

// Direct is the pseudo-queue of RabbitMQ's direct reply-to (https://www.rabbitmq.com/docs/direct-reply-to).
const Direct = "amq.rabbitmq.reply-to"

// The most that can be asked for.
const (
	mostTimeout = math.MaxUint32 * time.Millisecond // a request expires with it, and RabbitMQ takes 32 bits
	mostCount   = 1_000_000_000                     // times as many numbers as a command line holds: far from an overflow
)

// Options say what is requested and how.
type Options struct {
	Default int    // the number where there is none among the arguments
	Queue   string // where requests go

	timeout     time.Duration
	replyTo     string
	concurrency int
	count       int
	quiet       bool
}

// Flags adds the flags of an RPC client.
func (o *Options) Flags(p *cli.Program) {
	f := p.Group("Requests")
	f.StringVarP(&o.Queue, "queue", "q", o.Queue, "send requests to the queue `NAME`; the servers consume from it")
	f.DurationVar(&o.timeout, "timeout", 10*time.Second, "give a request up after `DURATION`; it expires then")
	o.replyTo = "queue"
	f.Var(cli.NewChoice(&o.replyTo, "queue", "direct"), "reply-to", "have replies come this `WAY`; to a queue of this client's own, or direct to its channel")
	f.IntVar(&o.concurrency, "concurrency", 1, "have `N` requests in flight at once")
	f.IntVarP(&o.count, "count", "n", 1, "make all requests `N` times")
	p.Experiments("concurrency", "count")
	f.BoolVar(&o.quiet, "quiet", false, "print no line for each request")
}

// Check refuses options that make no sense.
func (o *Options) Check() error {
	switch {
	case o.Queue == "" || len(o.Queue) > 255:
		return cli.Usage("", "--queue: a name of 1 to 255 bytes is needed")
	case o.timeout < time.Millisecond || o.timeout > mostTimeout:
		return cli.Usage("", "--timeout: %s is not from 1ms to %s", o.timeout, mostTimeout)
	case o.concurrency < 1 || o.concurrency > math.MaxUint16:
		return cli.Usage("", "--concurrency: %d is not from 1 to %d", o.concurrency, math.MaxUint16)
	case o.count < 1 || o.count > mostCount:
		return cli.Usage("", "--count: %d is not from 1 to %d", o.count, mostCount)
	}
	return nil
}

// Direct says that direct reply-to is asked for.
func (o *Options) Direct() bool { return o.replyTo == "direct" }

// numbers reads the arguments.
func (o *Options) numbers(args []string) ([]int, error) {
	if len(args) == 0 {
		return []int{o.Default}, nil
	}
	numbers := make([]int, len(args))
	for i, arg := range args {
		n, err := strconv.Atoi(arg)
		if err != nil {
			return nil, cli.Usage("", "%s is not a whole number", cli.Quote(arg))
		}
		numbers[i] = n
	}
	return numbers, nil
}
