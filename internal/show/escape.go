// Package show turns what came from a broker into what a person or a script reads: message bodies as text, raw
// bytes or JSON, written to standard output and flushed before every wait. It knows nothing of connections.
package show

import (
	"strconv"
	"unicode"
	"unicode/utf16"
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

// appendJSON appends text as it stands between the quotes of a JSON string. What may not reach a terminal is written
// as \u and four digits, so the value stays the same.
func appendJSON(dst, text []byte) []byte {
	begin := 0 // of what needs no escape
	for i := 0; i < len(text); {
		c := text[i]
		if ' ' <= c && c <= '~' && c != '"' && c != '\\' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r != '"' && r != '\\' && visible(r) {
			i += size
			continue
		}
		dst = append(dst, text[begin:i]...)
		switch r {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = appendUnicode(dst, r)
		}
		i += size
		begin = i
	}
	return append(dst, text[begin:]...)
}

// appendSafe appends JSON in which all that may not reach a terminal is escaped. encoding/json escapes the control
// characters of ASCII only; those beyond can only be part of strings.
func appendSafe(dst, json []byte) []byte {
	begin := 0 // of what needs no escape
	for i := 0; i < len(json); {
		if json[i] < '\x7f' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(json[i:])
		if !visible(r) {
			dst = appendUnicode(append(dst, json[begin:i]...), r)
			begin = i + size
		}
		i += size
	}
	return append(dst, json[begin:]...)
}

// appendUnicode appends a character as JSON's \u escape, of which it takes two beyond U+FFFF.
func appendUnicode(dst []byte, r rune) []byte {
	for _, unit := range utf16.AppendRune(nil, r) {
		dst = append(dst, '\\', 'u', hexDigits[unit>>12], hexDigits[unit>>8&0xf], hexDigits[unit>>4&0xf], hexDigits[unit&0xf])
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
