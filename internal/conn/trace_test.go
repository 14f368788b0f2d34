package conn

import (
	"strings"
	"testing"
	"time"

	"amqp-tutorials/internal/wire"
)

func TestTrace(t *testing.T) {
	deliver := wire.Event{Channel: 1, Name: "basic.deliver", Fields: []wire.Field{
		{Name: "consumer-tag", Value: "receive_logs"},
		{Name: "delivery-tag", Value: "1"},
		{Name: "redelivered"},
		{Name: "exchange", Value: `"" (default)`},
		{Name: "routing-key", Value: "amq.gen-JzTY20BRgKO-HjmUJj0wLg"},
	}}
	content := wire.Event{Sent: true, Channel: 2, Several: true, Name: "content 3 bytes", Fields: []wire.Field{
		{Name: "headers", Value: `{"a":"` + strings.Repeat("x", 100) + `"}`},
		{Name: "correlation-id", Value: "0e623d77-af8e-4272-b5e8-b734c9b3fbd7"},
		{Name: "reply-to", Value: "a short one"},
	}}
	closed := wire.Event{Name: "connection.close", Fields: []wire.Field{{Name: "reply-text", Value: strings.Repeat("x", 100)}}}
	at := time.Date(2026, 11, 24, 15, 4, 5, 6e6, time.UTC)
	for _, test := range []struct {
		name  string
		t     tracer
		event wire.Event
		want  string
	}{
		{"ids are cut", tracer{}, deliver, `<- basic.deliver consumer-tag=receive_logs delivery-tag=1 redelivered exchange="" (default) routing-key=amq.gen-JzTY…`},
		{"on a terminal", tracer{columns: 80, indent: 14}, deliver, `<- basic.deliver consumer-tag=receive_logs delivery-tag=1` +
			"\n" + strings.Repeat(" ", 17) + `redelivered exchange="" (default) routing-key=amq.gen-JzTY…`},
		{"in colour", tracer{coloured: true}, closed, "\x1b[35m<- connection.close\x1b[0m reply-text=" + strings.Repeat("x", 100)},
		{"several channels", tracer{}, content, `-> channel 2: content 3 bytes headers={"a":"` + strings.Repeat("x", 54) + "… correlation-id=0e623d77-af8… reply-to=a short one"},
		{"in full", tracer{full: true}, deliver, "15:04:05.006 <- channel 1: basic.deliver consumer-tag=receive_logs delivery-tag=1 redelivered " +
			`exchange="" (default) routing-key=amq.gen-JzTY20BRgKO-HjmUJj0wLg`},
	} {
		if got := test.t.line(test.event, at); got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}
