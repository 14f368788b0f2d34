package wire

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// id is a class's number and a method's, the first in the upper half.
type id uint32

// Those that the ledger treats in their own ways. Every other method that has an answer is answered by the one with the
// next number.
const (
	hello               id = 10 << 16 // no method: the greeting, which connection.start answers
	connectionStart     id = 10<<16 | 10
	startOk             id = 10<<16 | 11
	connectionSecure    id = 10<<16 | 20
	secureOk            id = 10<<16 | 21
	connectionTune      id = 10<<16 | 30
	connectionClose     id = 10<<16 | 50
	connectionBlocked   id = 10<<16 | 60
	connectionUnblocked id = 10<<16 | 61
	channelOpen         id = 20<<16 | 10
	channelFlow         id = 20<<16 | 20
	channelClose        id = 20<<16 | 40
	exchangeUnbind      id = 40<<16 | 40
	exchangeUnbindOk    id = 40<<16 | 51
	basicQos            id = 60<<16 | 10
	basicConsume        id = 60<<16 | 20
	basicCancel         id = 60<<16 | 30
	basicPublish        id = 60<<16 | 40
	basicReturn         id = 60<<16 | 50
	basicDeliver        id = 60<<16 | 60
	basicGet            id = 60<<16 | 70
	basicGetEmpty       id = 60<<16 | 72
	basicAck            id = 60<<16 | 80
	basicReject         id = 60<<16 | 90
	basicRecoverOk      id = 60<<16 | 111
	basicNack           id = 60<<16 | 120
	confirmSelect       id = 85<<16 | 10
)

// idOf reads a method frame's payload, which has four bytes at least.
func idOf(payload []byte) id { return id(binary.BigEndian.Uint32(payload)) }

func (m id) String() string {
	if known, ok := find(m); ok {
		return known.name
	}
	return fmt.Sprintf("method %d.%d", m>>16, m&0xffff)
}

// asks says whether a method of the client's has an answer.
func asks(m id) bool {
	switch m {
	case startOk, secureOk, exchangeUnbind:
		return true
	}
	answer, known := find(m + 1)
	return known && strings.HasSuffix(answer.name, "-ok") && !strings.HasSuffix(m.String(), "-ok")
}

// answers says whether one method is the answer to another.
func answers(question, answer id) bool {
	switch question {
	case hello:
		return answer == connectionStart
	case startOk, secureOk:
		return answer == connectionTune || answer == connectionSecure
	case exchangeUnbind:
		return answer == exchangeUnbindOk
	case basicGet:
		return answer == basicGet+1 || answer == basicGetEmpty
	}
	return answer == question+1
}

// flagged says whether one of a method's bits is set.
func flagged(payload []byte, flag string) bool {
	fields := arguments{rest: payload[4:]}
	m, _ := find(idOf(payload))
	for _, f := range m.fields {
		value := fields.value(f.kind)
		octet, _ := value.(uint64)
		for i, name := range strings.Split(f.name, " ") {
			if f.kind == bits && name == flag {
				return octet>>i&1 == 1
			}
		}
	}
	return false
}

// method is a method's name and its arguments, up to the last one that is shown.
type method struct {
	name   string
	fields []field
}

