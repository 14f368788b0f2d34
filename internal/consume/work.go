package consume

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
)

// ConsumerTag names the consumer within its channel; the broker's management page shows it.
func (o *Options) ConsumerTag() string { return filepath.Base(os.Args[0]) }

// Print prints a delivery as --format says. The text form is prefix and body, or prefix, key, a colon and the body.
func (o *Options) Print(prefix, key string, d *amqp.Delivery) error {
	if o.quiet {
		return nil
	}
	if o.template.Given() {
		return o.out.Templated(&o.template, d)
	}
	return o.out.Message(o.format, prefix, key, d)
}

// Say prints one of the tutorial's own lines, unless the output is for programs.
func (o *Options) Say(format string, args ...any) error {
	if !o.tutorialLines() {
		return nil
	}
	return o.out.Printf(format+"\n", args...)
}

// Flush hands over what has been printed, before a long wait.
func (o *Options) Flush() error { return o.out.Flush() }

// Acknowledge tells the broker that the delivery's effect has come about and the message may be forgotten; with
// --reject or --requeue it rejects it instead. Acknowledgements may wait for others, but never longer than until the
// program itself has to wait. With --auto-ack there is nothing left to do.
func (o *Options) Acknowledge(ch *conn.Channel, d *amqp.Delivery) error {
	switch {
	case o.crashing:
		return o.crash(ch)
	case o.autoAck && o.count > 0:
		return nil // that was the first thing done
	case o.reject && !o.OnFailure:
		return o.settle.done(d.DeliveryTag, reject)
	case o.requeue && !o.OnFailure:
		return o.settle.done(d.DeliveryTag, requeue)
	}
	return o.settle.done(d.DeliveryTag, acknowledge)
}

// Reject rejects a delivery for good, whatever the options say: the broker drops it or dead-letters it.
func (o *Options) Reject(d *amqp.Delivery) error {
	if o.autoAck && o.count > 0 {
		return nil // it was acknowledged before the work
	}
	return o.settle.done(d.DeliveryTag, reject)
}

// crash ends the program as a kill would: the delivery is not acknowledged, and nobody says goodbye to the broker.
func (o *Options) crash(ch *conn.Channel) error {
	if err := o.out.Flush(); err != nil {
		return err
	}
	time.Sleep(o.crashAfter)
	ch.Sever()
	return &cli.Error{
		Status: cli.Failed, What: "crashed on purpose",
		Why: fmt.Sprintf("--crash-after %s: the message is not acknowledged and goes back to the queue", o.crashAfter),
	}
}
