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
receive_logs --queue audit             # a queue that collects meanwhile`,
		Lesson: []string{"exchange", "type", "match", "queue", "count", "format"},
	}
	exchange = topology.Exchange{
		Type:     "fanout",
		Names:    map[string]string{"fanout": "logs", "direct": "direct_logs", "topic": "topic_logs", "headers": "headers_logs"},
		Consumer: &queue, // which has the flags
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
		wanted, err := bindings.Parse(args, &exchange, &queue)
		if err != nil {
			return err
		}
		return consume.Run(ctx, &broker, &in, func(ch *conn.Channel) (string, error) { return declare(ch, wanted) }, subscribe, work)
	}, &in, &exchange, &bindings, &queue, &broker)
}

// declare makes sure that the exchange exists, and binds a queue to it. It is called with each new channel: at the start,
// and after a lost connection, when the queue is a new one with another name.
func declare(ch *conn.Channel, wanted []topology.Binding) (string, error) {
	if err := exchange.Declare(ch); err != nil { // exchange.declare; what if it exists with other settings is told in there
		return "", err
	}
	q, err := queue.Declare(ch) // queue.declare
	if err != nil {
		return "", err
	}
	for i, b := range wanted {
		if err := ch.QueueBind(
			q.Name,            // queue
			b.Key,             // binding key
			exchange.Name,     // exchange
			i < len(wanted)-1, // no-wait: one answer, to the last, tells of all
			b.Args,            // arguments: what a headers exchange looks for
		); err != nil {
			return "", err
		}
	}
	return q.Name, nil
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
		false,         // exclusive: a queue with a name may be shared
		false,         // no-local: RabbitMQ does not know it
		false,         // no-wait: wait for the broker's answer
		ask.Arguments, // arguments
	)
}

// work prints one message, with its routing key where that says something. The acknowledgement comes last.
func work(s *consume.Session, d amqp.Delivery) error {
	show := s.Print
	if exchange.Type == "direct" || exchange.Type == "topic" {
		show = s.PrintWithKey
	}
	if err := show(" [x] ", d); err != nil {
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