// find returns a method of AMQP 0-9-1, or of RabbitMQ's extensions to it. What could hold a secret, the response to the
// SASL challenge above all, has no name here and is never shown.
func find(m id) (found method, known bool) {
	// Arguments that several methods have.
	var (
		reserved = field{short, ""}
		none     []field
		code     = []field{{short, "reply-code"}, {shortstr, "reply-text"}}
		extras   = field{table, "arguments"}
	)
	switch m {
	case 10<<16 | 10:
		found = method{"connection.start", []field{{octet, "version-major"}, {octet, "version-minor"}, {table, ""}, {longstr, "mechanisms"}}}
	case 10<<16 | 11:
		found = method{"connection.start-ok", []field{{table, ""}, {shortstr, "mechanism"}}}
	case 10<<16 | 20:
		found = method{"connection.secure", none}
	case 10<<16 | 21:
		found = method{"connection.secure-ok", none}
	case 10<<16 | 30:
		found = method{"connection.tune", []field{{short, "channel-max"}, {long, "frame-max"}, {short, "heartbeat"}}}
	case 10<<16 | 31:
		found = method{"connection.tune-ok", []field{{short, "channel-max"}, {long, "frame-max"}, {short, "heartbeat"}}}
	case 10<<16 | 40:
		found = method{"connection.open", []field{{shortstr, "virtual-host"}}}
	case 10<<16 | 41:
		found = method{"connection.open-ok", none}
	case 10<<16 | 50:
		found = method{"connection.close", code}
	case 10<<16 | 51:
		found = method{"connection.close-ok", none}
	case 10<<16 | 60:
		found = method{"connection.blocked", []field{{shortstr, "reason"}}}
	case 10<<16 | 61:
		found = method{"connection.unblocked", none}
	case 10<<16 | 70:
		found = method{"connection.update-secret", none}
	case 10<<16 | 71:
		found = method{"connection.update-secret-ok", none}
	case 20<<16 | 10:
		found = method{"channel.open", none}
	case 20<<16 | 11:
		found = method{"channel.open-ok", none}
	case 20<<16 | 20:
		found = method{"channel.flow", []field{{bits, "active"}}}
	case 20<<16 | 21:
		found = method{"channel.flow-ok", []field{{bits, "active"}}}
	case 20<<16 | 40:
		found = method{"channel.close", code}
	case 20<<16 | 41:
		found = method{"channel.close-ok", none}
	case 40<<16 | 10:
		found = method{"exchange.declare", []field{reserved, {shortstr, "exchange"}, {shortstr, "type"}, {bits, "passive durable auto-delete internal no-wait"}, extras}}
	case 40<<16 | 11:
		found = method{"exchange.declare-ok", none}
	case 40<<16 | 20:
		found = method{"exchange.delete", []field{reserved, {shortstr, "exchange"}, {bits, "if-unused no-wait"}}}
	case 40<<16 | 21:
		found = method{"exchange.delete-ok", none}
	case 40<<16 | 30:
		found = method{"exchange.bind", []field{reserved, {shortstr, "destination"}, {shortstr, "source"}, {shortstr, "routing-key"}, {bits, "no-wait"}, extras}}
	case 40<<16 | 31:
		found = method{"exchange.bind-ok", none}
	case 40<<16 | 40:
		found = method{"exchange.unbind", []field{reserved, {shortstr, "destination"}, {shortstr, "source"}, {shortstr, "routing-key"}, {bits, "no-wait"}, extras}}
	case 40<<16 | 51:
		found = method{"exchange.unbind-ok", none}
	case 50<<16 | 10:
		found = method{"queue.declare", []field{reserved, {shortstr, "queue"}, {bits, "passive durable exclusive auto-delete no-wait"}, extras}}
	case 50<<16 | 11:
		found = method{"queue.declare-ok", []field{{shortstr, "queue"}, {long, "message-count"}, {long, "consumer-count"}}}
	case 50<<16 | 20:
		found = method{"queue.bind", []field{reserved, {shortstr, "queue"}, {shortstr, "exchange"}, {shortstr, "routing-key"}, {bits, "no-wait"}, extras}}
	case 50<<16 | 21:
		found = method{"queue.bind-ok", none}
	case 50<<16 | 30:
		found = method{"queue.purge", []field{reserved, {shortstr, "queue"}, {bits, "no-wait"}}}
	case 50<<16 | 31:
		found = method{"queue.purge-ok", []field{{long, "message-count"}}}
	case 50<<16 | 40:
		found = method{"queue.delete", []field{reserved, {shortstr, "queue"}, {bits, "if-unused if-empty no-wait"}}}
	case 50<<16 | 41:
		found = method{"queue.delete-ok", []field{{long, "message-count"}}}
	case 50<<16 | 50:
		found = method{"queue.unbind", []field{reserved, {shortstr, "queue"}, {shortstr, "exchange"}, {shortstr, "routing-key"}, extras}}
	case 50<<16 | 51:
		found = method{"queue.unbind-ok", none}
	case 60<<16 | 10:
		found = method{"basic.qos", []field{{long, ""}, {short, "prefetch-count"}, {bits, "global"}}}
	case 60<<16 | 11:
		found = method{"basic.qos-ok", none}
	case 60<<16 | 20:
		found = method{"basic.consume", []field{reserved, {shortstr, "queue"}, {shortstr, "consumer-tag"}, {bits, "no-local no-ack exclusive no-wait"}, extras}}
	case 60<<16 | 21:
		found = method{"basic.consume-ok", []field{{shortstr, "consumer-tag"}}}
	case 60<<16 | 30:
		found = method{"basic.cancel", []field{{shortstr, "consumer-tag"}, {bits, "no-wait"}}}
	case 60<<16 | 31:
		found = method{"basic.cancel-ok", []field{{shortstr, "consumer-tag"}}}
	case 60<<16 | 40:
		found = method{"basic.publish", []field{reserved, {shortstr, "exchange"}, {shortstr, "routing-key"}, {bits, "mandatory immediate"}}}
	case 60<<16 | 50:
		found = method{"basic.return", []field{{short, "reply-code"}, {shortstr, "reply-text"}, {shortstr, "exchange"}, {shortstr, "routing-key"}}}
	case 60<<16 | 60:
		found = method{"basic.deliver", []field{{shortstr, "consumer-tag"}, {longlong, "delivery-tag"}, {bits, "redelivered"}, {shortstr, "exchange"}, {shortstr, "routing-key"}}}
	case 60<<16 | 70:
		found = method{"basic.get", []field{reserved, {shortstr, "queue"}, {bits, "no-ack"}}}
	case 60<<16 | 71:
		found = method{"basic.get-ok", []field{{longlong, "delivery-tag"}, {bits, "redelivered"}, {shortstr, "exchange"}, {shortstr, "routing-key"}, {long, "message-count"}}}
	case 60<<16 | 72:
		found = method{"basic.get-empty", none}
	case 60<<16 | 80:
		found = method{"basic.ack", []field{{longlong, "delivery-tag"}, {bits, "multiple"}}}
	case 60<<16 | 90:
		found = method{"basic.reject", []field{{longlong, "delivery-tag"}, {bits, "requeue"}}}
	case 60<<16 | 110:
		found = method{"basic.recover", []field{{bits, "requeue"}}}
	case 60<<16 | 111:
		found = method{"basic.recover-ok", none}
	case 60<<16 | 120:
		found = method{"basic.nack", []field{{longlong, "delivery-tag"}, {bits, "multiple requeue"}}}
	case 85<<16 | 10:
		found = method{"confirm.select", []field{{bits, "no-wait"}}}
	case 85<<16 | 11:
		found = method{"confirm.select-ok", none}
	case 90<<16 | 10:
		found = method{"tx.select", none}
	case 90<<16 | 11:
		found = method{"tx.select-ok", none}
	case 90<<16 | 20:
		found = method{"tx.commit", none}
	case 90<<16 | 21:
		found = method{"tx.commit-ok", none}
	case 90<<16 | 30:
		found = method{"tx.rollback", none}
	case 90<<16 | 31:
		found = method{"tx.rollback-ok", none}
	default:
		return method{}, false
	}
	return found, true
}
