package e2e

import (
	"math"
	"os"
	"os/exec"
	"reflect"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// everyHeader has every type that AMQP tables have in the Go library, and what could be taken for another one in JSON. To
// RabbitMQ infinity and NaN are no floats: it closes the connection (541).
func everyHeader() amqp.Table {
	return amqp.Table{
		"true": true, "false": false, "nothing": nil, "uint8": uint8(200), "int8": int8(-5), "int16": int16(-300),
		"uint16": uint16(60000), "int32": int32(-70000), "uint32": uint32(math.MaxUint32), "int": 7, "int64": int64(math.MaxInt64),
		"smallest": int64(math.MinInt64), "float32": float32(0.1), "whole float32": float32(2), "float64": 0.1, "whole": 3.0,
		"huge": 1e300, "minus zero": math.Copysign(0, -1), "decimal": amqp.Decimal{Scale: 2, Value: 1250},
		"text": "Zürich \x00\n\u202e\"", "empty": "", "text of a number": "5", "text of a time": "2026-11-21T10:00:00Z",
		"text that isn't UTF-8": "\xff\xfe", "time": time.Unix(1_795_000_000, 0), "milliseconds": time.Unix(1_795_000_000_000, 0),
		"bytes": []byte{0, 0xff}, "no bytes": []byte{}, "list": []any{int32(1), "a", 1.0, []any{}, amqp.Table{"b": nil}},
		"table": amqp.Table{"deep": amqp.Table{"er": []any{time.Unix(5, 0)}}}, "no table": amqp.Table{},
		"like a type": amqp.Table{"@timestamp": "x"}, "@binary": "x", "name that isn't UTF-8 \xff": 1.5,
	}
}

// wide is a header as it is once it has been JSON: with integers and floats of 64 bits.
func wide(value any) any {
	switch v := value.(type) {
	case int, int8, int16, int32, uint8, uint16, uint32:
		if number := reflect.ValueOf(v); number.CanInt() {
			return number.Int()
		} else {
			return int64(number.Uint())
		}
	case float32:
		return float64(v)
	case time.Time:
		return v.UTC()
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = wide(v[i])
		}
		return list
	case amqp.Table:
		t := amqp.Table{}
		for name := range v {
			t[name] = wide(v[name])
		}
		return t
	}
	return value
}

// What receive prints as JSON and send takes as JSON is the same message at the broker: its body, every header with its
// type, every property.
func TestJSONThereAndBack(t *testing.T) {
	t.Parallel()
	url := vhostOf(t, "json")
	sent := []amqp.Publishing{
		{
			Headers: everyHeader(), ContentType: "application/json", ContentEncoding: "gzip", DeliveryMode: amqp.Persistent, Priority: 7,
			CorrelationId: "correlation", ReplyTo: "reply", Expiration: "3600000", MessageId: "id", Timestamp: time.Unix(1_700_000_000, 0),
			Type: "type", UserId: "guest", AppId: "app", Body: []byte("text \"\n\u202e 日本"),
		},
		{
			ContentType: "\x81", ContentEncoding: "\x82", CorrelationId: "0123456789abcde\xff", ReplyTo: "\x83", MessageId: "\x84",
			Timestamp: time.Unix(1_700_000_000_000, 0), Type: "\x85", AppId: "\x86", DeliveryMode: amqp.Transient, Body: []byte{0, 0xff, '\n'},
		},
		{MessageId: "next to nothing", Timestamp: time.Unix(0, 0)},
	}
	connection, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	ch, err := connection.Channel()
	if err != nil {
		t.Fatal(err)
	}
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare("from", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	for _, message := range sent {
		confirm, err := ch.PublishWithDeferredConfirm("", "from", false, false, message)
		if err != nil || !confirm.Wait() {
			t.Fatalf("not published: %v, %v", err, <-closed)
		}
	}
	move := exec.Command("sh", "-c", "receive -q from --until-empty --format json | send -q to --json --quiet")
	move.Env = append(os.Environ(), "AMQP_URL="+url, "PATH="+bin+":"+os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0")
	if output, err := move.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	for _, want := range sent {
		d, ok, err := ch.Get("to", true)
		if err != nil || !ok {
			t.Fatalf("a message is missing: %v", err)
		}
		got := amqp.Publishing{
			Headers: d.Headers, ContentType: d.ContentType, ContentEncoding: d.ContentEncoding, DeliveryMode: d.DeliveryMode,
			Priority: d.Priority, CorrelationId: d.CorrelationId, ReplyTo: d.ReplyTo, Expiration: d.Expiration, MessageId: d.MessageId,
			Timestamp: d.Timestamp, Type: d.Type, UserId: d.UserId, AppId: d.AppId, Body: d.Body,
		}
		same(t, got, want)
	}
}

// same compares two messages, one thing after another.
func same(t *testing.T, got, want amqp.Publishing) {
	t.Helper()
	if got.Timestamp.Unix() != want.Timestamp.Unix() || string(got.Body) != string(want.Body) || len(got.Headers) != len(want.Headers) {
		t.Errorf("timestamp %s and body %q with %d headers, not %s and %q with %d", got.Timestamp, got.Body, len(got.Headers),
			want.Timestamp, want.Body, len(want.Headers))
	}
	for name, value := range want.Headers {
		if got := wide(got.Headers[name]); !reflect.DeepEqual(got, wide(value)) {
			t.Errorf("header %q: %T %#v, not %T %#v", name, got, got, value, value)
		}
	}
	for _, m := range []*amqp.Publishing{&got, &want} {
		m.Timestamp, m.Headers, m.Body = time.Time{}, nil, nil
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("properties\n%+v, not\n%+v", got, want)
	}
}
