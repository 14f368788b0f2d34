// Package topology declares the queues and exchanges that the programs need, and copes with those that are there
// already with other settings.
package topology

import (
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/spf13/pflag"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/table"
)

// Queue is a queue as a program asks for it: its tutorial's settings, changed by the user's flags. An empty Name asks
// the broker to make one up; the queue is exclusive then.
type Queue struct {
	Name       string
	Durable    bool
	AutoDelete bool
	Exclusive  bool
	Type       string // x-queue-type; empty leaves it to the broker, so that any AMQP 0-9-1 broker takes it
	Args       table.Table
	NoDeclare  bool // use what exists

	flags *pflag.FlagSet
}

// Flags adds the flags of a queue.
func (q *Queue) Flags(p *cli.Program) {
	f := p.Group("Queue")
	f.StringVarP(&q.Name, "queue", "q", q.Name, "use the queue `NAME`; '' is an exclusive queue that the broker names")
	f.BoolVar(&q.Durable, "durable", q.Durable, "let the queue survive a restart of the broker; --durable=false: it does not")
	f.BoolVar(&q.AutoDelete, "auto-delete", q.AutoDelete, "have the queue deleted when its last consumer goes")
	f.BoolVar(&q.Exclusive, "exclusive", q.Exclusive, "keep the queue to this connection, with which it is deleted")
	f.Var(cli.NewChoice(&q.Type, "classic", "quorum", "stream"), "queue-type", "declare a queue of this `TYPE`; without it the broker's default")
	f.Var(&q.Args, "arg", "declare the queue with the argument `NAME=VALUE`; for example x-max-length=1000; may be repeated")
	f.BoolVar(&q.NoDeclare, "no-declare", q.NoDeclare, "use what exists, declare nothing")
	for _, setting := range settings {
		p.Exclusive("no-declare", setting)
	}
	q.flags = f
}

// Check refuses what no broker would take and settles what follows from what.
func (q *Queue) Check() error {
	if len(q.Name) > 255 {
		return cli.Usage("", "--queue: a queue's name has at most 255 bytes, this one has %d", len(q.Name))
	}
	if q.Name == "" {
		q.Exclusive = true
	}
	if q.Exclusive && !q.flags.Changed("durable") {
		q.Durable = false
	}
	switch q.Type {
	case "", "classic":
		if q.Exclusive && q.Durable {
			return cli.Usage("", "--exclusive and --durable exclude each other: an exclusive queue goes with its connection")
		}
	case "quorum", "stream":
		if q.Exclusive || !q.Durable {
			return cli.Usage("", "--queue-type %s: a %s queue is durable, shared and has a name", q.Type, q.Type)
		}
	}
	return nil
}

// Declare makes sure that the queue is there and returns it under the name it has, which for a queue without a name
// is the broker's choice and another one at every call. It is called before Qos, Confirm, Consume and Notify: a queue
// that exists with other settings costs the channel, and these would go with it.
func (q *Queue) Declare(ch *conn.Channel) (amqp.Queue, error) {
	if q.NoDeclare && q.Name != "" {
		return amqp.Queue{Name: q.Name}, nil
	}
	args := q.Args.Fields
	if q.Type != "" {
		args = q.Args.With("x-queue-type", q.Type)
	}
	declared, err := ch.QueueDeclare(
		q.Name,
		q.Durable,
		q.AutoDelete,
		q.Exclusive,
		false, // no-wait: the answer is wanted
		args)
	if err == nil {
		return declared, nil
	}
	refusal := ch.Refusal(err)
	if refusal == nil {
		return amqp.Queue{}, err
	}
	if ch.Again() && refusal.Code == amqp.ResourceLocked {
		return amqp.Queue{}, err // still held by the connection that was lost
	}
	if err := existing(ch, "queue "+q.Name, refusal, q.flags); err != nil {
		return amqp.Queue{}, err
	}
	if err := ch.Reopen(); err != nil {
		return amqp.Queue{}, err
	}
	return ch.QueueDeclarePassive(q.Name, q.Durable, q.AutoDelete, q.Exclusive, false, nil)
}
