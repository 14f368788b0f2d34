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
receive --requeue -n 5                 # look at five, leave them there`,
		Lesson: []string{"queue", "durable", "count", "until-empty", "format", "auto-ack", "requeue"},
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
		return consume.Run(ctx, &broker, &in, declare, subscribe, work)
	}, &in, &queue, &broker)
}

// declare makes sure that the queue exists. The publisher does the same, since nobody knows which of the two programs is
// started first. It is called with each new channel: at the start, and after a lost connection.
func declare(ch *conn.Channel) (string, error) {
	q, err := queue.Declare(ch) // queue.declare; what if it exists with other settings is told in there
	return q.Name, err
}

// subscribe asks for the queue's messages.
func subscribe(ch *conn.Channel, queue string, ask consume.Ask) (<-chan amqp.Delivery, error) {
	if err := ch.Qos(
		ask.Prefetch, // prefetch count: deliveries that may be unacknowledged at once
		0,            // prefetch size: RabbitMQ knows no limit in bytes
		false,        // global: for each consumer
	); err != nil {
		return nil, err
	}
	return ch.Consume(
		queue,         // queue
		program.Name,  // consumer tag: by it the broker names the consumer
		ask.AutoAck,   // no-ack: false, the broker keeps a message until it is acknowledged
		false,         // exclusive: others may consume from the queue too
		false,         // no-local: RabbitMQ does not know it
		false,         // no-wait: wait for the broker's answer
		ask.Arguments, // arguments
	)
}

// work prints one message. The acknowledgement comes last: until the broker has it, the message is still the
// broker's, and would be delivered again if this program died.
func work(s *consume.Session, d amqp.Delivery) error {
	if err := s.Print(" [x] Received ", d); err != nil {
		return err
	}
	switch {
	case in.Reject:
		return d.Reject(false) // the broker drops it, or sends it to the queue's dead-letter exchange
	case in.Requeue:
		return d.Reject(true) // the broker puts it back into the queue
	}
	return d.Ack(false) // multiple: false, this message alone
}
