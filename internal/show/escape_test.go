package show

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "Hello World!", "Hello World!"},
		{"empty", "", ""},
		{"quotes stay", `say "hi" and 'ho'`, `say "hi" and 'ho'`},
		{"backslash", `a\b`, `a\\b`},
		{"newline and tab", "a\nb\tc\r", `a\nb\tc\r`},
		{"escape sequence", "\x1b[31mred", `\x1b[31mred`},
		{"C1 control", "\u009b31m", `\u009b31m`},
		{"delete and NUL", "\x7f\x00", `\x7f\x00`},
		{"invalid UTF-8", "a\xffb\xc3", `a\xffb\xc3`},
		{"the replacement character itself", "\ufffd", "\ufffd"},
		{"scripts", "é ß 日本 עברית हिन्दी", "é ß 日本 עברית हिन्दी"},
		{"emoji with joiner", "👩\u200d💻", "👩\u200d💻"},
		{"Persian with non-joiner", "می\u200cخواهم", "می\u200cخواهم"},
		{"space separators", "a\u00a0b\u3000c", "a\u00a0b\u3000c"},
		{"reversed writing", "a\u202etxt.exe", `a\u202etxt.exe`},
		{"isolates and marks", "\u2066\u200e\ufeff", `\u2066\u200e\ufeff`},
		{"line separators", "a\u2028b", `a\u2028b`},
		{"private use", "\ue000\U000f0000", `\ue000\U000f0000`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Escape(test.in); got != test.want {
				t.Errorf("Escape(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
}

// What comes out can be shown on any terminal, whatever went in.
func FuzzEscape(f *testing.F) {
	f.Add("a\x1b\xff\u202e\\")
	f.Fuzz(func(t *testing.T, in string) {
		out := Escape(in)
		if !utf8.ValidString(out) {
			t.Fatalf("Escape(%q) is not UTF-8: %q", in, out)
		}
		for _, r := range out {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("Escape(%q) has the control character %U", in, r)
			}
		}
	})
}

func BenchmarkAppendEscaped(b *testing.B) {
	text := []byte("info: a line of a log, of about a hundred bytes, as there are many, all of them printable ASCII text")
	var buf []byte
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		buf = AppendEscaped(buf[:0], text)
	}
}
