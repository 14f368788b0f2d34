// Emit_log_direct publishes log lines by severity. With receive_logs it is tutorial 4, "Routing":
//
//	                                           ┌─error───▶ [queue amq.gen-A] ──▶ receive_logs --type direct error
//	emit_log_direct ──▶ (direct direct_logs) ──┤─error───▶ [queue amq.gen-B] ──▶ receive_logs --type direct \
//	                                           └─warning─▶ [queue amq.gen-B]         error warning
//
// A direct exchange copies a message to the queues whose binding key is exactly the message's routing key.
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
		Name:      "emit_log_direct",
		Arguments: "[SEVERITY] [MESSAGE...]",
		Summary:   "publish log lines by severity (tutorial 4, routing)",
		About: `The first argument is the severity, which becomes the routing key: "info" without any.
The others, joined by spaces, are the message; without any it is "Hello World!".`,
		Examples: `
emit_log_direct error "Run. Run. Or it will explode."
emit_log_direct warning "it is getting warm"
printf 'error:one\ninfo:two\n' | emit_log_direct --lines --key-separator :`,
		Lesson: []string{"exchange", "lines", "key-separator", "mandatory", "confirm"},
	}
	exchange = topology.Exchange{
		Name: "direct_logs",
		Type: "direct",
	}
	out = publish.Options{
		Default:    "Hello World!",
		DefaultKey: "info",
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

// send publishes one message with its severity as the routing key, and returns where to find the broker's confirm.
func send(ctx context.Context, ch *conn.Channel, m publish.Message) (*amqp.DeferredConfirmation, error) {
	return ch.PublishWithDeferredConfirmWithContext(ctx,
		m.Exchange,   // exchange
		m.RoutingKey, // routing key: the severity
		m.Mandatory,  // mandatory: return the message if it reaches no queue
		false,        // immediate: RabbitMQ does not know it
		m.Publishing, // properties and body
	)
}
