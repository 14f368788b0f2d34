package wire

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// frame makes a frame of the wire.
func frame(kind byte, channel uint16, payload string) string {
	n := len(payload)
	return string([]byte{kind, byte(channel >> 8), byte(channel), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + payload + "\xce"
}

func traced(stream []byte, piece int) (told []string) {
	f := frames{see: teller(func(text string) { told = append(told, text) })}
	for part := range slices.Chunk(stream, piece) {
		f.feed(part)
	}
	return told
}

func TestFrames(t *testing.T) {
	stream := frame(frameMethod, 1, "\x00\x32\x00\x0a\x00\x00\x05hello\x02\x00\x00\x00\x00") +
		frame(8, 0, "") + // heartbeat
		frame(frameMethod, 2, "\x00\x3c\x00\x28\x00\x00\x00\x03k\x1b\x5b\x01") +
		frame(frameHeader, 2, "\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00") +
		frame(frameBody, 2, "\x01\x02\x03") +
		frame(frameMethod, 0, "\x00\x0a\x00\x0b\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x0d\x00guest\x00secret") +
		frame(frameMethod, 0, "\x63\x63\x00\x01")
	want := []string{
		"channel 1: queue.declare queue=hello durable",
		`channel 2: basic.publish exchange= routing-key=k\x1b[ mandatory`,
		"channel 2: content of 3 bytes",
		"channel 0: connection.start-ok mechanism=PLAIN",
		"channel 0: method 25443.1",
	}
	for _, piece := range []int{1, 2, 7, 8, 13, 1000} {
		got := traced([]byte(stream), piece)
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
