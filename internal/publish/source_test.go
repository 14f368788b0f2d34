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

// lines is a source of what r holds, up to each separator.
func lines(r io.Reader, separator byte) *source {
	blocks := make(chan block)
	go func() {
		defer close(blocks)
		readSeparated(r, separator, func(b block) { blocks <- b })
	}()
	return &source{input: blocks, separator: []byte{separator}, left: -1}
}

// read collects what a source's bodies are. It keeps all to the end, when they must still be what they were.
func (s *source) read() (bodies []string) {
	var kept [][]byte
	for !s.ended {
		if body, ok := s.next(); ok {
			bodies = append(bodies, string(body))
			kept = append(kept, body)
		} else if in := s.waiting(); in != nil {
			b, ok := <-in
			s.add(b, ok)
		}
	}
	for i := range kept {
		if string(kept[i]) != bodies[i] {
			panic(fmt.Sprintf("body %d has changed after it was handed out", i))
		}
	}
	return bodies
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
				s := lines(reader, test.separator)
				if got := s.read(); s.err != nil || !slices.Equal(got, test.want) {
					t.Errorf("%s: got %d messages %.80q, %v", name, len(got), got, s.err)
				}
			}
		})
	}
}

// What was read before a failing disk is published; then the failure is reported.
func TestReadFailure(t *testing.T) {
	failure := fmt.Errorf("disk on fire")
	s := lines(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(failure)), '\n')
	if got := s.read(); s.err != failure || !slices.Equal(got, []string{"a"}) {
		t.Errorf("got %q, %v", got, s.err)
	}
}

func FuzzReadSeparated(f *testing.F) {
	f.Add([]byte("a\r\nb\n\nc"), 3)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		s := lines(bytes.NewReader(in), 0)
		got := s.read()
		want := strings.Split(strings.TrimSuffix(string(in), "\x00"), "\x00")
		if len(in) == 0 {
			want = nil
		}
		if s.err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v", in, got, s.err)
		}
	})
}

// No body shares room with its neighbour, so that whoever appends to one changes no other.
func TestBodiesAreApart(t *testing.T) {
	s := lines(strings.NewReader("one\ntwo\nthree\n"), '\n')
	s.add(<-s.input, true)
	first, _ := s.next()
	second, _ := s.next()
	_ = append(first, "!!!"...)
	if string(second) != "two" {
		t.Errorf("appending to one line has changed the next: %q", second)
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
			s := lines(iotest.OneByteReader(strings.NewReader("a\nb\nc\nd\ne\n")), '\n')
			s.skip = test.skip
			if test.given {
				s.left = test.count
			}
			if got := strings.Join(s.read(), " "); got != test.wantBodies || s.number != test.wantLast {
				t.Errorf("got %q, the last is %d", got, s.number)
			}
		})
	}
}

func BenchmarkSource(b *testing.B) {
	lines10k := bytes.Repeat([]byte(strings.Repeat("x", 99)+"\n"), 10000)
	b.SetBytes(int64(len(lines10k)))
	for b.Loop() {
		s := lines(bytes.NewReader(lines10k), '\n')
		for !s.ended {
			if _, ok := s.next(); !ok {
				block, ok := <-s.waiting()
				s.add(block, ok)
			}
		}
	}
}
