package main

import (
	"fmt"
	"os"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	listenConnections = 10
	listenPrefetch    = 250 // receive_logs'
)

// listen is a crowd of receive_logs in one process: so many exclusive, server-named queues, bound to a fanout
// exchange, with a consumer and a channel each, on few connections. It says so when every queue has got n messages, for
// after that the broker takes seconds to delete a thousand queues. Closing the connection waits for it.
func listen(url, exchange string, queues, n int, patience time.Duration) error {
	done := make(chan error, queues)
	var conns []*amqp.Connection
	for i := range queues {
		if i < listenConnections {
			conn, err := amqp.Dial(url)
			if err != nil {
				return err
			}
			conns = append(conns, conn)
		}
		deliveries, err := subscribe(conns[i%listenConnections], exchange)
		if err != nil {
			return err
		}
		go func() { done <- take(deliveries, n, patience) }()
	}
	fmt.Fprintln(os.Stderr, "Waiting")
	for range queues {
		if err := <-done; err != nil {
			return err
		}
	}
	fmt.Fprintln(os.Stderr, "Received")
	for _, conn := range conns {
		if err := conn.Close(); err != nil {
			return err
		}
	}
	return nil
}

// subscribe does for one queue what receive_logs does.
func subscribe(conn *amqp.Connection, exchange string) (<-chan amqp.Delivery, error) {
	ch, err := conn.Channel()
	if err != nil {
		return nil, err
	}
	if err := ch.ExchangeDeclare(exchange, amqp.ExchangeFanout, false, false, false, false, nil); err != nil {
		return nil, err
	}
	q, err := ch.QueueDeclare("", false, false, true, false, nil)
	if err != nil {
		return nil, err
	}
	if err := ch.QueueBind(q.Name, "", exchange, false, nil); err != nil {
		return nil, err
	}
	if err := ch.Qos(listenPrefetch, 0, false); err != nil {
		return nil, err
	}
	return ch.Consume(q.Name, "", false, true, false, false, nil)
}

// take writes the bodies of n deliveries to standard output and acknowledges them, many at once. It fails when for so
// long nothing has come: a message has been lost then.
func take(deliveries <-chan amqp.Delivery, n int, patience time.Duration) error {
	var text []byte
	for got := 1; got <= n; got++ {
		select {
		case d, ok := <-deliveries:
			if !ok {
				return fmt.Errorf("the consumer has ended after %d of %d messages", got-1, n)
			}
			text = append(append(text, d.Body...), '\n')
			if got%(listenPrefetch/2) != 0 && got != n {
				continue
			}
			if _, err := os.Stdout.Write(text); err != nil {
				return err
			}
			text = text[:0]
			if err := d.Ack(true); err != nil {
				return err
			}
		case <-time.After(patience):
			return fmt.Errorf("only %d of %d messages have come", got-1, n)
		}
	}
	return nil
}
