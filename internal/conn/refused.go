package conn

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
)

// refused puts the broker's refusal of an operation in one line, with a hint where the cause is known. The codes are
// AMQP 0-9-1's (section 1.2, constants); the texts that are looked for are RabbitMQ's, 3.10 to 4.3. An error that the
// library has found by itself is nobody's refusal.
func refused(e *amqp.Error) *cli.Error {
	if !e.Server {
		return &cli.Error{Status: cli.Failed, What: "talking to the broker", Why: reason(e)}
	}
	return &cli.Error{
		Status: cli.Failed,
		What:   "refused by the broker",
		Why:    fmt.Sprintf("%s (%d)", reason(e), e.Code),
		Hint:   hint(e),
	}
}

func hint(e *amqp.Error) string {
	has := func(text string) bool { return strings.Contains(e.Reason, text) }
	switch {
	case e.Code == amqp.NotFound && has("no queue"):
		return "check the name and --vhost; without --no-declare the program declares the queue itself"
	case e.Code == amqp.NotFound && has("no exchange"):
		return "check the name and --vhost; the emit_log programs and receive_logs declare their exchange"
	case e.Code == amqp.ResourceLocked:
		return "another connection has declared the queue exclusive: it is deleted when that connection closes"
	case e.Code == amqp.AccessRefused && has("in exclusive use"):
		return "another consumer has asked to be the queue's only one"
	case e.Code == amqp.AccessRefused && has("reserved prefix"):
		return "names that begin with amq. belong to the broker: choose another"
	case e.Code == amqp.AccessRefused && (has("access to") || has("refused for user")):
		return "rabbitmqctl set_permissions -p VHOST USER CONFIGURE WRITE READ grants access; configure is for declaring, write for publishing and binding a queue, read for consuming and binding to an exchange"
	case e.Code == amqp.NotImplemented && has("automatic acknowledgement"):
		return "leave out --auto-ack"
	case has("delivery acknowledgement on channel"):
		return "the work took longer than the broker's consumer_timeout"
	case has("is larger than"):
		return "the broker limits the size of a message (max_message_size)"
	case has("partial tx completion"):
		return "a queue has refused a message of the transaction, for being full perhaps; --confirm async tells which"
	case e.Code == amqp.PreconditionFailed && has("user_id property"):
		return "the broker accepts only the login name as user-id"
	case has("deprecated"):
		return "the broker's configuration denies this feature; durable queues are never denied"
	}
	return ""
}

// reason puts an AMQP error in words: the broker's own, or for an error of the library's what it means.
func reason(e *amqp.Error) string {
	has := func(texts ...string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(e.Reason, text) })
	}
	switch {
	case e.Server:
		return strings.TrimSpace(e.Reason)
	case e.Reason == io.EOF.Error(), e.Reason == io.ErrUnexpectedEOF.Error(), e.Reason == amqp.ErrClosed.Reason:
		return "the broker hung up"
	case has("i/o timeout"):
		return "no heartbeat from the broker"
	case has(remoteAlert):
		return "TLS refused by the broker: " + alertOf(e.Reason)
	case has(syscall.ECONNRESET.Error()):
		return syscall.ECONNRESET.Error()
	case has(syscall.EPIPE.Error()):
		return syscall.EPIPE.Error()
	case has(net.ErrClosed.Error(), io.ErrClosedPipe.Error()):
		return "the connection was cut off"
	case has(amqp.ErrChannelMax.Reason):
		return "no channel is left on the connection (channel_max)"
	case has("shortstr"):
		return "a name or property is longer than AMQP's 255 bytes"
	case has(amqp.ErrFrameTooLarge.Reason):
		return "the broker broke the protocol: it sent a frame larger than agreed (frame_max)"
	case has(amqp.ErrCommandInvalid.Reason, amqp.ErrUnexpectedFrame.Reason, "type assertion"):
		return "the broker broke the protocol: it sent what nobody had asked for"
	case has("frame", "Exception (", "heartbeats "):
		return "the broker broke the protocol: it sent what can't be read as AMQP 0-9-1"
	}
	return systemsWords(e.Reason)
}

// systemsWords is what the system says of a socket, without the call and the addresses that Go puts before it:
// "read tcp 127.0.0.1:40000->127.0.0.1:5672: read: no route to host".
func systemsWords(text string) string {
	for _, call := range []string{": read: ", ": write: "} {
		if _, words, ok := strings.Cut(text, call); ok {
			return words
		}
	}
	return text
}

// RefusedDeclare is the error for a queue or exchange that the broker refuses to declare; what says which.
func RefusedDeclare(what string, e *amqp.Error) *cli.Error {
	failure := refused(e)
	failure.What = "declaring " + what
	if e.Code == amqp.AccessRefused && !strings.Contains(e.Reason, "reserved prefix") {
		failure.Hint = "--no-declare uses what exists; declaring needs the configure permission"
	}
	return failure
}
