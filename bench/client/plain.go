package main

import (
	"bufio"
	"context"
	"os"

	amqp "github.com/rabbitmq/amqp091-go"
)

// open dials as the tutorials do.
func open(url string) (*amqp.Connection, *amqp.Channel, error) {
	conn, err := amqp.Dial(url)
	if err != nil {
		return nil, nil, err
	}
	ch, err := conn.Channel()
	return conn, ch, err
}

// plainPublish publishes each line of standard input, without confirms.
func plainPublish(url, queue string) error {
	conn, ch, err := open(url)
	if err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		message := amqp.Publishing{DeliveryMode: amqp.Persistent, ContentType: "text/plain", Body: in.Bytes()}
		if err := ch.PublishWithContext(context.Background(), "", queue, false, false, message); err != nil {
			return err
		}
	}
	if err := in.Err(); err != nil {
		return err
	}
	return conn.Close()
}

// plainDrain writes the bodies of n messages to standard output. It acknowledges every ack messages, all of them at
// once, or with ack 0 leaves that to the broker.
func plainDrain(url, queue string, n, prefetch, ack int) error {
	conn, ch, err := open(url)
	if err != nil {
		return err
	}
	if err := ch.Qos(prefetch, 0, false); err != nil {
		return err
	}
	deliveries, err := ch.Consume(queue, "", ack == 0, false, false, false, nil)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	done := 0
	for d := range deliveries {
		_, _ = out.Write(d.Body) // Flush tells
		_ = out.WriteByte('\n')
		done++
		if ack > 0 && (done%ack == 0 || done == n) {
			if err := out.Flush(); err != nil {
				return err
			}
			if err := d.Ack(true); err != nil {
				return err
			}
		}
		if done == n {
			break
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return conn.Close()
}

// plainSend is send.go of the official Go tutorial.
func plainSend(url, queue string) error {
	conn, ch, err := open(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer ch.Close()
	q, err := ch.QueueDeclare(queue, true, false, false, false, nil)
	if err != nil {
		return err
	}
	message := amqp.Publishing{ContentType: "text/plain", Body: []byte("Hello World!")}
	return ch.PublishWithContext(context.Background(), "", q.Name, false, false, message)
}

// plainReceive is receive.go of the official Go tutorial, for one message.
func plainReceive(url, queue string) error {
	conn, ch, err := open(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer ch.Close()
	q, err := ch.QueueDeclare(queue, true, false, false, false, nil)
	if err != nil {
		return err
	}
	deliveries, err := ch.Consume(q.Name, "", true, false, false, false, nil)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append((<-deliveries).Body, '\n'))
	return err
}

// plainRPC is rpc_client.go of the official Go tutorial.
func plainRPC(url, queue string) error {
	conn, ch, err := open(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer ch.Close()
	q, err := ch.QueueDeclare("", false, false, true, false, nil)
	if err != nil {
		return err
	}
	replies, err := ch.Consume(q.Name, "", true, false, false, false, nil)
	if err != nil {
		return err
	}
	request := amqp.Publishing{ContentType: "text/plain", CorrelationId: "1", ReplyTo: q.Name, Body: []byte("30")}
	if err := ch.PublishWithContext(context.Background(), "", queue, false, false, request); err != nil {
		return err
	}
	_, err = os.Stdout.Write(append((<-replies).Body, '\n'))
	return err
}
