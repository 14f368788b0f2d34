package wire

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"amqp-tutorials/internal/seed"
)

// conversation is what client and broker say to each other. Each line of it is ">" or "<", the channel, and a method with
// those of its arguments that the ledger reads: "> 1 basic.qos 10", "< 1 basic.ack 7 multiple".
type conversation struct {
	t testing.TB
	l *ledger
	m map[string]id
}

// opened is a conversation of which the beginning is over, with channel 1 open.
func opened(t testing.TB) *conversation {
	t.Helper()
	c := &conversation{t, newLedger(), methods()}
	c.l.sent.skip = 0
	c.legal(`
		< 0 connection.start
		> 0 connection.start-ok
		< 0 connection.tune
		> 0 connection.tune-ok
		> 0 connection.open
		< 0 connection.open-ok
		> 1 channel.open
		< 1 channel.open-ok`)
	return c
}

// legal says what any broker may say, and fails the test if the ledger objects or still waits for something.
func (c *conversation) legal(lines string) {
	c.t.Helper()
	if err := c.say(lines); err != nil {
		c.t.Fatalf("the broker may say that: %v", err)
	}
	if method, _ := c.l.awaited(); method != "" {
		c.t.Fatalf("%s is held to have no answer", method)
	}
}

// say returns the ledger's objection, which only the last line may bring about.
func (c *conversation) say(lines string) (err error) {
	c.t.Helper()
	for line := range strings.Lines(lines) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if err != nil {
			c.t.Fatalf("before %q: %v", line, err)
		}
		if frame := c.frame(words[1], words[2], words[3:]); words[0] == ">" {
			c.l.write(frame)
		} else {
			err = c.l.read(frame)
		}
	}
	return err
}

// illegal says what no broker may say at the end.
func (c *conversation) illegal(lines, want string) {
	c.t.Helper()
	if err := c.say(lines); err == nil || !strings.Contains(err.Error(), want) {
		c.t.Errorf("got %v, want %q of\n%s", err, want, lines)
	}
}

// methods are all there are, by name.
func methods() map[string]id {
	named := map[string]id{}
	for class := id(10); class <= 90; class += 5 {
		for number := range id(130) {
			if known, ok := find(class<<16 | number); ok {
				named[known.name] = class<<16 | number
			}
		}
	}
	return named
}

// frame makes a frame of a method and of words for its arguments.
func (c *conversation) frame(channel, name string, words []string) []byte {
	c.t.Helper()
	number := uint16(channel[0] - '0')
	m, known := c.m[name]
	if !known {
		c.t.Fatalf("no method is called %s", name)
	}
	payload := binary.BigEndian.AppendUint32(nil, uint32(m))
	arguments, _ := find(m)
	for _, f := range arguments.fields {
		payload = c.argument(payload, f, words)
	}
	return []byte(frame(frameMethod, number, string(payload)))
}

// argument appends one argument: the prefetch or delivery tag with which the words begin, the flags that are among them,
// and of all others nothing.
func (c *conversation) argument(payload []byte, f field, words []string) []byte {
	n := uint64(0)
	if len(words) > 0 && (f.name == "prefetch-count" || f.name == "delivery-tag") {
		for _, digit := range words[0] {
			n = 10*n + uint64(digit-'0')
		}
	}
	switch f.kind {
	case short:
		return binary.BigEndian.AppendUint16(payload, uint16(n))
	case long, longstr, table:
		return binary.BigEndian.AppendUint32(payload, uint32(n))
	case longlong:
		return binary.BigEndian.AppendUint64(payload, n)
	case bits:
		flags := byte(0)
		for i, flag := range strings.Fields(f.name) {
			if slices.Contains(words, flag) {
				flags |= 1 << i
			}
		}
		return append(payload, flags)
	}
	return append(payload, 0)
}

