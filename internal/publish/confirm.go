package publish

import (
	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"
)

// This file is tutorial 7, publisher confirms (https://www.rabbitmq.com/tutorials/tutorial-seven-php and
// https://www.rabbitmq.com/docs/confirms).
//
// basic.publish has no answer. A publish that "worked" has only reached a buffer of this machine; whether the broker
// has the message, nobody knows. On a channel in confirm mode the broker numbers the messages, from 1, and sends a
// basic.ack with a message's number when it has taken charge of it: when the message is in all its queues, and on
// disk if it is persistent and they are durable. One ack may stand for all messages up to its number (multiple), and
// a basic.nack says that the broker could not do it. The strategies differ only in when they wait:
//
//   - individual: publish one message, wait for its confirm. Simple and slow: a round trip for each message.
//   - batch: publish some, wait for all of them. Much faster; the pipe runs empty at the end of every batch.
//   - async: publish on while confirms come in, as long as not too many are outstanding. As fast as it gets.
//   - tx: AMQP's own transactions instead of confirms, a commit for each batch. Every broker has them.
//   - none: don't ask. What was on its way when the connection broke is lost, and nobody says so.

// mode is a strategy.
type mode string

const (
	individual mode = "individual"
	batch      mode = "batch"
	async      mode = "async"
	tx         mode = "tx"
	none       mode = "none"
)

// limit is how many messages may be unconfirmed at once.
func (p *publisher) limit() int {
	switch p.strategy {
	case individual:
		return 1
	case batch, tx:
		return p.batch
	case async:
		return p.window
	default:
		return 0
	}
}

// handled is the summary's word for the strategy.
func (p *publisher) handled() string {
	return map[mode]string{
		individual: " and handled confirms individually",
		batch:      " and handled confirms in batches",
		async:      " and handled confirms asynchronously",
		tx:         " in transactions",
		none:       " without confirms",
	}[p.strategy]
}

// choose falls back on no confirms where the broker has none and the user has not insisted.
func (p *publisher) choose(ch *conn.Channel) error {
	if p.strategy == none || p.strategy == tx || ch.Offers("publisher_confirms") {
		return nil
	}
	if p.given("confirm") {
		return &cli.Error{
			Status: cli.Failed, What: "--confirm " + string(p.strategy), Why: "this broker has no publisher confirms",
			Hint: "--confirm tx uses AMQP's own transactions, which it should have",
		}
	}
	cli.Say("note: this broker has no publisher confirms: messages are sent without (--confirm tx uses transactions)")
	p.strategy = none
	return nil
}

// windowBytes bounds what is kept until it is confirmed, beside the number of messages: five thousand messages of a
// megabyte would not fit into memory.
const windowBytes = 16 << 20

// full says whether the next message has to wait for confirms.
func (p *publisher) full() bool {
	u := &p.unconfirmed
	return p.strategy != none && u.n > 0 && (u.n >= p.limit() || u.bytes >= windowBytes)
}

// ask puts the channel into confirm mode, or begins a transaction.
func (p *publisher) ask(ch *conn.Channel) error {
	if p.mandatory || p.resends() {
		ch.KeepReturns()
	}
	switch p.strategy {
	case none:
		return nil
	case tx:
		return ch.Tx()
	default:
		return ch.Confirm(false)
	}
}
