// Receive_logs prints log lines as they are published. It is the listening half of tutorials 3, 4 and 5:
//
//	emit_log ─────────▶ (fanout logs) ───────────────────────▶ [queue amq.gen-A] ──▶ receive_logs
//	emit_log_direct ──▶ (direct direct_logs) ──binding keys──▶ [queue amq.gen-B] ──▶ receive_logs --type direct error
//	emit_log_topic ───▶ (topic topic_logs) ────binding keys──▶ [queue amq.gen-C] ──▶ receive_logs --type topic 'kern.*'
//
// Each listener has a queue of its own, so that everyone gets everything, from now on: the broker makes up its name,
// and deletes it when the listener goes. A binding says which of the exchange's messages the queue wants.
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
		Name:      "receive_logs",
		Arguments: "[BINDING_KEY...]",
		Summary:   "print log lines as they are published (tutorials 3, 4 and 5)",
		About: `Without --type it listens to everything that emit_log publishes. With --type direct or topic, to what
matches one of the binding keys; with --type headers, to messages with the headers NAME=VALUE.
Put binding keys with * or # in quotes, or the shell takes them for file names or comments.`,
		Examples: `
receive_logs                           # everything that emit_log publishes
receive_logs > logs_from_rabbit.log    # only the log lines go to the file
receive_logs --type direct warning error
receive_logs --type topic 'kern.*' '*.critical'
receive_logs --type headers --match any level=error team=db
receive_logs --queue audit             # a durable queue that collects while nobody listens`,
	}
	exchange = topology.Exchange{
		Type:     "fanout",
		Names:    map[string]string{"fanout": "logs", "direct": "direct_logs", "topic": "topic_logs", "headers": "headers_logs"},
		Consumed: true,
	}
	queue = topology.Queue{
		Name:    "", // the broker makes one up; the queue is exclusive then, and not durable
		Durable: true,
	}
	bindings topology.Bindings
	in       = consume.Options{
		Waiting:  " [*] Waiting for logs. To exit press CTRL+C",
		Prefetch: 250,
	}
	broker conn.Settings
)

func main() {
	program.Run(func(ctx context.Context, args []string) error {
		exchange.NoDeclare = queue.NoDeclare
		if err := bindings.Parse(args, &exchange, &queue); err != nil {
			return err
		}
		return consume.Run(ctx, &broker, &in, subscribe, work)
	}, &in, &exchange, &bindings, &queue, &broker)
}

// subscribe is called with each new channel: at the start, and after a lost connection, when the queue is a new one
// with another name.
func subscribe(ch *conn.Channel) (<-chan amqp.Delivery, error) {
	if err := exchange.Declare(ch); err != nil {
		return nil, err
	}
	q, err := queue.Declare(ch)
	if err != nil {
		return nil, err
	}
	for i, b := range bindings.List {
		err := ch.QueueBind(
			q.Name,
			b.Key, // binding key
			exchange.Name,
			i < len(bindings.List)-1, // no-wait: one answer, to the last, tells of all
			b.Args,                   // arguments: what a headers exchange looks for
		)
		if err != nil {
			return nil, err
		}
	}
	if in.DeclareOnly {
		return nil, nil
	}
	in.Queue = q.Name
	if err := ch.Qos(in.PrefetchCount(), 0, false); err != nil {
		return nil, err
	}
	return ch.Consume(
		q.Name,              // queue
		in.ConsumerTag(),    // consumer tag
		in.NoAck(),          // no-ack: false, the broker keeps a message until it is acknowledged
		false,               // exclusive
		false,               // no-local: RabbitMQ does not know it
		false,               // no-wait: wait for the broker's answer
		in.Arguments.Fields, // arguments
	)
}

// work prints one message, with its routing key where that says something. The acknowledgement comes last.
func work(_ context.Context, ch *conn.Channel, d amqp.Delivery) error {
	key := ""
	if exchange.Type == "direct" || exchange.Type == "topic" {
		key = d.RoutingKey
	}
	if err := in.Print(" [x] ", key, &d); err != nil {
		return err
	}
	return in.Acknowledge(ch, &d)
}
