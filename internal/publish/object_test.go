package publish

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/topology"
)

// reads makes a message of a line of JSON as a publisher with these flags does.
func reads(t *testing.T, o *Options, line string, arguments ...string) (Message, error) {
	t.Helper()
	o.json = true
	s := &shaper{Options: o, key: o.routingKey, keyGiven: o.keyGiven(arguments), shared: o.properties(), wanted: o.wanted(), bare: true}
	return s.message([]byte(line), 3)
}

func TestObject(t *testing.T) {
	const all = `{"body":"hi","exchange":"x","routing_key":"k","redelivered":true,"headers":{"n":3.0,"x-delivery-count":5},` +
		`"content_type":"text/css","content_encoding":"gzip","delivery_mode":1,"priority":9,"correlation_id":"c","reply_to":"r",` +
		`"expiration":"60000","message_id":"m","timestamp":"2026-11-21T10:00:00Z","type":"t","user_id":"u","app_id":"a"}`
	want := amqp.Publishing{
		Body: []byte("hi"), Headers: amqp.Table{"n": 3.0}, ContentType: "text/css", ContentEncoding: "gzip", DeliveryMode: 1, Priority: 9,
		CorrelationId: "c", ReplyTo: "r", Expiration: "60000", MessageId: "m", Timestamp: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC),
		Type: "t", UserId: "u", AppId: "a",
	}
	for _, test := range []struct {
		name, line string
		want       amqp.Publishing
	}{
		{"everything", all, want},
		{"no more than a body", `{"body":""}`, amqp.Publishing{Body: []byte{}}},
		{"what jq writes for nothing", `{"body":"b","headers":null,"priority":null,"expiration":null}`, amqp.Publishing{Body: []byte("b")}},
		{"any bytes", `{"body_base64":"/wA=","correlation_id_base64":"/w=="}`, amqp.Publishing{Body: []byte{0xff, 0}, CorrelationId: "\xff"}},
		{"numbers", `{"body":"b","expiration":500,"timestamp":0}`, amqp.Publishing{Body: []byte("b"), Expiration: "500", Timestamp: time.Unix(0, 0).UTC()}},
	} {
		m, err := reads(t, &Options{}, test.line)
		if err != nil || !reflect.DeepEqual(m.Publishing, test.want) {
			t.Errorf("%s: got %+v, %v", test.name, m.Publishing, err)
		}
	}
}

// What the user says on the command line wins; what he doesn't leaves the message alone.
func TestFlagsWin(t *testing.T) {
	const line = `{"body":"b","headers":{"a":1,"b":2},"content_type":"text/css","priority":9,"delivery_mode":2,"message_id":"m"}`
	o, err := parsed(t, "--json", "-H", "b=3", "--priority", "0", "--persistent=false", "--message-type", "t")
	if err != nil {
		t.Fatal(err)
	}
	m, err := reads(t, o, line)
	want := amqp.Publishing{
		Body: []byte("b"), Headers: amqp.Table{"a": int64(1), "b": int64(3)}, ContentType: "text/css", MessageId: "m", Type: "t",
	}
	if err != nil || !reflect.DeepEqual(m.Publishing, want) {
		t.Errorf("got %+v, %v", m.Publishing, err)
	}
	if m, err = reads(t, &Options{Persistent: true}, `{"body":"a task"}`); err != nil || m.DeliveryMode != amqp.Persistent {
		t.Errorf("a task that doesn't say is not persistent: %+v, %v", m, err)
	}
}

func TestRoutingKey(t *testing.T) {
	const line = `{"body":"b","routing_key":"own"}`
	for _, test := range []struct {
		name      string
		options   Options
		line      string
		arguments []string
		want      string
	}{
		{"of the message", Options{DefaultKey: "info", routingKey: "info"}, line, nil, "own"},
		{"of the message, empty", Options{DefaultKey: "info", routingKey: "info"}, `{"body":"b","routing_key":""}`, nil, ""},
		{"the program's, if the message has none", Options{DefaultKey: "info", routingKey: "info"}, `{"body":"b"}`, nil, "info"},
		{"the argument's", Options{DefaultKey: "info", routingKey: "error"}, line, []string{"error"}, "error"},
		{"to a queue: the queue's", Options{Queue: &topology.Queue{}}, line, nil, ""},
		{"to an exchange", Options{Queue: &topology.Queue{}, exchange: "x"}, line, nil, "own"},
	} {
		if m, err := reads(t, &test.options, test.line, test.arguments...); err != nil || m.RoutingKey != test.want {
			t.Errorf("%s: got %q, %v", test.name, m.RoutingKey, err)
		}
	}
}

