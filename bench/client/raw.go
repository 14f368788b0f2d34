package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"amqp-tutorials/bench/wire"
)

// How rawPublish publishes.
const (
	confirmed = "confirm"   // persistent messages, with confirms
	asSend    = "as-send"   // the same, with the properties that send gives them
	none      = "none"      // persistent messages, without confirms
	transient = "transient" // transient ones, without confirms
)

// rawPublish writes the same message n times, many at once; confirmed, it waits until the broker has confirmed all.
func rawPublish(url, queue string, n, size int, how string) error {
	properties, confirm := wire.Persistent, how == confirmed || how == asSend
	switch how {
	case confirmed, none:
	case asSend:
		properties = wire.AsSend()
	case transient:
		properties = wire.Transient
	default:
		return fmt.Errorf("raw-publish: %s is none of %s, %s, %s, %s", how, confirmed, asSend, none, transient)
	}
	c, r, err := wire.Dial(url)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	if confirm {
		if _, err := c.Write(wire.Method(1, wire.ConfirmSelect, uint8(0))); err != nil {
			return err
		}
		if _, err := r.Await(wire.ConfirmSelectOk); err != nil {
			return err
		}
		go func() { done <- awaitAcks(r, n) }()
	} else {
		done <- nil
	}
	message := wire.Publish(queue, bytes.Repeat([]byte{'x'}, size), properties)
	several := max(256<<10/len(message), 1)
	block := bytes.Repeat(message, several)
	for left := n; left > 0; left -= several {
		if _, err := c.Write(block[:min(left, several)*len(message)]); err != nil {
			return err
		}
	}
	if err := <-done; err != nil {
		return err
	}
	return wire.Close(c, r)
}

// awaitAcks reads until n messages are confirmed. Confirms are not sorted: one for several messages may come after
// single ones for some of these.
func awaitAcks(r wire.Reader, n int) error {
	acked, low := make([]bool, n+1), 1 // all below low are acked
	for left := n; left > 0; {
		f, err := r.Await(wire.BasicAck)
		if err != nil {
			return err
		}
		tag, multiple := int(binary.BigEndian.Uint64(f.Payload[4:])), f.Payload[12]&1 != 0
		first := tag
		if multiple {
			first, low = low, max(low, tag+1)
		}
		for i := first; i <= tag; i++ {
			if !acked[i] {
				acked[i] = true
				left--
			}
		}
	}
	return nil
}

// rawDrain writes the bodies of n messages to standard output, a line each. With a prefetch it acknowledges whenever
// half of that is done, without one the broker does by itself.
func rawDrain(url, queue string, n, prefetch int) error {
	c, r, err := wire.Dial(url)
	if err != nil {
		return err
	}
	noAck := uint8(2)
	if prefetch > 0 {
		noAck = 0
		if _, err := c.Write(wire.Method(1, wire.BasicQos, uint32(0), uint16(prefetch), uint8(0))); err != nil {
			return err
		}
	}
	consume := wire.Method(1, wire.BasicConsume, uint16(0), wire.Short(queue), wire.Short("raw"), noAck, wire.Long(nil))
	if _, err := c.Write(consume); err != nil {
		return err
	}
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	if err := drain(c, r, out, n, prefetch/2); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return wire.Close(c, r)
}

func drain(c io.Writer, r wire.Reader, out *bufio.Writer, n, batch int) error {
	var left uint64 // of the present message's body
	for done := 0; done < n; {
		f, err := r.Next()
		if err != nil {
			return err
		}
		switch f.Kind {
		case wire.ContentFrame:
			left = f.BodySize()
		case wire.BodyFrame:
			left -= uint64(len(f.Payload))
			_, _ = out.Write(f.Payload) // Flush tells
		default:
			continue
		}
		if left > 0 {
			continue
		}
		_ = out.WriteByte('\n')
		done++
		if batch > 0 && (done%batch == 0 || done == n) {
			if err := out.Flush(); err != nil {
				return err
			}
			if _, err := c.Write(wire.Method(1, wire.BasicAck, uint64(done), uint8(1))); err != nil {
				return err
			}
		}
	}
	return nil
}
