package publish

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// read collects what a reader's separated messages are.
func read(r io.Reader, separator byte) (bodies []string, err error) {
	blocks := make(chan block)
	go readSeparated(r, separator, blocks)
	for b := range blocks {
		for _, body := range b.bodies {
			bodies = append(bodies, string(body))
		}
		err = b.err
	}
	return bodies, err
}

func TestReadSeparated(t *testing.T) {
	long := strings.Repeat("x", 3*blockSize+17)
	for _, test := range []struct {
		name, in  string
		separator byte
		want      []string
	}{
		{"nothing", "", '\n', nil},
		{"one line", "a\n", '\n', []string{"a"}},
		{"no newline at the end", "a\nb", '\n', []string{"a", "b"}},
		{"empty lines", "\n\na\n\n", '\n', []string{"", "", "a", ""}},
		{"CRLF", "a\r\nb\r\n\r\nc\r", '\n', []string{"a", "b", "", "c"}},
		{"a CR within a line stays", "a\rb\n", '\n', []string{"a\rb"}},
		{"NUL", "a\nb\r\x00\x00c", 0, []string{"a\nb\r", "", "c"}},
		{"a line longer than the buffer", long + "\nshort\n" + long, '\n', []string{long, "short", long}},
		{"invalid UTF-8", "\xff\xfe\n", '\n', []string{"\xff\xfe"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, reader := range map[string]io.Reader{
				"at once":        strings.NewReader(test.in),
				"byte by byte":   iotest.OneByteReader(strings.NewReader(test.in)),
				"data and error": iotest.DataErrReader(strings.NewReader(test.in)),
			} {
				if got, err := read(reader, test.separator); err != nil || !slices.Equal(got, test.want) {
					t.Errorf("%s: got %d messages %.80q, %v", name, len(got), got, err)
				}
			}
		})
	}
}

// What was read before a failing disk is published; then the failure is reported.
func TestReadFailure(t *testing.T) {
	failure := fmt.Errorf("disk on fire")
	got, err := read(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(failure)), '\n')
	if err != failure || !slices.Equal(got, []string{"a"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

func FuzzReadSeparated(f *testing.F) {
	f.Add([]byte("a\r\nb\n\nc"), 3)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		got, err := read(bytes.NewReader(in), 0)
		want := strings.Split(strings.TrimSuffix(string(in), "\x00"), "\x00")
		if len(in) == 0 {
			want = nil
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	})
}

// The bodies handed out stay as they are while more is read: none shares its bytes with another.
func TestBodiesAreApart(t *testing.T) {
	blocks := make(chan block)
	go readSeparated(strings.NewReader("one\ntwo\nthree\n"), '\n', blocks)
	first := (<-blocks).bodies
	_ = append(first[0], "!!!"...)
	if string(first[1]) != "two" {
		t.Errorf("appending to one line has changed the next: %q", first[1])
	}
}

func TestSourceCounts(t *testing.T) {
	for _, test := range []struct {
		name       string
		count      int
		given      bool
		skip       int
		wantBodies string
		wantLast   int
	}{
		{"all lines", 1, false, 0, "a b c d e", 5},
		{"the first two", 2, true, 0, "a b", 2},
		{"without the first two", 1, false, 2, "c d e", 5},
		{"one of those", 1, true, 2, "c", 3},
		{"skip more than there are", 1, false, 9, "", 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &source{left: -1, skip: test.skip}
			if test.given {
				s.left = test.count
			}
			blocks := make(chan block)
			go readSeparated(iotest.OneByteReader(strings.NewReader("a\nb\nc\nd\ne\n")), '\n', blocks)
			s.input = blocks
			var bodies []string
			for !s.ended {
				if body, ok := s.next(); ok {
					bodies = append(bodies, string(body))
				} else if in := s.waiting(); in != nil {
					b, ok := <-in
					s.add(b, ok)
				}
			}
			if got := strings.Join(bodies, " "); got != test.wantBodies || s.number != test.wantLast {
				t.Errorf("got %q, the last is %d", got, s.number)
			}
		})
	}
}

func BenchmarkSource(b *testing.B) {
	lines := bytes.Repeat([]byte(strings.Repeat("x", 99)+"\n"), 10000)
	b.SetBytes(int64(len(lines)))
	for b.Loop() {
		blocks := make(chan block)
		go readSeparated(bytes.NewReader(lines), '\n', blocks)
		for range blocks {
		}
	}
}
