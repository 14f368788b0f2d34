package e2e

import (
	"bufio"
	"encoding/binary"
	"io"
)

// The kinds of frames (AMQP 0-9-1, section 4.2.3). A frame is its kind, its channel, its size, so many bytes, and 0xCE.
const (
	frameMethod byte = 1
	frameHeader byte = 2
	frameBody   byte = 3
	frameEnd    byte = 0xCE

	frameHead = 1 + 2 + 4
)

// methodIDs are the methods that the tests speak of: class and method, as on the wire.
var methodIDs = map[string][2]uint16{
	"connection.tune":     {10, 30},
	"connection.open-ok":  {10, 41},
	"connection.close":    {10, 50},
	"connection.close-ok": {10, 51},
	"connection.blocked":  {10, 60},
	"channel.open":        {20, 10},
	"channel.close":       {20, 40},
	"exchange.declare":    {40, 10},
	"queue.declare":       {50, 10},
	"queue.bind":          {50, 20},
	"basic.qos":           {60, 10},
	"basic.consume":       {60, 20},
	"basic.consume-ok":    {60, 21},
	"basic.cancel":        {60, 30},
	"basic.cancel-ok":     {60, 31},
	"basic.publish":       {60, 40},
	"basic.deliver":       {60, 60},
	"basic.ack":           {60, 80},
	"confirm.select":      {85, 10},
	"confirm.select-ok":   {85, 11},
	"tx.select":           {90, 10},
	"tx.commit":           {90, 20},
}

var methodNames = func() map[[2]uint16]string {
	names := map[[2]uint16]string{}
	for name, ids := range methodIDs {
		names[ids] = name
	}
	return names
}()

// methodOf is the name of a frame's method, "" if it is none that the tests speak of.
func methodOf(frame []byte) string {
	if frame[0] != frameMethod || len(frame) < frameHead+4 {
		return ""
	}
	return methodNames[[2]uint16{binary.BigEndian.Uint16(frame[frameHead:]), binary.BigEndian.Uint16(frame[frameHead+2:])}]
}

func readFrame(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(frameHead)
	if err != nil {
		return nil, err
	}
	frame := make([]byte, frameHead+int(binary.BigEndian.Uint32(head[3:]))+1)
	_, err = io.ReadFull(r, frame)
	return frame, err
}

func newFrame(kind byte, channel uint16, payload []byte) []byte {
	frame := binary.BigEndian.AppendUint16([]byte{kind}, channel)
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(payload)))
	return append(append(frame, payload...), frameEnd)
}

// newMethod is the frame of a method with its arguments, as they are on the wire.
func newMethod(channel uint16, name string, arguments ...byte) []byte {
	ids := methodIDs[name]
	payload := binary.BigEndian.AppendUint16(nil, ids[0])
	payload = binary.BigEndian.AppendUint16(payload, ids[1])
	return newFrame(frameMethod, channel, append(payload, arguments...))
}

// newDelivery is the frame of a basic.deliver.
func newDelivery(channel uint16, consumerTag string, deliveryTag uint64) []byte {
	arguments := append([]byte{byte(len(consumerTag))}, consumerTag...)
	arguments = binary.BigEndian.AppendUint64(arguments, deliveryTag)
	return newMethod(channel, "basic.deliver", append(arguments, 0, 0, 0)...) // not redelivered, exchange "", routing key ""
}

// newHeader is the frame of a content header without properties, for a body of this size.
func newHeader(channel uint16, size uint64) []byte {
	payload := binary.BigEndian.AppendUint64([]byte{0, 60, 0, 0}, size)
	return newFrame(frameHeader, channel, append(payload, 0, 0))
}
