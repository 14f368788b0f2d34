package wire

import (
	"strings"
	"testing"
)

// header is a content header's payload after its size, with the headers alone.
func header(fields string) []byte {
	n := len(fields)
	return []byte("\x20\x00" + string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + fields)
}

// Every type of field is read, and what can't be read is said to be so.
func TestHeaders(t *testing.T) {
	for fields, want := range map[string]string{
		"":                             "",
		"\x01at\x01\x01bt\x00":         `{"a":true,"b":false}`,
		"\x01ab\xff\x01bB\xff":         `{"a":-1,"b":255}`,
		"\x01as\xff\xff\x01bu\xff\xff": `{"a":-1,"b":65535}`,
		"\x01aI\x80\x00\x00\x00\x01bi\x80\x00\x00\x00":                 `{"a":-2147483648,"b":2147483648}`,
		"\x01al\xff\xff\xff\xff\xff\xff\xff\xff":                       `{"a":-1}`,
		"\x01af\x3f\x80\x00\x00\x01bd\x3f\xf8\x00\x00\x00\x00\x00\x00": `{"a":1.0,"b":1.5}`,
		"\x01aD\x02\x00\x00\x30\x39":                                   `{"a":{"@decimal":"123.45"}}`,
		"\x01aT\x00\x00\x00\x00\x00\x00\x00\x00":                       `{"a":{"@timestamp":"1970-01-01T00:00:00Z"}}`,
		"\x01aT\xff\xff\xff\xff\xff\xff\xff\xff":                       `{"a":{"@timestamp":"9999-12-31T23:59:59Z"}}`,
		"\x01aV":                                                       `{"a":null}`,
		"\x01aS\x00\x00\x00\x03\x1b\"x":                                `{"a":"\u001b\"x"}`,
		"\x01ax\x00\x00\x00\x02\xff\xfe":                               `{"a":{"@binary":"//4="}}`,
		"\x01aF\x00\x00\x00\x03\x01bV":                                 `{"a":{"b":null}}`,
		"\x01aA\x00\x00\x00\x03t\x01V":                                 `{"a":[true,null]}`,
		"\x01aS\x00\x00\x00\x03ab":                                     "(not readable)",
		"\x01a?":                                                       "(not readable)",
		"\x05a":                                                        "(not readable)",
		strings.Repeat("\x01aF\x00\x00\x00\x00", 1):                    `{"a":{}}`,
	} {
		got := ""
		for _, f := range properties(header(fields)) {
			got += f.Value
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", fields, got, want)
		}
	}
}

// Tables within tables are read to a depth that people use.
func TestDeepHeaders(t *testing.T) {
	for depth, readable := range map[int]bool{2: true, deepest: true, deepest + 1: false, 1000: false} {
		fields := ""
		for range depth {
			n := len(fields)
			fields = "\x01aF" + string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + fields
		}
		set := properties(header(fields))
		if got := len(set) == 1 && set[0].Value != "(not readable)"; got != readable {
			t.Errorf("%d tables within each other: readable %t", depth, got)
		}
	}
}

// The properties may hold anything.
func FuzzProperties(f *testing.F) {
	f.Add(header("\x01aF\x00\x00\x00\x03\x01bV"))
	f.Add([]byte("\xff\xfe\x00\x00"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, field := range properties(payload) {
			if strings.ContainsFunc(field.Value, func(r rune) bool { return r < ' ' }) {
				t.Errorf("%s is not escaped: %q", field.Name, field.Value)
			}
		}
	})
}
