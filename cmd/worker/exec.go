package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/consume"
	"amqp-tutorials/internal/show"
)

// otherWork is what --unit, --delay, --exec, --fail and --max-deliveries change: work beyond the lesson's, and tasks that
// fail.
type otherWork struct {
	unit, delay   time.Duration
	exec          string
	fail          string
	maxDeliveries int
}

func (w *otherWork) Flags(p *cli.Program) {
	f := p.Group("Work")
	f.DurationVar(&w.unit, "unit", time.Second, "work `DURATION` for each dot in the body; at most 1m")
	f.DurationVar(&w.delay, "delay", 0, "take `DURATION` longer for each task")
	f.StringVar(&w.exec, "exec", "", "do the work by this shell `COMMAND`; --requeue then puts back what fails")
	f.StringVar(&w.fail, "fail", "", "reject a task whose body contains `TEXT`; --requeue then puts back what fails")
	p.Experiments("delay", "fail")
	f.IntVar(&w.maxDeliveries, "max-deliveries", 0, "with --requeue: reject a task for good that has failed `N` times; a classic queue tells only the first time from the rest")
}

// Check refuses what makes no sense.
func (w *otherWork) Check() error {
	switch {
	case w.unit < 0 || w.delay < 0:
		return cli.Usage("", "--unit and --delay take no negative duration")
	case w.unit > longest || w.delay > longest:
		return cli.Usage("", "--unit and --delay: at most %s", longest)
	case w.maxDeliveries < 0 || w.maxDeliveries > 1_000_000:
		return cli.Usage("", "--max-deliveries: %d is not from 0 to 1000000", w.maxDeliveries)
	}
	if w.exec != "" {
		cli.AllProcessors() // the commands run beside each other
	}
	return nil
}

// longest is more than a dot of anybody's takes; a hundred thousand of them are still a time that a program can count.
const longest = 24 * time.Hour

// failures says that a task may fail, and --reject and --requeue are for those that do.
func (w *otherWork) failures() bool { return w.exec != "" || w.fail != "" }

// given says that the work is not, or not only, what the lesson shows.
func (w *otherWork) given() bool {
	return w.failures() || w.delay > 0 || in.Reject || in.Requeue
}

// work does one task, or has it done by the command, and tells the broker what has come of it.
func (w *otherWork) work(s *consume.Session, d amqp.Delivery) error {
	time.Sleep(w.delay)
	done := true
	if w.exec != "" {
		var err error
		if done, err = w.run(s, d); err != nil {
			return err
		}
	} else {
		time.Sleep(time.Duration(bytes.Count(d.Body, []byte("."))) * w.unit)
	}
	switch {
	case !done, w.fail != "" && bytes.Contains(d.Body, []byte(w.fail)):
		// Back into the queue for another try, as long as one is allowed; else the broker drops it, or dead-letters it.
		return d.Reject(in.Requeue && (w.maxDeliveries == 0 || deliveries(d) < w.maxDeliveries))
	case !w.failures() && in.Reject:
		return d.Reject(false)
	case !w.failures() && in.Requeue:
		return d.Reject(true)
	}
	if err := s.Say(" [x] Done"); err != nil {
		return err
	}
	return d.Ack(false)
}

// afterwards is how long a command that has ended may leave its output to a child of its own. What that prints later goes
// nowhere: the task is done.
const afterwards = time.Second

// run runs the command on a task: its standard input is the body, what it prints is shown as it comes, and AMQP_* variables
// tell of the rest. done is false if it failed, or could not be started, which is said on standard error. The command is in a
// process group of its own: Ctrl-C lets it finish, and a second one ends the group.
func (w *otherWork) run(s *consume.Session, d amqp.Delivery) (done bool, err error) {
	cmd := shell(s.Hurry(), w.exec)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(d.Body), s.Output(), os.Stderr
	cmd.WaitDelay = afterwards
	if cmd.Env, err = environment(d); err != nil {
		return false, err
	}
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return true, nil
	case errors.Is(err, show.ErrClosedPipe), errors.Is(err, show.ErrNotRead):
		return false, err
	case s.Hurry().Err() != nil:
		return false, s.Hurry().Err()
	case errors.Is(err, syscall.EPIPE):
		return true, nil // it succeeded without reading all of its input
	case errors.As(err, &exit):
		cli.Say("the command failed (%s)", exit)
		return false, nil
	}
	cli.Say("the command could not be run: %s", plain(err))
	return false, nil
}

// plain is an error of os/exec without the path of the shell.
func plain(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// largest is how many bytes of headers are handed to a command: Linux allows 128 KiB for one variable.
const largest = 100 << 10

// environment is that of this program, and everything about the message.
func environment(d amqp.Delivery) ([]string, error) {
	headers, err := show.Headers(d.Headers)
	if err != nil {
		return nil, fmt.Errorf("headers as JSON: %w", err)
	}
	env := os.Environ()
	add := func(name, value string) {
		// A NUL, which a message may hold, ends a variable's value and would keep the command from being run.
		env = append(env, "AMQP_"+name+"="+strings.ReplaceAll(value, "\x00", ""))
	}
	add("ROUTING_KEY", d.RoutingKey)
	add("EXCHANGE", d.Exchange)
	add("REDELIVERED", fmt.Sprint(d.Redelivered))
	add("CONTENT_TYPE", d.ContentType)
	add("CONTENT_ENCODING", d.ContentEncoding)
	add("DELIVERY_MODE", fmt.Sprint(d.DeliveryMode))
	add("PRIORITY", fmt.Sprint(d.Priority))
	add("CORRELATION_ID", d.CorrelationId)
	add("REPLY_TO", d.ReplyTo)
	add("EXPIRATION", d.Expiration)
	add("MESSAGE_ID", d.MessageId)
	add("TYPE", d.Type)
	add("USER_ID", d.UserId)
	add("APP_ID", d.AppId)
	timestamp := ""
	if !d.Timestamp.IsZero() {
		timestamp = d.Timestamp.UTC().Format(time.RFC3339)
	}
	add("TIMESTAMP", timestamp)
	if len(headers) > largest {
		cli.Say("note: %d bytes of headers are too many for the command's environment: AMQP_HEADERS is not set", len(headers))
		return env, nil
	}
	add("HEADERS", string(headers))
	return env, nil
}

// deliveries is how often a message has been delivered, this time included. A quorum queue counts
// (https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling); any other only tells the first time from
// the rest.
func deliveries(d amqp.Delivery) int {
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
