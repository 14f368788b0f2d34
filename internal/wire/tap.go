package wire

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
)

// Event is a frame that passes, for --verbose: a method, the header of a content, or a heartbeat. Its texts are escaped,
// and there is no secret among them: of what is read, only what methods.go and properties.go give a name is told.
type Event struct {
	Sent    bool   // to the broker; else it was received
	Channel uint16 // 0: it is the connection's
	Several bool   // more than one channel is open
	Detail  bool   // it is part of the handshake, or a heartbeat
	Name    string // "basic.publish", "content 12 bytes"
	Fields  []Field
}

// Field is one argument of a method, or one property of a content, under its AMQP name. A flag has no value: it is set.
type Field struct{ Name, Value string }

func (f Field) String() string {
	if f.Value == "" {
		return f.Name
	}
	return f.Name + "=" + f.Value
}

// tap looks at what passes in both directions.
type tap struct {
	tell           func(Event)
	sent, received frames

	mu      sync.Mutex // the two directions have goroutines of their own
	greeted bool
	open    map[uint16]bool // channels
}

func newTap(tell func(Event)) *tap {
	t := &tap{tell: tell, open: map[uint16]bool{}}
	t.sent = frames{see: t.seer(true), skip: greeting}
	t.received = frames{see: t.seer(false)}
	return t
}

func (t *tap) write(p []byte) {
	if !t.greeted {
		t.greeted = true
		t.tell(Event{Sent: true, Detail: true, Name: "protocol header AMQP 0-9-1"})
	}
	_ = t.sent.feed(p) // seer's functions have no errors
}

func (t *tap) read(p []byte) { _ = t.received.feed(p) }

// seer returns a frames.see for one direction.
func (t *tap) seer(sent bool) func(kind byte, channel uint16, payload []byte) error {
	return func(kind byte, channel uint16, payload []byte) error {
		e := Event{Sent: sent, Channel: channel}
		switch {
		case kind == frameMethod:
			e.method(payload)
		case kind == frameHeader && len(payload) >= 12:
			e.Name = content(binary.BigEndian.Uint64(payload[4:]))
			e.Fields = properties(payload[12:])
		case kind == frameHeartbeat:
			e.Name, e.Detail = "heartbeat", true
		default:
			return nil
		}
		e.Several = t.several(channel, e.Name)
		t.tell(e)
		return nil
	}
}

func content(size uint64) string {
	if size == 1 {
		return "content 1 byte"
	}
	return fmt.Sprintf("content %d bytes", size)
}

// several says whether more than one channel is open, and keeps count of them.
func (t *tap) several(channel uint16, method string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch method {
	case "channel.open":
		t.open[channel] = true
	case "channel.close-ok":
		defer delete(t.open, channel)
	}
	return len(t.open) > 1
}

// method names a method and its telling fields.
func (e *Event) method(payload []byte) {
	if len(payload) < 4 {
		e.Name = "a method frame that is too short"
		return
	}
	m := idOf(payload)
	e.Name = m.String()
	known, _ := find(m)
	args := arguments{rest: payload[4:]}
	for _, f := range known.fields {
		e.Fields = args.appendTo(e.Fields, f)
	}
	e.Detail = strings.HasPrefix(e.Name, "connection.") && m < connectionClose
	if m == connectionClose || m == channelClose {
		e.dropSmallTalk()
	}
}

// dropSmallTalk takes away what the library says at a goodbye without a reason, which is a joke of its authors'.
func (e *Event) dropSmallTalk() {
	if e.Sent && len(e.Fields) > 1 && e.Fields[0].Value == "200" {
		e.Fields = e.Fields[:1]
	}
}
