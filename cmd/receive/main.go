// Receive prints the messages of a queue. With send it is tutorial 1, "Hello World":
//
//	send ──▶ (default exchange) ──routing key hello──▶ [queue hello] ──▶ receive
//
// A consumer subscribes to a queue, and the broker pushes messages to it as they come (basic.deliver), up to as many
// unacknowledged ones as the prefetch allows.
package main

import (
	"context"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/consume"
	_ "amqp-tutorials/internal/oneprocessor" // enough to pass messages on
	"amqp-tutorials/internal/topology"
)

var (
	program = cli.Program{
		Name:    "receive",
		Summary: "print the messages of a queue (tutorial 1, hello world)",
		About: `It waits for messages and prints each as it comes, until stopped.
A message is acknowledged after its line has been written.`,
		Examples: `
receive                                # the queue hello
receive -q orders -n 10                # ten messages and no more
receive --until-empty --format raw > messages.txt
receive --format json | jq .body
receive --requeue -n 5                 # look at five messages, leave them in the queue`,
	}
	queue = topology.Queue{
		Name:    "hello",
		Durable: true, // the queue survives a restart of the broker
	}
	in = consume.Options{
		Waiting:  " [*] Waiting for messages. To exit press CTRL+C",
		Prefetch: 250,
	}
	broker conn.Settings
)

func main() {
	program.Run(func(ctx context.Context, args []string) error {
		if err := cli.NoArguments(args, "--queue names the queue"); err != nil {
			return err
		}
		return consume.Run(ctx, &broker, &in, subscribe, work)
	}, &in, &queue, &broker)
}

// subscribe is called with each new channel: at the start, and after a lost connection. The queue is declared here
// too, since nobody knows which of the two programs is started first.
func subscribe(ch *conn.Channel) (<-chan amqp.Delivery, error) {
	q, err := queue.Declare(ch)
	if err != nil || in.DeclareOnly {
		return nil, err
	}
	in.Queue = q.Name
	err = ch.Qos(
		in.PrefetchCount(), // prefetch count: deliveries that may be unacknowledged at once
		0,                  // prefetch size: RabbitMQ knows no limit in bytes
		false,              // global: for each consumer
	)
	if err != nil {
		return nil, err
	}
	return ch.Consume(
		q.Name,              // queue
		in.ConsumerTag(),    // consumer tag
		in.NoAck(),          // no-ack: false, the broker keeps a message until it is acknowledged
		false,               // exclusive: others may consume from the queue too
		false,               // no-local: RabbitMQ does not know it
		false,               // no-wait: wait for the broker's answer
		in.Arguments.Fields, // arguments
	)
}

// work prints one message. The acknowledgement comes last: until the broker has it, the message is still the
// broker's, and would be delivered again if this program died.
func work(_ context.Context, ch *conn.Channel, d amqp.Delivery) error {
	if err := in.Print(" [x] Received ", "", &d); err != nil {
		return err
	}
	return in.Acknowledge(ch, &d)
}
