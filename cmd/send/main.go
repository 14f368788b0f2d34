// Send publishes a message to a queue. With receive it is tutorial 1, "Hello World":
//
//	send ──▶ (default exchange) ──routing key hello──▶ [queue hello] ──▶ receive
//
// A publisher never talks to a queue: it hands each message to an exchange, with a routing key. Every broker has a
// default exchange, whose name is empty and to which every queue is bound by its own name, so that a routing key
// which is a queue's name reaches that queue.
package main

import (
	"context"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/publish"
	"amqp-tutorials/internal/topology"
)

var (
	program = cli.Program{
		Name:      "send",
		Arguments: "[MESSAGE...]",
		Summary:   "publish messages to a queue (tutorial 1, hello world)",
		About: `The arguments, joined by spaces, are the message; without any it is "Hello World!".
The queue is declared first, and "Sent" is printed when the broker has confirmed the message.`,
		Examples: `
send                                   # Hello World! to the queue hello
send -q orders "one coffee"            # to another queue
send -n 3 --template 'hello {{.Count}}'
seq 1000000 | send --lines --quiet     # each line is a message
send -e amq.topic -k kern.info "up"    # to an exchange that exists`,
		Lesson: []string{"queue", "durable", "lines", "count", "exchange", "routing-key", "persistent", "confirm"},
	}
	queue = topology.Queue{
		Name:    "hello",
		Durable: true, // the queue survives a restart of the broker
	}
	out = publish.Options{
		Default: "Hello World!",
		Queue:   &queue,
	}
	broker conn.Settings
)

func main() {
	program.Run(func(ctx context.Context, args []string) error {
		return publish.Run(ctx, &broker, &out, args, declare, send)
	}, &out, &queue, &broker)
}

// declare makes sure that the queue exists: a message for a queue that does not is dropped by the exchange, and
// nobody is told. Declaring what is there already changes nothing, so the consumer may do the same. It is called with
// each new channel: at the start, and after a lost connection.
func declare(ch *conn.Channel) (publish.Route, error) {
	q, err := queue.Declare(ch) // queue.declare; what if it exists with other settings is told in there
	return publish.Route{
		Exchange:   "",     // the default exchange
		RoutingKey: q.Name, // which is how it finds the queue
	}, err
}

// send publishes one message. There is no answer to basic.publish; what is returned is where the library will put the
// broker's confirm (see publisher confirms, tutorial 7).
func send(ctx context.Context, ch *conn.Channel, m publish.Message) (*amqp.DeferredConfirmation, error) {
	return ch.PublishWithDeferredConfirmWithContext(ctx,
		m.Exchange,   // exchange: "" is the default exchange
		m.RoutingKey, // routing key: the queue's name
		m.Mandatory,  // mandatory: return the message if it reaches no queue
		false,        // immediate: RabbitMQ does not know it
		m.Publishing, // properties and body
	)
}
