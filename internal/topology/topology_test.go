package topology

import (
	"errors"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
)

// What RabbitMQ 3.10 to 4.3 say of a queue or exchange that exists with other settings.
func TestDiffering(t *testing.T) {
	for _, test := range []struct{ reason, setting, values, flag string }{
		{
			"PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current is 'true'",
			"durable", "received 'false' but current is 'true'", "--durable",
		},
		{
			"PRECONDITION_FAILED - inequivalent arg 'auto_delete' for queue 'a: b' in vhost '/': received 'true' but current is 'false'",
			"auto_delete", "received 'true' but current is 'false'", "--auto-delete",
		},
		{
			"PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received none but current is the value '1000' of type 'signedint'",
			"x-message-ttl", "received none but current is the value '1000' of type 'signedint'", "--arg x-message-ttl=VALUE",
		},
		{
			"PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received 'classic' but current is 'quorum'",
			"x-queue-type", "received 'classic' but current is 'quorum'", "--queue-type",
		},
	} {
		setting, values, ok := differing(&amqp.Error{Code: amqp.PreconditionFailed, Reason: test.reason})
		if !ok || setting != test.setting || values != test.values || flagOf(setting) != test.flag {
			t.Errorf("%s:\ngot %q, %q, %q", test.reason, setting, values, flagOf(setting))
		}
	}
	for _, other := range []*amqp.Error{
		{Code: amqp.PreconditionFailed, Reason: "PRECONDITION_FAILED - invalid arg 'x-message-ttl' for queue 'q'"},
		{Code: amqp.AccessRefused, Reason: "ACCESS_REFUSED - inequivalent arg 'durable' for: x"},
	} {
		if _, _, ok := differing(other); ok {
			t.Errorf("%v counts as an existing queue", other)
		}
	}
}

func TestQueueCheck(t *testing.T) {
	for _, test := range []struct {
		flags string
		want  string // part of the usage error
	}{
		{"", ""},
		{"--exclusive", ""},
		{"--queue-type quorum", ""},
		{"--exclusive --durable", "exclude each other"},
		{"--exclusive --queue-type quorum", "a quorum queue is durable"},
		{"--durable=false --queue-type stream", "a stream queue is durable"},
		{"--queue-type magic", "none of classic, quorum, stream"},
		{"--queue " + strings.Repeat("q", 256), "at most 255 bytes"},
	} {
		q := Queue{Name: "hello", Durable: true}
		q.Flags(&cli.Program{})
		err := q.flags.Parse(strings.Fields(test.flags))
		if err == nil {
			err = q.Check()
		}
		var usage *cli.Error
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.flags, err)
		case test.want != "" && (!errors.As(err, &usage) || usage.Status != cli.WrongUsage || !strings.Contains(usage.Error(), test.want)):
			t.Errorf("%s: got %v, want a usage error with %q", test.flags, err, test.want)
		}
	}
	anonymous := Queue{Durable: true}
	anonymous.Flags(&cli.Program{})
	if err := anonymous.Check(); err != nil || !anonymous.Exclusive || anonymous.Durable {
		t.Errorf("a queue without a name is to be exclusive and not durable: %+v, %v", anonymous, err)
	}
}

func TestBindings(t *testing.T) {
	named := &Queue{Name: "q", NoDeclare: true}
	own := &Queue{}
	for _, test := range []struct {
		kind  string
		args  []string
		queue *Queue
		want  int // bindings; -1: a usage error
	}{
		{"fanout", nil, own, 1},
		{"fanout", []string{"key"}, own, -1},
		{"direct", []string{"a", "b"}, own, 2},
		{"topic", nil, own, -1},
		{"topic", nil, named, 0},
		{"topic", []string{strings.Repeat("k", 256)}, own, -1},
		{"headers", nil, own, -1},
		{"headers", []string{"a=1", "b=x"}, own, 1},
		{"headers", []string{"nonsense"}, own, -1},
	} {
		b := Bindings{match: "any"}
		list, err := b.Parse(test.args, &Exchange{Type: test.kind}, test.queue)
		if (err != nil) != (test.want < 0) || err == nil && len(list) != test.want {
			t.Errorf("%s %.40q: got %v, %v", test.kind, test.args, list, err)
		}
	}
}