func TestNoMessage(t *testing.T) {
	for line, why := range map[string]string{
		``:                                "it is empty",
		` `:                               "it is empty",
		`{`:                               "not JSON: unexpected end of JSON input",
		`hello`:                           "not JSON: invalid character 'h' looking for beginning of value",
		`["body"]`:                        `not a JSON object: ["body"]`,
		`null`:                            "not a JSON object: null",
		"{\"body\":\"\xff\"}":             "not UTF-8, as JSON is",
		`{}`:                              "there is no body",
		`{"body":null}`:                   "there is no body",
		`{"body":"b","body_base64":""}`:   "there are both body and body_base64",
		`{"body":{"id":7}}`:               `body: {"id":7} is not text in quotes`,
		`{"body_base64":"%"}`:             `body_base64: "%" is not base64`,
		`{"body":"b","Priority":1}`:       `unknown name "Priority"`,
		`{"body":"b","retries":1}`:        `unknown name "retries"`,
		`{"body":"b","priority":256}`:     "priority: 256 is not a whole number from 0 to 255",
		`{"body":"b","delivery_mode":3}`:  "delivery_mode: 3 is neither 1 (transient) nor 2 (persistent)",
		`{"body":"b","expiration":"1m"}`:  `expiration: "1m" is not a number of milliseconds`,
		`{"body":"b","timestamp":"noon"}`: `timestamp: "noon" is not a time such as 2026-11-21T10:00:00Z`,
		`{"body":"b","timestamp":true}`:   "timestamp: a time is text such as 2026-11-21T10:00:00Z, or whole seconds since 1970",
		`{"body":"b","type":5}`:           "type: 5 is not text in quotes",
		`{"body":"b","type":"a","type_base64":"YQ=="}`:             "there are both type and type_base64",
		`{"body":"b","headers":{"a":1e999}}`:                       "headers.a: 1e999 is beyond what a float can hold",
		`{"body":"b","app_id":"` + strings.Repeat("a", 256) + `"}`: "app_id: at most 255 bytes, not 256",
	} {
		_, err := reads(t, &Options{}, line)
		var wrong *cli.Error
		if !errors.As(err, &wrong) || wrong.Status != cli.Failed || wrong.What != "line 3" || wrong.Why != why {
			t.Errorf("%s: got %v, want %s", line, err, why)
		}
	}
}

// Whatever line comes, it is a message that can be sent or an error.
func FuzzObject(f *testing.F) {
	f.Add(`{"body":"b","headers":{"a":[1,{"@timestamp":"2026-11-21T10:00:00Z"}]},"expiration":"5","timestamp":5,"priority":1}`)
	f.Add(`{"body_base64":"/w==","routing_key_base64":"/w=="}`)
	f.Fuzz(func(t *testing.T, line string) {
		m, err := reads(t, &Options{}, line)
		var wrong *cli.Error
		switch {
		case err != nil && !errors.As(err, &wrong):
			t.Errorf("%q: %v", line, err)
		case err == nil && (m.Headers.Validate() != nil || len(m.CorrelationId) > shortString || len(m.RoutingKey) > shortString):
			t.Errorf("%q can't be sent", line)
		}
	})
}

func BenchmarkObject(b *testing.B) {
	o := &Options{json: true}
	s := shaper{Options: o, shared: o.properties()}
	line := []byte(`{"body":"a line of a log","exchange":"","routing_key":"hello","redelivered":false,"headers":{},` +
		`"content_type":"text/plain","message_id":"0e623d77-af8e-4272-b5e8-b734c9b3fbd7","timestamp":"2026-11-21T15:01:44Z"}`)
	for b.Loop() {
		if _, err := s.message(line, 1); err != nil {
			b.Fatal(err)
		}
	}
}
