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
rpc_server --delay 1s                  # a slow function: start more servers and see
rpc_server --prefetch 64 --quiet       # for throughput`,
	}
	queue = topology.Queue{
		Name:    "rpc_queue",
		Durable: true, // the queue survives a restart of the broker
	}
	in = consume.Options{
		Waiting:     " [x] Awaiting RPC requests",
		Prefetch:    1, // fair dispatch: no new request before the last one is answered
		Concurrency: 1,
		Server:      true,
	}
	limits  function
	replies *conn.Channel
	broker  conn.Settings
)

func main() {
	program.Run(func(ctx context.Context, args []string) error {
		if err := cli.NoArguments(args, "rpc_client says which numbers it wants"); err != nil {
			return err
		}
		return consume.Run(ctx, &broker, &in, subscribe, answer)
	}, &limits, &in, &queue, &broker)
}

// subscribe is called with each new channel: at the start, and after a lost connection. Replies go out on a channel
// of their own: one that the broker refuses closes its channel, and requests must not be lost with it.
func subscribe(ch *conn.Channel) (<-chan amqp.Delivery, error) {
	q, err := queue.Declare(ch)
	if err != nil || in.DeclareOnly {
		return nil, err
	}
	in.Queue = q.Name
	if replies, err = ch.Another(); err != nil {
		return nil, err
	}
	if err := ch.Qos(in.PrefetchCount(), 0, false); err != nil {
		return nil, err
	}
	return ch.Consume(
		q.Name,              // queue
		in.ConsumerTag(),    // consumer tag
		in.NoAck(),          // no-ack: false, the broker keeps a request until it is acknowledged
		false,               // exclusive: other servers share the queue
		false,               // no-local: RabbitMQ does not know it
		false,               // no-wait: wait for the broker's answer
		in.Arguments.Fields, // arguments
	)
}

// answer answers one request. The acknowledgement comes last: a server that dies before leaves the request to another.
func answer(ctx context.Context, ch *conn.Channel, d amqp.Delivery) error {
	if d.ReplyTo == "" {
		cli.Say("note: a request without reply_to, which can't be answered, is rejected")
		return in.Reject(&d)
	}
	reply := amqp.Publishing{ContentType: "text/plain", CorrelationId: d.CorrelationId}
	n, err := limits.argument(d.Body)
	if err != nil {
		reply.Type = "error"
		reply.Body = []byte(err.Error())
		cli.Say("note: request %.40q is answered with an error: %s", d.Body, err)
	} else {
		if err := in.Say(" [.] fib(%d)", n); err != nil {
			return err
		}
		reply.Body = []byte(fib(n).String())
	}
	if limits.delay > 0 {
		if err := in.Flush(); err != nil {
			return err
		}
		time.Sleep(limits.delay)
	}
	// The default exchange routes the reply to the queue that the client named. If the client has gone, its queue
	// has too, and the reply is dropped.
	if err := replies.PublishWithContext(ctx, "", d.ReplyTo, false, false, reply); err != nil {
		return err
	}
	return in.Acknowledge(ch, &d)
}
