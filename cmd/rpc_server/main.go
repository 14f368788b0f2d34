// Rpc_server computes Fibonacci numbers for others. With rpc_client it is tutorial 6, "Remote procedure call":
//
//	rpc_client ──request: reply_to, correlation_id──▶ [queue rpc_queue] ──▶ rpc_server
//	rpc_client ◀── [callback queue] ◀──reply: correlation_id─────────────── rpc_server
//
// The request names the queue for the reply (reply_to) and carries a number of the client's own (correlation_id),
// which the reply repeats, so that the client knows which of its requests has been answered. Start more servers, and
// the broker shares the requests out between them.
package main

import (
	"context"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
	"amqp-tutorials/internal/consume"
	"amqp-tutorials/internal/topology"
)

var (
	program = cli.Program{
		Name:    "rpc_server",
		Summary: "compute Fibonacci numbers for rpc_client (tutorial 6, RPC)",
		About:   `A request that is no number, or too large a one, is answered with an error; the server goes on.`,
		Examples: `
rpc_server
rpc_server --delay 1s                  # slow: start more servers and see
rpc_server --prefetch 64 --quiet       # for throughput`,
		Lesson: []string{"queue", "prefetch", "concurrency", "delay", "max-n"},
	}
	queue = topology.Queue{
		Name:    "rpc_queue",
		Durable: true, // the queue survives a restart of the broker
	}
	in = consume.Options{
		Waiting:     " [x] Awaiting RPC requests",
		Prefetch:    1, // fair dispatch: no new request before the last one is answered
		Concurrency: 1,
		Slow:        true,
		Server:      true, // it answers, on a channel of its own
	}
	limits function // --max-n and --delay, see fib.go
	broker conn.Settings
)

func main() {
	program.Run(func(ctx context.Context, args []string) error {
		if err := cli.NoArguments(args, "rpc_client says which numbers it wants"); err != nil {
			return err
		}
		cli.AllProcessors() // it computes
		return consume.Run(ctx, &broker, &in, declare, subscribe, answer)
	}, &limits, &in, &queue, &broker)
}

// declare makes sure that the queue of requests exists. It is called with each new channel: at the start, and after a lost
// connection.
func declare(ch *conn.Channel) (string, error) {
	q, err := queue.Declare(ch) // queue.declare; what if it exists with other settings is told in there
	return q.Name, err
}

// subscribe asks for requests.
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
		ask.AutoAck,   // no-ack: false, the broker keeps a request until it is acknowledged
		false,         // exclusive: other servers share the queue
		false,         // no-local: RabbitMQ does not know it
		false,         // no-wait: wait for the broker's answer
		ask.Arguments, // arguments
	)
}

// answer answers one request. The acknowledgement comes last, when the broker has confirmed the reply: a server that dies
// before leaves the request to another.
func answer(s *consume.Session, d amqp.Delivery) error {
	if d.ReplyTo == "" {
		cli.Say("note: a request without reply_to, which can't be answered, is rejected")
		return d.Reject(false)
	}
	reply := amqp.Publishing{ContentType: "text/plain", CorrelationId: d.CorrelationId}
	n, err := limits.argument(d.Body)
	if err != nil {
		reply.Type = "error"
		reply.Body = []byte(err.Error())
		cli.Say("note: request %.40q is answered with an error: %s", d.Body, err)
	} else {
		if err := s.Say(" [.] fib(%d)", n); err != nil {
			return err
		}
		reply.Body = []byte(fib(n).String())
	}
	time.Sleep(limits.delay)
	confirm, err := s.Replies.PublishWithDeferredConfirm(
		"",        // exchange: the default exchange
		d.ReplyTo, // routing key: the queue that the client has named. If the client has gone, so has the queue
		false,     // mandatory: false, the broker drops the reply then
		false,     // immediate: RabbitMQ does not know it
		reply,
	)
	if err != nil {
		return err
	}
	return s.Confirmed(confirm, func() error {
		return d.Ack(false) // multiple: false, this request alone
	})
}