// What RabbitMQ does, and every other broker may do, is no violation, and leaves no question behind.
func TestLegalConversations(t *testing.T) {
	for name, lines := range map[string]string{
		"a goodbye": `
			> 1 channel.close
			< 1 channel.close-ok
			> 0 connection.close
			< 0 connection.close-ok`,
		"the broker's goodbye crosses ours": `
			> 0 connection.close
			< 0 connection.close
			> 0 connection.close-ok
			< 0 connection.close-ok`,
		"the broker's goodbye crosses a question": `
			> 1 queue.declare
			< 0 connection.close
			> 1 queue.bind`,
		"channel.close crosses questions, before the library sees it and after": `
			> 1 queue.declare
			> 1 queue.bind
			< 1 queue.declare-ok
			< 1 channel.close
			> 1 basic.qos
			> 1 channel.close-ok`,
		"the number of a closed channel is used again": `
			> 1 queue.declare
			< 1 channel.close
			> 1 queue.bind
			> 1 channel.close-ok
			> 1 channel.open
			< 1 channel.open-ok
			> 1 queue.declare
			< 1 queue.declare-ok`,
		"our channel.close crosses the broker's": `
			> 1 queue.declare
			> 1 channel.close
			< 1 channel.close
			> 1 channel.close-ok
			< 1 channel.close-ok`,
		"methods without an answer": `
			> 1 exchange.declare no-wait
			> 1 exchange.delete no-wait
			> 1 exchange.bind no-wait
			> 1 exchange.unbind no-wait
			> 1 queue.declare no-wait
			> 1 queue.bind no-wait
			> 1 queue.purge no-wait
			> 1 queue.delete no-wait
			> 1 basic.consume no-wait
			> 1 basic.cancel no-wait
			> 1 confirm.select no-wait`,
		"methods with one, in a row": `
			> 1 exchange.declare
			> 1 exchange.bind
			> 1 exchange.unbind
			> 1 exchange.delete
			> 1 queue.declare
			> 1 queue.unbind
			< 1 exchange.declare-ok
			< 1 exchange.bind-ok
			< 1 exchange.unbind-ok
			< 1 exchange.delete-ok
			< 1 queue.declare-ok
			< 1 queue.unbind-ok`,
		"basic.get, with a message and without": `
			> 1 basic.get
			< 1 basic.get-ok 1
			> 1 basic.ack 1
			> 1 basic.get
			< 1 basic.get-empty`,
		"another password": `
			> 0 connection.update-secret
			< 0 connection.update-secret-ok`,
		"an alarm": `
			< 0 connection.blocked
			< 0 connection.unblocked`,
		"flow, either way": `
			< 1 channel.flow active
			> 1 channel.flow-ok active
			> 1 channel.flow active
			< 1 channel.flow-ok active`,
		"the broker cancels a consumer that is being cancelled": `
			> 1 basic.consume
			< 1 basic.consume-ok
			> 1 basic.cancel
			< 1 basic.cancel
			< 1 basic.cancel-ok`,
		"transactions": `
			> 1 tx.select
			< 1 tx.select-ok
			> 1 basic.publish
			> 1 tx.commit
			< 1 tx.commit-ok
			> 1 tx.rollback
			< 1 tx.rollback-ok`,
		"confirms": `
			> 1 basic.publish
			> 1 confirm.select
			< 1 confirm.select-ok
			> 1 basic.publish
			> 1 basic.publish
			< 1 basic.return
			< 1 basic.ack 2
			< 1 basic.nack 1 multiple
			< 1 basic.ack 0 multiple`,
		"confirms begin again on a channel that is opened again": `
			> 1 confirm.select
			< 1 confirm.select-ok
			> 1 basic.publish
			< 1 channel.close
			> 1 channel.close-ok
			> 1 channel.open
			< 1 channel.open-ok
			> 1 confirm.select
			< 1 confirm.select-ok
			> 1 basic.publish
			< 1 basic.ack 1`,
	} {
		t.Run(name, func(t *testing.T) { opened(t).legal(lines) })
	}
}

// A login that takes a challenge more is a login.
func TestLegalLogin(t *testing.T) {
	c := &conversation{t, newLedger(), methods()}
	c.l.sent.skip = 0
	c.legal(`
		< 0 connection.start
		> 0 connection.start-ok
		< 0 connection.secure
		> 0 connection.secure-ok
		< 0 connection.tune`)
	if err := c.say("> 0 connection.start-ok"); err != nil {
		t.Error(err)
	}
	if method, _ := c.l.awaited(); method != "connection.open" {
		t.Errorf("a user is told that the broker has not answered %s", method)
	}
}

