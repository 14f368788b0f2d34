package show

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"
)

// printed is what Message writes for a delivery.
func printed(t *testing.T, f Format, prefix, key string, d amqp.Delivery) string {
	t.Helper()
	return written(t, func(out *Output) error { return out.Message(f, prefix, key, &d) })
}

// written is what write writes.
func written(t *testing.T, write func(*Output) error) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "out")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out := NewOutput(file)
	if err := write(out); err != nil {
		t.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMessage(t *testing.T) {
	full := amqp.Delivery{
		Body: []byte("hi"), Exchange: "x", RoutingKey: "k", Redelivered: true,
		Headers: amqp.Table{
			"n": int32(1), "b": true, "s": "text", "nothing": nil, "bytes": []byte{0xff},
			"list": []any{int64(2), amqp.Table{"deep": "er"}},
			"when": time.Unix(0, 0), "price": amqp.Decimal{Scale: 2, Value: -5}, "odd": math.NaN(),
		},
		ContentType: "text/plain", ContentEncoding: "gzip", DeliveryMode: 2, Priority: 3, CorrelationId: "c",
		ReplyTo: "r", Expiration: "1000", MessageId: "m", Timestamp: time.Unix(1, 0), Type: "t", UserId: "u", AppId: "a",
	}
	for _, test := range []struct {
		name        string
		format      Format
		prefix, key string
		d           amqp.Delivery
		want        string
	}{
		{"text", Text, " [x] Received ", "", amqp.Delivery{Body: []byte("a\nb")}, " [x] Received a\\nb\n"},
		{"text with key", Text, " [x] ", "kern.\x1b", amqp.Delivery{Body: []byte("A")}, " [x] kern.\\x1b:A\n"},
		{"raw", Raw, " [x] ", "k", amqp.Delivery{Body: []byte("a\n\xff")}, "a\n\xff\n"},
		{"raw0", Raw0, " [x] ", "k", amqp.Delivery{Body: []byte("a\n")}, "a\n\x00"},
		{
			"json, nothing set", JSON, " [x] ", "k",
			amqp.Delivery{},
			`{"body":"","exchange":"","routing_key":"","redelivered":false,"headers":{}}` + "\n",
		},
		{
			"json, binary", JSON, "", "",
			amqp.Delivery{Body: []byte{0xff}},
			`{"body_base64":"/w==","exchange":"","routing_key":"","redelivered":false,"headers":{}}` + "\n",
		},
		{
			"json, nothing that drives a terminal", JSON, "", "",
			amqp.Delivery{
				Body: []byte("a\u009b31m\x7f\u202e\ufeff\n\"\\ <é\u200d\U000e0001>"), RoutingKey: "k\u0085",
				Headers: amqp.Table{"n\u2066": "\u202e<日>"},
			},
			`{"body":"a\u009b31m\u007f\u202e\ufeff\n\"\\ <é` + "\u200d" + `\udb40\udc01>","exchange":"","routing_key":"k\u0085",` +
				`"redelivered":false,"headers":{"n\u2066":"\u202e<日>"}}` + "\n",
		},
		{
			"json, what is not UTF-8", JSON, "", "",
			amqp.Delivery{
				Exchange: "x", RoutingKey: "\x80", ContentType: "\x81", ContentEncoding: "\x82", CorrelationId: "\x83", ReplyTo: "\x84",
				MessageId: "\x85", Type: "\x86", AppId: "\x87", Headers: amqp.Table{"\x88": "\x89"},
			},
			`{"body":"","exchange":"x","redelivered":false,"headers":{"@base64:iA==":{"@text":"iQ=="}},"routing_key_base64":"gA==",` +
				`"content_type_base64":"gQ==","content_encoding_base64":"gg==","correlation_id_base64":"gw==","reply_to_base64":"hA==",` +
				`"message_id_base64":"hQ==","type_base64":"hg==","app_id_base64":"hw=="}` + "\n",
		},
		{
			"json, everything set", JSON, "", "", full,
			`{"body":"hi","exchange":"x","routing_key":"k","redelivered":true,"headers":{"b":true,"bytes":{"@binary":"/w=="},` +
				`"list":[2,{"deep":"er"}],"n":1,"nothing":null,"odd":{"@float":"NaN"},"price":{"@decimal":"-0.05"},"s":"text",` +
				`"when":{"@timestamp":"1970-01-01T00:00:00Z"}},` +
				`"content_type":"text/plain","content_encoding":"gzip","delivery_mode":2,"priority":3,"correlation_id":"c",` +
				`"reply_to":"r","expiration":"1000","message_id":"m","timestamp":"1970-01-01T00:00:01Z","type":"t","user_id":"u","app_id":"a"}` + "\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := printed(t, test.format, test.prefix, test.key, test.d); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// JSON has the values that were sent, whatever they are, and nothing of it drives a terminal.
func FuzzJSON(f *testing.F) {
	f.Add([]byte("a\x1b\x7f\u009b\u202e\\\"\n\U000e0001"), "key", "\u2066")
	f.Add([]byte("\xff\x80"), "\x80", "")
	f.Fuzz(func(t *testing.T, body []byte, key, value string) {
		line := printed(t, JSON, "", "", amqp.Delivery{Body: body, RoutingKey: key, Headers: amqp.Table{key: value}})
		var m struct {
			Body   []byte            `json:"body_base64"`
			Text   string            `json:"body"`
			Key    string            `json:"routing_key"`
			Header map[string]string `json:"headers"`
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		if m.Text+string(m.Body) != string(body) {
			t.Errorf("body %q became %q", body, line)
		}
		if utf8.ValidString(key) && utf8.ValidString(value) && (m.Key != key || m.Header[key] != value) {
			t.Errorf("key %q and header %q became %q", key, value, line)
		}
		if rest, ended := strings.CutSuffix(line, "\n"); !ended || strings.ContainsFunc(rest, hidden) {
			t.Errorf("%q", line)
		}
	})
}

func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Join_Control, r)
}

// A template shows a message's text escaped, however deep in the headers it stands.
func TestTemplateEscapes(t *testing.T) {
	var line Template
	if err := line.Set(`{{.Body}} {{.Headers}} {{index .Headers "a"}}`); err != nil {
		t.Fatal(err)
	}
	d := amqp.Delivery{Body: []byte("\x1b"), Headers: amqp.Table{
		"a": "\u202e", "b\x07": amqp.Table{"c\x08": []any{"\u009b", int32(1), amqp.Table{"d": "\x7f"}}},
	}}
	got := written(t, func(out *Output) error { return out.Templated(&line, &d) })
	if want := `\x1b map[a:\u202e b\a:map[c\b:[\u009b 1 map[d:\x7f]]]] \u202e` + "\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
