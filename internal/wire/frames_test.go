package wire

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// frame makes a frame of the wire.
func frame(kind byte, channel uint16, payload string) string {
	n := len(payload)
	return string([]byte{kind, byte(channel >> 8), byte(channel), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + payload + "\xce"
}

// traced is what a tap tells of a stream that comes in pieces.
func traced(stream []byte, piece int) (told []string) {
	t := newTap(func(e Event) {
		text := fmt.Sprintf("%d", e.Channel)
		if e.Detail {
			text += " detail"
		}
		if e.Several {
			text += " several"
		}
		text += " " + e.Name
		for _, f := range e.Fields {
			text += " " + f.String()
		}
		told = append(told, text)
	})
	t.sent.skip, t.greeted = 0, true
	for part := range slices.Chunk(stream, piece) {
		t.write(part)
	}
	return told
}

func TestFrames(t *testing.T) {
	var stream strings.Builder
	var want []string
	for _, test := range []struct{ frame, want string }{
		{frame(frameMethod, 0, "\x00\x0a\x00\x0b\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x0d\x00guest\x00secret"), "0 detail connection.start-ok mechanism=PLAIN"},
		{frame(frameHeartbeat, 0, ""), "0 detail heartbeat"},
		{frame(frameMethod, 1, "\x00\x14\x00\x0a\x00"), "1 channel.open"},
		{
			frame(frameMethod, 1, "\x00\x32\x00\x0a\x00\x00\x05hello\x02\x00\x00\x00\x00"),
			"1 queue.declare queue=hello durable",
		},
		{
			frame(frameMethod, 1, "\x00\x32\x00\x0a\x00\x00\x05hello\x02\x00\x00\x00\x0e\x0cx-max-lengthB\x05"),
			"1 queue.declare queue=hello durable arguments=(not readable)",
		},
		{
			frame(frameMethod, 1, "\x00\x32\x00\x0a\x00\x00\x05hello\x02\x00\x00\x00\x0f\x0cx-max-lengthB\x05"),
			`1 queue.declare queue=hello durable arguments={"x-max-length":5}`,
		},
		{frame(frameMethod, 1, "\x00\x3c\x00\x28\x00\x00\x00\x03k\x1b\x5b\x01"), `1 basic.publish exchange="" (default) routing-key=k\x1b[ mandatory`},
		{frame(frameHeader, 1, "\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00"), "1 content 3 bytes"},
		{
			frame(frameHeader, 1, "\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x16\x40\x02\x03abc\x04q \"1\x00\x00\x00\x00\x00\x00\x00\x01"),
			`1 content 3 bytes delivery-mode=2 correlation-id=abc reply-to="q \"1" timestamp=1970-01-01T00:00:01Z`,
		},
		{frame(frameBody, 1, "\x01\x02\x03"), ""},
		{frame(frameMethod, 2, "\x00\x14\x00\x0a\x00"), "2 several channel.open"},
		{frame(frameMethod, 2, "\x00\x14\x00\x28\x00\xc8\x00\x00\x00\x00\x00"), "2 several channel.close reply-code=200"},
		{frame(frameMethod, 2, "\x00\x14\x00\x29"), "2 several channel.close-ok"},
		{frame(frameMethod, 0, "\x00\x0a\x00\x32\x00\xc8\x07kthxbai\x00\x00\x00\x00"), "0 connection.close reply-code=200"},
		{frame(frameMethod, 0, "\x00\x0a\x00\x32\x01\xf7\x03why\x00\x00\x00\x00"), "0 connection.close reply-code=503 reply-text=why"},
		{frame(frameMethod, 0, "\x63\x63\x00\x01"), "0 method 25443.1"},
		{frame(frameMethod, 0, "\x63\x63"), "0 a method frame that is too short"},
	} {
		stream.WriteString(test.frame)
		if test.want != "" {
			want = append(want, test.want)
		}
	}
	for _, piece := range []int{1, 2, 7, 8, 13, 1000} {
		got := traced([]byte(stream.String()), piece)
		if !slices.Equal(got, want) {
			t.Errorf("in pieces of %d: got\n%s\nwant\n%s", piece, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// A tap may not fall over what it reads, nor read differently if the bytes come in other pieces.
func FuzzFrames(f *testing.F) {
	f.Add([]byte(frame(frameMethod, 1, "\x00\x3c\x00\x50\x00\x00\x00\x00\x00\x00\x00\x01\x01")), 3)
	f.Add([]byte(frame(frameMethod, 0, "\x00\x0a\x00\x32\x00\xc8\xff")), 1)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		if piece < 1 {
			return
		}
		if whole, parts := traced(stream, len(stream)+1), traced(stream, piece); !slices.Equal(whole, parts) {
			t.Errorf("at once: %q, in pieces: %q", whole, parts)
		}
	})
}

func BenchmarkFrames(b *testing.B) {
	publish := []byte(frame(frameMethod, 1, "\x00\x3c\x00\x28\x00\x00\x00\x05hello\x00") +
		frame(frameHeader, 1, "\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x64\x00\x00") +
		frame(frameBody, 1, string(bytes.Repeat([]byte("x"), 100))))
	f := newLedger().sent
	f.skip = 0
	for b.Loop() {
		f.feed(publish)
	}
}
