// Emit_log publishes log lines for everyone who listens. With receive_logs it is tutorial 3, "Publish/Subscribe":
//
//	                             ┌──▶ [queue amq.gen-A] ──▶ receive_logs
//	emit_log ──▶ (fanout logs) ──┤
//	                             └──▶ [queue amq.gen-B] ──▶ receive_logs > logs_from_rabbit.log
//
// A fanout exchange copies each message to every queue that is bound to it. Where no queue is bound the message is
// dropped: nobody was listening.
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
		Name:      "emit_log",
		Arguments: "[MESSAGE...]",
		Summary:   "publish log lines to all who listen (tutorial 3, publish/subscribe)",
		About: `The arguments, joined by spaces, are the message; without any it is "info: Hello World!".
Start receive_logs first: a message is dropped if no queue is bound to the exchange.`,
		Examples: `
emit_log "warning: disk nearly full"
tail -f /var/log/syslog | emit_log --lines --quiet
emit_log --mandatory hello             # exit status 4 if nobody listens
emit_log --type headers -H level=error -H team=db "replica is behind"`,
		Lesson: []string{"exchange", "type", "header", "lines", "mandatory", "confirm"},
	}
	exchange = topology.Exchange{
		Type:  "fanout",
		Names: map[string]string{"fanout": "logs", "headers": "headers_logs"},
	}
	out    = publish.Options{Default: "info: Hello World!"}
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

// send publishes one message. A fanout exchange ignores the routing key, a headers exchange looks at the headers. What
// is returned is where to find the broker's confirm.
func send(ctx context.Context, ch *conn.Channel, m publish.Message) (*amqp.DeferredConfirmation, error) {
	return ch.PublishWithDeferredConfirmWithContext(ctx,
		m.Exchange,   // exchange
		m.RoutingKey, // routing key: empty unless --routing-key is given
		m.Mandatory,  // mandatory: return the message if it reaches no queue
		false,        // immediate: RabbitMQ does not know it
		m.Publishing, // properties and body
	)
}
