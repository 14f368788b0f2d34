// Package show turns what came from a broker into what a person or a script reads: message bodies as text, raw
// bytes or JSON, written to standard output and flushed before every wait. It knows nothing of connections.
package show

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Escape makes text from anywhere safe for a terminal: control characters, invalid UTF-8, the backslash and
// invisible format characters (those that reverse the direction of writing, for example) are written as Go's %q
// would; every letter and sign of every script, and spaces of every width, stay as they are.
func Escape(s string) string {
	if plain(s) {
		return s
	}
	return string(AppendEscaped(nil, []byte(s)))
}

// AppendEscaped appends the escaped form of text to dst, without allocating where dst is large enough.
func AppendEscaped(dst, text []byte) []byte {
	if plain(text) {
		return append(dst, text...)
	}
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, '\\', 'x', hexDigits[text[0]>>4], hexDigits[text[0]&0xf])
		case r == '\\':
			dst = append(dst, '\\', '\\')
		case visible(r):
			dst = append(dst, text[:size]...)
		default:
			quoted := strconv.AppendQuoteRune(nil, r)
			dst = append(dst, quoted[1:len(quoted)-1]...)
		}
		text = text[size:]
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// visible says whether a rune may reach a terminal as it is. The two joiners are format characters too, but
// Persian, Hindi and many emoji can't be written without them.
func visible(r rune) bool {
	return strconv.IsPrint(r) || unicode.Is(unicode.Zs, r) || r == '\u200c' || r == '\u200d'
}

// plain is the quick way past Escape: nearly every message is printable ASCII.
func plain[T string | []byte](text T) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}
