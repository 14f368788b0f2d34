package show

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A long text is escaped in pieces, which must not show: neither where one ends within a character nor where there is
// no character.
func TestPieces(t *testing.T) {
	for _, end := range []string{"日本語", "\U0001f469\u202e!", "\x80\x80\x80\x80\x80", "\xe6\x97", "\xff\xfeé"} {
		for short := range 8 {
			text := strings.Repeat("x", piece-short) + end + strings.Repeat("y", piece)
			d := amqp.Delivery{Body: []byte(text)}
			if got := printed(t, Text, "> ", "", d); got != "> "+Escape(text)+"\n" {
				t.Errorf("%q %d bytes before the end of a piece: %q", end, short, strings.Trim(got, "xy\n"))
			}
			var m struct {
				Body   string
				Binary []byte `json:"body_base64"`
			}
			if err := json.Unmarshal([]byte(printed(t, JSON, "", "", d)), &m); err != nil {
				t.Error(err)
			}
			if m.Body+string(m.Binary) != text {
				t.Errorf("%q %d bytes before the end of a piece is not the same in JSON", end, short)
			}
		}
	}
}

func BenchmarkMessage(b *testing.B) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	d := amqp.Delivery{
		Body:       []byte("info: a line of a log, of about a hundred bytes, as there are many, all of them printable ASCII text"),
		RoutingKey: "hello", ContentType: "text/plain", MessageId: "0e623d77-af8e-4272-b5e8-b734c9b3fbd7",
	}
	for _, f := range []Format{Text, Raw, JSON} {
		b.Run(string(f), func(b *testing.B) {
			out := NewOutput(null)
			b.SetBytes(int64(len(d.Body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := out.Message(f, " [x] Received ", "", &d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
