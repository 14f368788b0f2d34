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
	blocks, free := make(chan block), make(chan []byte, freeBlocks)
	go func() {
		defer close(blocks)
		readSeparated(r, separator, func(b block) { blocks <- b }, free)
	}()
	return &source{input: blocks, free: free, separator: []byte{separator}, left: -1}
}

// read collects what a source's bodies are. It lets each go at once, or keeps all to the end, when they must still be
// what they were.
func (s *source) read(letGo bool) (bodies []string) {
	var kept [][]byte
	for !s.ended {
		if body, ok := s.next(); ok {
			bodies = append(bodies, string(body))
			kept = append(kept, body)
			if letGo {
				s.release(s.number)
			}
		} else if in := s.waiting(); in != nil {
			b, ok := <-in
			s.add(b, ok)
		}
	}
	for i := range kept {
		if !letGo && string(kept[i]) != bodies[i] {
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
				"kept":           strings.NewReader(test.in),
			} {
				s := lines(reader, test.separator)
				if got := s.read(name != "kept"); s.err != nil || !slices.Equal(got, test.want) {
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
	if got := s.read(true); s.err != failure || !slices.Equal(got, []string{"a"}) {
		t.Errorf("got %q, %v", got, s.err)
	}
}

func FuzzReadSeparated(f *testing.F) {
	f.Add([]byte("a\r\nb\n\nc"), 3)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		s := lines(bytes.NewReader(in), 0)
		got := s.read(true)
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

// A buffer is filled again when all of its bodies have been let go, and not before.
func TestBuffersAreReused(t *testing.T) {
	var in strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&in, "line %d\n", i)
	}
	want := strings.Split(strings.TrimSuffix(in.String(), "\n"), "\n")
	for _, window := range []int{0, 1, 7000, 100_000} { // so many bodies are in use at once
		s := lines(strings.NewReader(in.String()), '\n')
		var got []string
		var kept [][]byte
		letGo := func() {
			got = append(got, string(kept[0]))
			kept = kept[1:]
			s.release(len(got))
		}
		buffers := map[*byte]bool{} // by where a block begins
		for !s.ended {
			if body, ok := s.next(); ok {
				if kept = append(kept, body); len(kept) > window {
					letGo()
				}
			} else if in := s.waiting(); in != nil {
				b, ok := <-in
				s.add(b, ok)
				if ok {
					buffers[&b.text[:1][0]] = true
				}
			}
		}
		for len(kept) > 0 {
			letGo()
		}
		if window == 0 && len(buffers) > 10 {
			t.Errorf("%d buffers for bodies that were let go at once", len(buffers))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d in use: bodies have changed while they were in use", window)
		}
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
			if got := strings.Join(s.read(true), " "); got != test.wantBodies || s.number != test.wantLast {
				t.Errorf("got %q, the last is %d", got, s.number)
			}
		})
	}
}

// What is skipped is not kept, however much it is.
func TestSkippingKeepsNothing(t *testing.T) {
	s := lines(strings.NewReader(strings.Repeat(strings.Repeat("x", 99)+"\n", 50_000)), '\n')
	s.skip = 49_999
	if got := s.read(false); len(got) != 1 || len(s.spent) > 1 {
		t.Errorf("%d lines are left after all but one, and %d buffers are kept", len(got), len(s.spent))
	}
}

func BenchmarkSource(b *testing.B) {
	lines10k := bytes.Repeat([]byte(strings.Repeat("x", 99)+"\n"), 10000)
	b.SetBytes(int64(len(lines10k)))
	for b.Loop() {
		s := lines(bytes.NewReader(lines10k), '\n')
		for !s.ended {
			if _, ok := s.next(); ok {
				s.release(s.number)
			} else {
				block, ok := <-s.waiting()
				s.add(block, ok)
			}
		}
	}
}
