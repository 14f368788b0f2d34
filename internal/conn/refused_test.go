package conn

import (
	"io"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The library keeps the text of an error, its own frame of words included, as another error's reason.
func TestReason(t *testing.T) {
	for _, test := range []struct {
		e    *amqp.Error
		want string
	}{
		{fromBroker(404, "NOT_FOUND - no queue 'EOF'\n"), "NOT_FOUND - no queue 'EOF'"},
		{&amqp.Error{Code: 501, Reason: io.EOF.Error()}, "the broker hung up"},
		{&amqp.Error{Code: 501, Reason: io.ErrUnexpectedEOF.Error()}, "the broker hung up"},
		{amqp.ErrClosed, "the broker hung up"},
		{&amqp.Error{Code: 501, Reason: "read tcp 127.0.0.1:1->127.0.0.1:2: i/o timeout"}, "no heartbeat from the broker"},
		{&amqp.Error{Code: 501, Reason: "read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer"}, "connection reset by peer"},
		{&amqp.Error{Code: 501, Reason: "write tcp 127.0.0.1:1->127.0.0.1:2: write: no route to host"}, "no route to host"},
		{&amqp.Error{Code: 501, Reason: "read tcp 127.0.0.1:1->127.0.0.1:2: use of closed network connection"}, "the connection was cut off"},
		{&amqp.Error{Code: 501, Reason: "remote error: tls: certificate required"}, "TLS refused by the broker: certificate required"},
		{&amqp.Error{Code: 501, Reason: amqp.ErrFrame.Error()}, "it sent what can't be read as AMQP 0-9-1"},
		{&amqp.Error{Code: 501, Reason: amqp.ErrSyntax.Error()}, "it sent what can't be read as AMQP 0-9-1"},
		{&amqp.Error{Code: 501, Reason: amqp.ErrFrameTooLarge.Error()}, "it sent a frame larger than agreed (frame_max)"},
		{&amqp.Error{Code: 501, Reason: "Bad method frame, unknown method 9 for class 10"}, "it sent what can't be read as AMQP 0-9-1"},
		{&amqp.Error{Code: 501, Reason: "heartbeats must be sent on channel 0"}, "it sent what can't be read as AMQP 0-9-1"},
		{amqp.ErrCommandInvalid, "it sent what nobody had asked for"},
		{amqp.ErrUnexpectedFrame, "it sent what nobody had asked for"},
		{amqp.ErrChannelMax, "no channel is left on the connection (channel_max)"},
		{&amqp.Error{Code: 501, Reason: `amqp: shortstr "nnn" exceeds 255 bytes`}, "a name or property is longer than AMQP's 255 bytes"},
	} {
		got := reason(test.e)
		if got != test.want && strings.TrimPrefix(got, "the broker broke the protocol: ") != test.want {
			t.Errorf("%v: got %q, want %q", test.e, got, test.want)
		}
	}
}

// What the library has found by itself is not told as the broker's refusal.
func TestNotRefused(t *testing.T) {
	if e := refused(amqp.ErrCommandInvalid); e.What == "refused by the broker" || strings.Contains(e.Why, "503") {
		t.Errorf("got %v", e)
	}
	if e := refused(fromBroker(404, "NOT_FOUND - no queue 'q'")); e.What != "refused by the broker" || !strings.HasSuffix(e.Why, "(404)") {
		t.Errorf("got %v", e)
	}
}

// Whether RabbitMQ says "access to exchange", as 3.10 does, or "write access to exchange", as 4 does, the hint is that the
// permission is missing.
func TestHintOfPermissions(t *testing.T) {
	for _, words := range []string{
		"ACCESS_REFUSED - access to exchange 'amq.default' in vhost '/' refused for user 'bob'",
		"ACCESS_REFUSED - write access to exchange 'amq.default' in vhost '/' refused for user 'bob'",
	} {
		if e := refused(fromBroker(403, words)); !strings.Contains(e.Hint, "write for publishing") {
			t.Errorf("%s: the hint is %q", words, e.Hint)
		}
	}
}
