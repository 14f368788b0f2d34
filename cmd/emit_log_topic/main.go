// Emit_log_topic publishes log lines by topic. With receive_logs it is tutorial 5, "Topics":
//
//	                                        ┌─kern.*─────▶ [queue amq.gen-A] ──▶ receive_logs --type topic 'kern.*'
//	emit_log_topic ──▶ (topic topic_logs) ──┤
//	                                        └─*.critical─▶ [queue amq.gen-B] ──▶ receive_logs --type topic '*.critical'
//
// A routing key is words between dots, here FACILITY.SEVERITY. In a binding key, * stands for exactly one word and #
// for any number of them. A message that matches several bindings of one queue arrives there once.
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
		Name:      "emit_log_topic",
		Arguments: "[ROUTING_KEY] [MESSAGE...]",
		Summary:   "publish log lines by topic (tutorial 5, topics)",
		About: `The first argument is the routing key, words between dots: "anonymous.info" without any.
The others, joined by spaces, are the message; without any it is "Hello World!".`,
		Examples: `
emit_log_topic kern.critical "A critical kernel error"
emit_log_topic auth.info "login"
emit_log_topic --mandatory cron.info   # status 4 if no binding matches`,
		Lesson: []string{"exchange", "lines", "key-separator", "mandatory", "confirm"},
	}
	exchange = topology.Exchange{
		Name: "topic_logs",
		Type: "topic",
	}
	out = publish.Options{
		Default:    "Hello World!",
		DefaultKey: "anonymous.info",
	}
	broker conn.Settings
)

func main() {
	program.Run(func(ctx context.Context, args []string) error {
		return publish.Run(ctx, &broker, &out, args, declare, send)
	}, &out, &exchange, &broker)
}

// declare makes sure that the exchange exists, to which all messages go: publishing to one that does not closes the
// channel (404). It is called with each new channel: at the start, and after a lost connection.
func declare(ch *conn.Channel) (publish.Route, error) {
	err := exchange.Declare(ch) // exchange.declare; what if it exists with other settings is told in there
	return publish.Route{Exchange: exchange.Name}, err
}

// send publishes one message. The exchange compares its routing key, word by word, with every binding key. What is
// returned is where to find the broker's confirm.
func send(ctx context.Context, ch *conn.Channel, m publish.Message) (*amqp.DeferredConfirmation, error) {
	return ch.PublishWithDeferredConfirmWithContext(ctx,
		m.Exchange,   // exchange
		m.RoutingKey, // routing key: FACILITY.SEVERITY
		m.Mandatory,  // mandatory: return the message if it reaches no queue
		false,        // immediate: RabbitMQ does not know it
		m.Publishing, // properties and body
	)
}
