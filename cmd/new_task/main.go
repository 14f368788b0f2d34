// New_task publishes tasks for workers. With worker it is tutorial 2, "Work queues":
//
//	                                                                      ┌──▶ worker
//	new_task ──▶ (default exchange) ──routing key──▶ [queue task_queue] ──┼──▶ worker
//	                                                                      └──▶ worker
//
// A task is a message, and each goes to one of the workers. That it is not lost takes three things: a durable queue,
// a persistent message, and a worker that acknowledges only what it has done.
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
		Name:      "new_task",
		Arguments: "[MESSAGE...]",
		Summary:   "publish tasks to a work queue (tutorial 2, work queues)",
		About: `The arguments, joined by spaces, are the task; without any it is "Hello World!".
Each dot in it is one second of work to a worker.`,
		Examples: `
new_task "First message."              # one second of work
new_task "Fifth message....."          # five
new_task -n 20 --template 'task {{.Count}}..'
new_task --priority 5 --arg x-max-priority=10 -q urgent "now!"`,
		Lesson: []string{"queue", "durable", "persistent", "lines", "count", "template", "priority", "confirm"},
	}
	queue = topology.Queue{
		Name:    "task_queue",
		Durable: true, // the queue survives a restart of the broker ...
	}
	out = publish.Options{
		Default:    "Hello World!",
		Persistent: true, // ... and so do the messages in it
		Queue:      &queue,
	}
	broker conn.Settings
)

func main() {
	program.Run(func(ctx context.Context, args []string) error {
		return publish.Run(ctx, &broker, &out, args, declare, send)
	}, &out, &queue, &broker)
}

// declare makes sure that the queue exists. Durability is a property of the queue from its beginning: a queue that
// exists without it keeps being without it, and the broker refuses to declare it otherwise (406). It is called with each
// new channel: at the start, and after a lost connection.
func declare(ch *conn.Channel) (publish.Route, error) {
	q, err := queue.Declare(ch) // queue.declare; what if it exists with other settings is told in there
	return publish.Route{
		Exchange:   "",     // the default exchange
		RoutingKey: q.Name, // which is how it finds the queue
	}, err
}

// send publishes one task. Its delivery mode is persistent (2): the broker writes it to disk. Only the publisher
// confirm that follows tells that it has done so; "Sent" is printed then. What is returned is where to find it.
func send(ctx context.Context, ch *conn.Channel, m publish.Message) (*amqp.DeferredConfirmation, error) {
	return ch.PublishWithDeferredConfirmWithContext(ctx,
		m.Exchange,   // exchange: "" is the default exchange
		m.RoutingKey, // routing key: the queue's name
		m.Mandatory,  // mandatory: return the message if it reaches no queue
		false,        // immediate: RabbitMQ does not know it
		m.Publishing, // properties and body
	)
}
