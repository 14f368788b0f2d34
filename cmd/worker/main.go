// Worker does the tasks of a work queue. With new_task it is tutorial 2, "Work queues":
//
//	                                                                      ┌──▶ worker
//	new_task ──▶ (default exchange) ──routing key──▶ [queue task_queue] ──┼──▶ worker
//	                                                                      └──▶ worker
//
// Start as many as you like: the broker deals the tasks out. Kill one in the middle of a task, and another one gets
// that task, because it was never acknowledged.
package main

import (
	"bytes"
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
		Name:    "worker",
		Summary: "do the tasks of a work queue (tutorial 2, work queues)",
		About: `Each dot in a task's body is one second of work. The task is acknowledged when the work is done:
a worker that is killed before loses nothing, the broker gives the task to another.
With --exec the work is a shell command, which gets the body on its standard input and the rest in AMQP_*
variables: exit status 0 acknowledges the task, any other rejects it.`,
		Examples: `
worker                                 # in two terminals, then run new_task
worker --unit 100ms                    # a dot is a tenth of a second
worker --crash-after 2s                # take a task and die of it
worker --fail bad                      # reject tasks that contain "bad"
worker --exec 'gzip > "$AMQP_MESSAGE_ID.gz"' --concurrency 4`,
		Lesson: []string{"queue", "durable", "prefetch", "auto-ack", "unit", "exec", "concurrency"},
	}
	queue = topology.Queue{
		Name:    "task_queue",
		Durable: true, // the queue survives a restart of the broker
	}
	in = consume.Options{
		Waiting:     " [*] Waiting for messages. To exit press CTRL+C",
		Prefetch:    1, // fair dispatch: no new task before the last one is acknowledged
		Concurrency: 1,
		Slow:        true,
		Failures:    other.failures,
	}
	other  otherWork // --exec and the like, see exec.go
	broker conn.Settings
)

func main() {
	program.Run(func(ctx context.Context, args []string) error {
		if err := cli.NoArguments(args, "tasks are published by new_task"); err != nil {
			return err
		}
		return consume.Run(ctx, &broker, &in, declare, subscribe, work)
	}, &other, &in, &queue, &broker)
}

// declare makes sure that the queue exists. It is called with each new channel: at the start, and after a lost connection.
func declare(ch *conn.Channel) (string, error) {
	q, err := queue.Declare(ch) // queue.declare; what if it exists with other settings is told in there
	return q.Name, err
}

// subscribe asks for tasks. Without a prefetch the broker deals all of them out at once, in turn: one worker may get all
// the heavy ones.
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
		ask.AutoAck,   // no-ack: false, the broker keeps a task until it is acknowledged
		false,         // exclusive: other workers share the queue
		false,         // no-local: RabbitMQ does not know it
		false,         // no-wait: wait for the broker's answer
		ask.Arguments, // arguments
	)
}

// work does one task: a dot in its body is a second of work. The acknowledgement comes last: until the broker has it, the
// task is still the broker's, and is given to another worker if this one dies.
func work(s *consume.Session, d amqp.Delivery) error {
	if err := s.Print(" [x] Received ", d); err != nil {
		return err
	}
	if other.given() {
		return other.work(s, d)
	}
	time.Sleep(time.Duration(bytes.Count(d.Body, []byte("."))) * other.unit)
	if err := s.Say(" [x] Done"); err != nil {
		return err
	}
	return d.Ack(false) // multiple: false, this task alone
}
