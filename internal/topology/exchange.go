package topology

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/table"
)

// Exchange is an exchange as a program asks for it: its tutorial's settings, changed by the user's flags.
type Exchange struct {
	Name       string
	Type       string            // fanout, direct, topic or headers
	Names      map[string]string // the default name for each type among which --type may choose; nil: there is one type
	Durable    bool
	AutoDelete bool
	Args       table.Table
	NoDeclare  bool   // use what exists
	Consumer   *Queue // of a consumer: declared as the tutorial's publishers do, without flags but those of this queue

	flags *pflag.FlagSet
}

// Flags adds the flags of an exchange that a publisher declares.
func (x *Exchange) Flags(p *cli.Program) {
	f := p.Group("Exchange")
	f.StringVarP(&x.Name, "exchange", "e", x.Name, "use the exchange `NAME`"+x.defaultNames())
	if x.Names != nil {
		f.VarP(cli.NewChoice(&x.Type, slices.Sorted(maps.Keys(x.Names))...), "type", "t", "use this `TYPE` of exchange")
	}
	x.flags = f
	if x.Consumer != nil {
		return
	}
	f.BoolVar(&x.Durable, "durable", x.Durable, "let the exchange survive a restart of the broker")
	f.BoolVar(&x.AutoDelete, "auto-delete", x.AutoDelete, "have the exchange deleted when its last binding goes")
	f.Var(&x.Args, "arg", "declare the exchange with the argument `NAME=VALUE`; for example alternate-exchange=lost; may be repeated")
	f.BoolVar(&x.NoDeclare, "no-declare", x.NoDeclare, "use what exists, declare nothing")
	for _, setting := range settings {
		p.Exclusive("no-declare", setting)
	}
}

func (x *Exchange) defaultNames() string {
	if x.Names == nil {
		return ""
	}
	var names []string
	for _, kind := range slices.Sorted(maps.Keys(x.Names)) {
		names = append(names, kind+" "+x.Names[kind])
	}
	return "; by default " + strings.Join(names, ", ")
}

// Check refuses what no broker would take.
func (x *Exchange) Check() error {
	if x.Names != nil && !x.flags.Changed("exchange") {
		x.Name = x.Names[x.Type]
	}
	switch {
	case x.Name == "":
		return cli.Usage("send publishes to the default exchange", "--exchange: the default exchange, which has no name, can't be declared or bound")
	case len(x.Name) > 255:
		return cli.Usage("", "--exchange: an exchange's name has at most 255 bytes, this one has %d", len(x.Name))
	}
	return nil
}

// Declare makes sure that the exchange is there. It is called before Confirm, Consume and Notify: an exchange that
// exists with other settings costs the channel, and these would go with it. The broker's own exchanges, amq.fanout
// and its like, are there already and may not be declared otherwise.
func (x *Exchange) Declare(ch *conn.Channel) error {
	if x.NoDeclare || x.Consumer != nil && x.Consumer.NoDeclare || strings.HasPrefix(x.Name, "amq.") {
		return nil
	}
	err := ch.ExchangeDeclare(
		x.Name,
		x.Type,
		x.Durable,
		x.AutoDelete,
		false, // internal: publishers may use it
		false, // no-wait: the answer is wanted
		x.Args.Fields)
	if err == nil {
		return nil
	}
	refusal := ch.Refusal(err)
	if refusal == nil {
		return err
	}
	if err := existing(ch, "exchange "+x.Name, refusal, x.flags); err != nil {
		return err
	}
	return ch.Reopen()
}
