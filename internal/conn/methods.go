package conn

import "sync"

// kind is a type of method argument (AMQP 0-9-1, section 4.2.1).
type kind int

const (
	octet kind = iota
	short
	long
	longlong
	shortstr
	longstr
	table
	bits // up to eight flags in an octet, the first in its lowest bit
)

// field is one argument; without a name it isn't shown. The name of bits are the flags' names.
type field struct {
	kind kind
	name string
}

// method is a method's name and its arguments, up to the last one that is shown.
type method struct {
	name   string
	fields []field
}

// methods are the methods of AMQP 0-9-1 with RabbitMQ's extensions, by class and method number. What could hold a
// secret, the response to the SASL challenge above all, has no name here and is never shown. The map is made when it is
// first needed, which in most runs is never.
var methods = sync.OnceValue(func() map[[2]uint16]method {
	// Arguments that several methods have.
	var (
		reserved = field{short, ""}
		none     []field
		code     = []field{{short, "reply-code"}, {shortstr, "reply-text"}}
	)
	return map[[2]uint16]method{
		{10, 10}: {"connection.start", []field{{octet, "version-major"}, {octet, "version-minor"}, {table, ""}, {longstr, "mechanisms"}}},
		{10, 11}: {"connection.start-ok", []field{{table, ""}, {shortstr, "mechanism"}}},
		{10, 20}: {"connection.secure", none},
		{10, 21}: {"connection.secure-ok", none},
		{10, 30}: {"connection.tune", []field{{short, "channel-max"}, {long, "frame-max"}, {short, "heartbeat"}}},
		{10, 31}: {"connection.tune-ok", []field{{short, "channel-max"}, {long, "frame-max"}, {short, "heartbeat"}}},
		{10, 40}: {"connection.open", []field{{shortstr, "virtual-host"}}},
		{10, 41}: {"connection.open-ok", none},
		{10, 50}: {"connection.close", code},
		{10, 51}: {"connection.close-ok", none},
		{10, 60}: {"connection.blocked", []field{{shortstr, "reason"}}},
		{10, 61}: {"connection.unblocked", none},

		{20, 10}: {"channel.open", none},
		{20, 11}: {"channel.open-ok", none},
		{20, 20}: {"channel.flow", []field{{bits, "active"}}},
		{20, 21}: {"channel.flow-ok", []field{{bits, "active"}}},
		{20, 40}: {"channel.close", code},
		{20, 41}: {"channel.close-ok", none},

		{40, 10}: {"exchange.declare", []field{reserved, {shortstr, "exchange"}, {shortstr, "type"}, {bits, "passive durable auto-delete internal no-wait"}}},
		{40, 11}: {"exchange.declare-ok", none},

		{50, 10}: {"queue.declare", []field{reserved, {shortstr, "queue"}, {bits, "passive durable exclusive auto-delete no-wait"}}},
		{50, 11}: {"queue.declare-ok", []field{{shortstr, "queue"}, {long, "message-count"}, {long, "consumer-count"}}},
		{50, 20}: {"queue.bind", []field{reserved, {shortstr, "queue"}, {shortstr, "exchange"}, {shortstr, "routing-key"}, {bits, "no-wait"}}},
		{50, 21}: {"queue.bind-ok", none},

		{60, 10}:  {"basic.qos", []field{{long, ""}, {short, "prefetch-count"}, {bits, "global"}}},
		{60, 11}:  {"basic.qos-ok", none},
		{60, 20}:  {"basic.consume", []field{reserved, {shortstr, "queue"}, {shortstr, "consumer-tag"}, {bits, "no-local no-ack exclusive no-wait"}}},
		{60, 21}:  {"basic.consume-ok", []field{{shortstr, "consumer-tag"}}},
		{60, 30}:  {"basic.cancel", []field{{shortstr, "consumer-tag"}, {bits, "no-wait"}}},
		{60, 31}:  {"basic.cancel-ok", []field{{shortstr, "consumer-tag"}}},
		{60, 40}:  {"basic.publish", []field{reserved, {shortstr, "exchange"}, {shortstr, "routing-key"}, {bits, "mandatory immediate"}}},
		{60, 50}:  {"basic.return", []field{{short, "reply-code"}, {shortstr, "reply-text"}, {shortstr, "exchange"}, {shortstr, "routing-key"}}},
		{60, 60}:  {"basic.deliver", []field{{shortstr, "consumer-tag"}, {longlong, "delivery-tag"}, {bits, "redelivered"}, {shortstr, "exchange"}, {shortstr, "routing-key"}}},
		{60, 80}:  {"basic.ack", []field{{longlong, "delivery-tag"}, {bits, "multiple"}}},
		{60, 90}:  {"basic.reject", []field{{longlong, "delivery-tag"}, {bits, "requeue"}}},
		{60, 120}: {"basic.nack", []field{{longlong, "delivery-tag"}, {bits, "multiple requeue"}}},

		{85, 10}: {"confirm.select", []field{{bits, "no-wait"}}},
		{85, 11}: {"confirm.select-ok", none},

		{90, 10}: {"tx.select", none},
		{90, 11}: {"tx.select-ok", none},
		{90, 20}: {"tx.commit", none},
		{90, 21}: {"tx.commit-ok", none},
		{90, 30}: {"tx.rollback", none},
		{90, 31}: {"tx.rollback-ok", none},
	}
})