func TestViolations(t *testing.T) {
	for lines, want := range map[string]string{
		"< 0 connection.start":                                          "connection.start, which nobody has asked for",
		"< 0 connection.tune":                                           "connection.tune, which nobody has asked for",
		"< 0 connection.open-ok":                                        "connection.open-ok, which nobody has asked for",
		"< 0 connection.close-ok":                                       "connection.close-ok, which nobody has asked for",
		"< 0 connection.update-secret-ok":                               "which nobody has asked for",
		"< 1 queue.declare-ok":                                          "queue.declare-ok, which nobody has asked for",
		"< 1 channel.close-ok":                                          "channel.close-ok, which nobody has asked for",
		"< 1 basic.get-ok 1":                                            "basic.get-ok, which nobody has asked for",
		"< 1 basic.qos":                                                 "basic.qos, which nobody has asked for",
		"> 1 queue.declare no-wait\n< 1 queue.declare-ok":               "which nobody has asked for",
		"> 1 queue.declare\n< 1 queue.bind-ok":                          "queue.bind-ok, which nobody has asked for",
		"> 1 queue.declare\n> 1 queue.bind\n< 1 queue.bind-ok":          "queue.bind-ok, which nobody has asked for",
		"> 1 channel.close\n< 1 channel.close-ok\n< 1 channel.close-ok": "channel.close-ok, which nobody has asked for",
		"< 0 basic.deliver 1":                                           "basic.deliver on channel 0",
		"< 0 basic.return":                                              "basic.return on channel 0",
		"< 0 basic.ack 0":                                               "basic.ack on channel 0",
		"< 0 basic.cancel":                                              "basic.cancel on channel 0",
		"< 0 channel.close":                                             "channel.close on channel 0",
		"< 0 channel.flow":                                              "channel.flow on channel 0",
		"< 1 connection.close":                                          "connection.close on channel 1",
		"< 1 connection.blocked":                                        "connection.blocked on channel 1",
		"< 2 basic.deliver 1":                                           "basic.deliver on channel 2",
		"< 1 basic.ack 1":                                               "a confirm of message 1, and 0 were published",
		"> 1 confirm.select\n< 1 confirm.select-ok\n> 1 basic.publish\n< 1 basic.ack 2 multiple":                                                                          "a confirm of message 2, and 1 were published",
		"> 1 confirm.select\n< 1 confirm.select-ok\n> 1 basic.publish\n< 1 basic.nack 2":                                                                                  "a confirm of message 2, and 1 were published",
		"> 1 confirm.select\n< 1 confirm.select-ok\n> 1 basic.publish\n> 1 channel.open\n< 1 channel.open-ok\n> 1 confirm.select\n< 1 confirm.select-ok\n< 1 basic.ack 1": "a confirm of message 1, and 0 were published",
	} {
		opened(t).illegal(lines, want)
	}
}

