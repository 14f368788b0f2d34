// Rpc_client has Fibonacci numbers computed by rpc_server. It is tutorial 6, "Remote procedure call":
//
//	rpc_client ──request: reply_to, correlation_id──▶ [queue rpc_queue] ──▶ rpc_server
//	rpc_client ◀── [callback queue] ◀──reply: correlation_id─────────────── rpc_server
//
// A call over AMQP is two messages. The request names the queue for the reply, this client's own, and carries a
// correlation id that the reply repeats. A reply without a request that waits for it is ignored.
package main

import (
	"context"
	"strconv"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/rpc"
)

var (
	program = cli.Program{
		Name:      "rpc_client",
		Arguments: "[N...]",
		Summary:   "have Fibonacci numbers computed by rpc_server (tutorial 6, RPC)",
		About:     `Requests fib(N) for each argument, fib(30) without any, and prints the replies in that order.`,
		Examples: `
rpc_client                             # fib(30)
rpc_client 1 10 100 1000
rpc_client --timeout 2s 40
rpc_client --quiet -n 10000 --concurrency 16 5   # calls a second
rpc_client --reply-to direct 30        # without a callback queue (RabbitMQ)`,
		Lesson: []string{"queue", "timeout", "reply-to"},
	}
	calls = rpc.Options{
		Default: 30,
		Queue:   "rpc_queue",
	}
	broker conn.Settings
)

func main() {
	program.Run(func(ctx context.Context, args []string) error {
		return rpc.Run(ctx, &broker, &calls, args, declare, subscribe, request)
	}, &calls, &broker)
}

// declare makes the callback queue, one for all requests of this client. With --reply-to direct there is none: RabbitMQ
// sends replies straight to this channel. It is called with each new channel: at the start, and after a lost connection.
func declare(ch *conn.Channel) (replyTo string, err error) {
	if calls.Direct() {
		return rpc.Direct, nil
	}
	q, err := ch.QueueDeclare(
		"",    // name: the broker makes one up
		false, // durable
		false, // auto-delete
		true,  // exclusive: nobody else may use it, and it goes when this connection does
		false, // no-wait
		nil,   // arguments
	)
	return q.Name, err
}

// subscribe asks for the replies.
func subscribe(ch *conn.Channel, replyTo string) (<-chan amqp.Delivery, error) {
	return ch.Consume(
		replyTo,      // queue
		program.Name, // consumer tag: by it the broker names the consumer
		true,         // no-ack: if this client dies nobody wants the reply
		false,        // exclusive
		false,        // no-local: RabbitMQ does not know it
		false,        // no-wait
		nil,          // arguments
	)
}

// request publishes one request. It expires in the queue when this client no longer waits for its reply, so that a
// server which was away does not begin with work that nobody wants.
func request(ctx context.Context, ch *conn.Channel, c rpc.Call) error {
	return ch.PublishWithContext(ctx,
		"",          // exchange: the default exchange
		calls.Queue, // routing key: the servers' queue
		true,        // mandatory: without a queue the request comes back, instead of a reply that never comes
		false,       // immediate: RabbitMQ does not know it
		amqp.Publishing{
			ContentType:   "text/plain",
			CorrelationId: c.CorrelationID,
			ReplyTo:       c.ReplyTo,
			Expiration:    c.Expiration,
			Body:          []byte(strconv.Itoa(c.N)),
		},
	)
}
