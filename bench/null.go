package main

import (
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"

	"amqp-tutorials/bench/wire"
)

// nullBroker answers the handshake of any client, discards what is published and confirms it in multiples. With it
// the client is the limit, and no queue.
type nullBroker struct {
	listener net.Listener
	taken    atomic.Int64 // messages since the last look
}

func startNull() (*nullBroker, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &nullBroker{listener: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go b.serve(c)
		}
	}()
	return b, nil
}

func (b *nullBroker) url() string { return "amqp://guest:guest@" + b.listener.Addr().String() + "/%2F" }

func (b *nullBroker) stop() { _ = b.listener.Close() }

// nullSession is one connection.
type nullSession struct {
	net.Conn
	r        wire.Reader
	confirms bool
	tag      uint64 // of the latest message taken
	acked    uint64
	left     uint64 // of the present message's body
}

func (b *nullBroker) serve(c net.Conn) {
	defer c.Close()
	s := nullSession{Conn: c, r: wire.NewReader(c)}
	if _, err := io.ReadFull(s.r, make([]byte, len(wire.Header))); err != nil {
		return
	}
	if _, err := c.Write(start()); err != nil {
		return
	}
	for {
		f, err := s.r.Next()
		if err != nil {
			return
		}
		if s.takes(f) {
			s.tag++
			b.taken.Add(1)
		}
		answer := answers(f)
		s.confirms = s.confirms || f.Method() == wire.ConfirmSelect
		if s.confirms && s.tag > s.acked && (s.r.Buffered() == 0 || s.tag-s.acked >= 500) {
			s.acked = s.tag
			answer = append(answer, wire.Method(1, wire.BasicAck, s.tag, uint8(1))...)
		}
		if answer == nil {
			continue
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// takes says whether the frame is the last of a message.
func (s *nullSession) takes(f wire.Frame) bool {
	switch f.Kind {
	case wire.ContentFrame:
		s.left = f.BodySize()
		return s.left == 0
	case wire.BodyFrame:
		s.left -= uint64(len(f.Payload))
		return s.left == 0
	}
	return false
}

// start is connection.start, with the capabilities that clients ask for.
func start() []byte {
	capabilities := field(nil, "publisher_confirms", 't', []byte{1})
	capabilities = field(capabilities, "basic.nack", 't', []byte{1})
	size := binary.BigEndian.AppendUint32(nil, uint32(len(capabilities)))
	properties := field(nil, "capabilities", 'F', append(size, capabilities...))
	return wire.Method(0, wire.ConnectionStart, uint8(0), uint8(9),
		wire.Long(properties), wire.Long("PLAIN AMQPLAIN"), wire.Long("en_US"))
}

// field appends a field of an AMQP table.
func field(table []byte, name string, kind byte, value []byte) []byte {
	table = append(append(table, byte(len(name))), name...)
	return append(append(table, kind), value...)
}

// answers is what the methods with an answer are answered.
func answers(f wire.Frame) []byte {
	switch f.Method() {
	case wire.ConnectionStartOk:
		return wire.Method(0, wire.ConnectionTune, uint16(2047), uint32(wire.MaxFrame), uint16(0))
	case wire.ConnectionOpen:
		return wire.Method(0, wire.ConnectionOpenOk, wire.Short(""))
	case wire.ConnectionClose:
		return wire.Method(0, wire.ConnectionCloseOk)
	case wire.ChannelOpen:
		return wire.Method(f.Channel, wire.ChannelOpenOk, wire.Long(nil))
	case wire.ChannelClose:
		return wire.Method(f.Channel, wire.ChannelCloseOk)
	case wire.QueueDeclare:
		return wire.Method(f.Channel, wire.QueueDeclareOk, wire.Short(nullQueue), uint32(0), uint32(0))
	case wire.BasicQos:
		return wire.Method(f.Channel, wire.BasicQosOk)
	case wire.ConfirmSelect:
		return wire.Method(f.Channel, wire.ConfirmSelectOk)
	case wire.TxSelect:
		return wire.Method(f.Channel, wire.TxSelectOk)
	case wire.TxCommit:
		return wire.Method(f.Channel, wire.TxCommitOk)
	}
	return nil
}