// Content is as large as a message may be, on a channel that has messages.
func TestContent(t *testing.T) {
	header := func(channel uint16, size uint64) []byte {
		payload := binary.BigEndian.AppendUint64([]byte{0, 60, 0, 0}, size)
		return []byte(frame(frameHeader, channel, string(payload)+"\x00\x00"))
	}
	huge := binary.BigEndian.AppendUint32([]byte{frameBody, 0, 1}, 1<<31)
	for name, test := range map[string]struct {
		frame []byte
		want  string
	}{
		"largest":             {header(1, LargestBody), ""},
		"larger":              {header(1, LargestBody+1), "a body of 536870913 bytes"},
		"endless":             {header(1, 1<<63), "a body of 9223372036854775808 bytes"},
		"header on channel 0": {header(0, 1), "content on channel 0"},
		"body on channel 0":   {[]byte(frame(frameBody, 0, "x")), "content on channel 0"},
		"an endless frame":    {huge, "a frame of 2147483646 bytes"},
	} {
		switch err := opened(t).l.read(test.frame); {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// A broker that ignores the prefetch is found out before it fills the memory, whatever was settled before.
func TestDeliveriesBeyondThePrefetch(t *testing.T) {
	for name, settled := range map[string]string{
		"none settled":         "",
		"settled one by one":   "> 1 basic.ack 1\n> 1 basic.reject 2\n> 1 basic.nack 3",
		"the same one again":   strings.Repeat("> 1 basic.ack 1\n", 500),
		"settled all together": "> 1 basic.ack 20 multiple",
		"all so far":           "> 1 basic.ack 0 multiple",
		"what never was":       "> 1 basic.ack 100000\n> 1 basic.reject 99999",
		"a smaller prefetch":   "> 1 basic.qos 1\n< 1 basic.qos-ok",
		"recovered":            "> 1 basic.recover\n< 1 basic.recover-ok",
	} {
		c := opened(t)
		c.legal("> 1 basic.qos 10\n< 1 basic.qos-ok\n> 1 basic.consume\n< 1 basic.consume-ok")
		c.legal(deliveries(1, 20))
		c.legal(settled)
		before := c.l.channels[1].unsettled.count()
		c.legal(deliveries(21, 20+2*10+slack-before))
		c.illegal(deliveries(20+2*10+slack-before+1, 20+2*10+slack-before+1), "121 unacknowledged deliveries with a prefetch of 10")
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func deliveries(from, to int) string {
	var b strings.Builder
	for tag := from; tag <= to; tag++ {
		fmt.Fprintf(&b, "< 1 basic.deliver %d\n", tag)
	}
	return b.String()
}

// To some consumers no prefetch applies, and to each of several of its own.
func TestUnlimitedDeliveries(t *testing.T) {
	for name, lines := range map[string]string{
		"no prefetch":            "> 1 basic.consume\n< 1 basic.consume-ok",
		"no acknowledgements":    "> 1 basic.qos 1\n< 1 basic.qos-ok\n> 1 basic.consume no-ack\n< 1 basic.consume-ok",
		"the prefetch came late": "> 1 basic.consume\n< 1 basic.consume-ok\n> 1 basic.qos 1\n< 1 basic.qos-ok",
		"the limit is taken off": "> 1 basic.qos 1\n< 1 basic.qos-ok\n> 1 basic.consume\n< 1 basic.consume-ok\n> 1 basic.qos 0\n< 1 basic.qos-ok",
		"a larger one":           "> 1 basic.qos 1\n< 1 basic.qos-ok\n> 1 basic.consume\n< 1 basic.consume-ok\n> 1 basic.qos 500\n< 1 basic.qos-ok",
		"ten consumers":          "> 1 basic.qos 100\n< 1 basic.qos-ok" + strings.Repeat("\n> 1 basic.consume\n< 1 basic.consume-ok", 10),
	} {
		t.Run(name, func(t *testing.T) {
			c := opened(t)
			c.legal(lines)
			c.legal(deliveries(1, 1000))
			if n := c.l.deliveries(); n != 1000 {
				t.Errorf("%d deliveries were counted", n)
			}
		})
	}
}

// Whatever a client does with what it is sent, a broker that keeps to the prefetch is never held to be hostile, and the
// books hold no more than what is unsettled.
func TestLegalHistories(t *testing.T) {
	random := seed.Random(t)
	for range 50 {
		prefetch := 1 + random.IntN(60)
		c := opened(t)
		c.legal(fmt.Sprintf("> 1 basic.qos %d\n< 1 basic.qos-ok\n> 1 basic.consume\n< 1 basic.consume-ok", prefetch))
		var held []int // by the client, in the order of their tags
		next := 1
		for range 2000 {
			full := len(held) == prefetch
			if !full && (len(held) == 0 || random.IntN(2) == 0) {
				switch random.IntN(10) {
				case 0: // basic.get knows no prefetch, and counts with the deliveries
					c.legal(fmt.Sprintf("> 1 basic.get\n< 1 basic.get-ok %d\n> 1 basic.ack %d", next, next))
				default:
					c.legal(fmt.Sprintf("< 1 basic.deliver %d", next))
					held = append(held, next)
				}
				next++
				continue
			}
			held = c.settle(held, random)
		}
		if n := c.l.channels[1].unsettled.count(); n != len(held) {
			t.Fatalf("%d deliveries are unsettled, and the books say %d", len(held), n)
		}
	}
}

// settle settles some of what the client holds, and returns the rest. Stragglers are left behind for long.
func (c *conversation) settle(held []int, random *rand.Rand) []int {
	c.t.Helper()
	i := random.IntN(len(held))
	if random.IntN(3) > 0 {
		i = len(held) - 1
	}
	multiple := fmt.Sprintf("> 1 %s %d multiple", []string{"basic.ack", "basic.nack"}[random.IntN(2)], held[i])
	switch random.IntN(20) {
	case 0:
		c.legal(multiple)
		return held[i+1:]
	case 1:
		c.legal("> 1 basic.ack 0 multiple")
		return nil
	case 2:
		c.legal("> 1 basic.recover\n< 1 basic.recover-ok")
		return nil
	}
	c.legal(fmt.Sprintf("> 1 %s %d", []string{"basic.ack", "basic.nack", "basic.reject"}[random.IntN(3)], held[i]))
	return slices.Delete(held, i, i+1)
}

// The ledger does not fall over what it reads, does not grow with it, and reads the same however the bytes are cut.
func FuzzLedger(f *testing.F) {
	c := &conversation{f, newLedger(), methods()}
	open := string(c.frame("1", "channel.open", nil))
	one := func(words ...string) string { return string(c.frame(words[0], words[1], words[2:])) }
	f.Add([]byte(open+one("1", "basic.qos", "1")+one("1", "basic.consume")), []byte(one("1", "basic.deliver", "1")+one("1", "basic.deliver", "7")), 3)
	f.Add([]byte(open+one("1", "confirm.select")+one("1", "basic.publish")), []byte(one("1", "basic.ack", "1", "multiple")), 1)
	f.Add([]byte(open+one("1", "channel.close")), []byte(one("1", "channel.close")+one("0", "connection.close")), 5)
	f.Add([]byte(open+one("1", "basic.ack", "1")), []byte(frame(frameHeader, 1, "\x00\x3c\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff")), 2)
	f.Add([]byte("\x01\x00\x01\x00\x02\x00\x00"), []byte("\x02\x00\x01\xff\xff\xff\xff"), 4)
	f.Fuzz(func(t *testing.T, sent, received []byte, piece int) {
		if piece < 1 {
			return
		}
		feed := func(piece int) (*ledger, error) {
			l := newLedger()
			l.sent.skip = 0
			for part := range slices.Chunk(sent, piece) {
				l.write(part)
			}
			for part := range slices.Chunk(received, piece) {
				l.read(part)
			}
			return l, l.read(nil)
		}
		l, parts := feed(piece)
		if _, whole := feed(len(sent) + len(received) + 1); fmt.Sprint(whole) != fmt.Sprint(parts) {
			t.Errorf("at once: %v, in pieces: %v", whole, parts)
		}
		for _, f := range []frames{l.sent, l.received} {
			if len(f.partial) > collectable+frameOverhead {
				t.Errorf("%d bytes of a frame are kept", len(f.partial))
			}
		}
		if most := len(sent)/frameOverhead + 1; len(l.channels) > most || len(l.asked) > most { // channel 0 and the greeting
			t.Errorf("%d channels and %d questions of %d bytes that were sent", len(l.channels), len(l.asked), len(sent))
		}
		for number, c := range l.channels {
			if n := c.unsettled.count(); uint64(n) > 2*c.prefetch*c.consumers+slack+1 {
				t.Errorf("channel %d: %d deliveries are kept", number, n)
			}
		}
	})
}

// What the books cost: a message that is delivered and acknowledged, in order and out of it.
func BenchmarkLedger(b *testing.B) {
	for name, order := range map[string][]int{"in order": {1, 2, 3, 4}, "as they are done": {3, 1, 4, 2}} {
		b.Run(name, func(b *testing.B) {
			c := opened(b)
			c.legal("> 1 basic.qos 250\n< 1 basic.qos-ok\n> 1 basic.consume\n< 1 basic.consume-ok\n" + deliveries(1, 200))
			deliver, ack := c.frame("1", "basic.deliver", []string{"0"}), c.frame("1", "basic.ack", []string{"0"})
			for i := 0; b.Loop(); i++ {
				binary.BigEndian.PutUint64(deliver[frameHead+5:], uint64(201+i))
				binary.BigEndian.PutUint64(ack[frameHead+4:], uint64(i/4*4+order[i%4]))
				if err := c.l.read(deliver); err != nil {
					b.Fatal(err)
				}
				c.l.write(ack)
			}
		})
	}
}
