package consume

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/show"
)

// Exec runs a shell command on a delivery: its standard input is the body, what it prints is shown as it comes, and
// AMQP_ROUTING_KEY, AMQP_EXCHANGE, AMQP_MESSAGE_ID, AMQP_CORRELATION_ID, AMQP_REPLY_TO, AMQP_CONTENT_TYPE, AMQP_TYPE,
// AMQP_REDELIVERED (true or false) and AMQP_HEADERS (JSON) tell of the rest. ok is false if it failed, which is said
// on standard error. The command is in a process group of its own: Ctrl-C lets it finish.
func (o *Options) Exec(command string, d *amqp.Delivery) (ok bool, err error) {
	if err := o.out.Flush(); err != nil {
		return false, err
	}
	headers, err := show.Headers(d.Headers)
	if err != nil {
		return false, fmt.Errorf("headers as JSON: %w", err)
	}
	cmd := exec.Command("sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(d.Body), o.out, os.Stderr
	cmd.Env = os.Environ()
	for _, variable := range []struct{ name, value string }{
		{"ROUTING_KEY", d.RoutingKey},
		{"EXCHANGE", d.Exchange},
		{"MESSAGE_ID", d.MessageId},
		{"CORRELATION_ID", d.CorrelationId},
		{"REPLY_TO", d.ReplyTo},
		{"CONTENT_TYPE", d.ContentType},
		{"TYPE", d.Type},
		{"REDELIVERED", fmt.Sprint(d.Redelivered)},
		{"HEADERS", string(headers)},
	} {
		// A NUL, which a message may hold, ends a variable's value and would keep the command from being run.
		cmd.Env = append(cmd.Env, "AMQP_"+variable.name+"="+strings.ReplaceAll(variable.value, "\x00", ""))
	}
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, show.ErrClosedPipe):
		return false, err
	case errors.Is(err, syscall.EPIPE):
		return true, nil // it succeeded without reading all of its input
	case !errors.As(err, &exit):
		return false, &cli.Error{Status: cli.Failed, What: "running the command", Why: err.Error()}
	}
	cli.Say("the command failed (%s)", exit)
	return false, nil
}

// Fail settles a delivery whose work has failed: it is rejected for good, or with --requeue put back for another try,
// as long as --max-deliveries allows one.
func (o *Options) Fail(d *amqp.Delivery) error {
	if o.requeue && (o.maxDeliveries == 0 || deliveries(d) < o.maxDeliveries) {
		return o.settle.done(d.DeliveryTag, requeue)
	}
	return o.Reject(d)
}

// deliveries is how often a message has been delivered, this time included. A quorum queue counts
// (https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling); any other only tells the first time from
// the rest.
func deliveries(d *amqp.Delivery) int {
	switch count := d.Headers["x-delivery-count"].(type) {
	case int64:
		return int(count) + 1
	case int32:
		return int(count) + 1
	}
	if d.Redelivered {
		return 2
	}
	return 1
}
