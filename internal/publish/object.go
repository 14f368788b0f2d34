package publish

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/table"
)

// This file reads with --json what consumers print with --format json: a message with all that it carries.

// object is a message taken out of its JSON.
type object struct {
	amqp.Publishing
	routingKey string
	hasKey     bool
}

// fromJSON makes a message of a line. What the user has named on the command line wins over what stands in there; what
// stands in neither the message does not have, but for an id and a time, by which a duplicate is known.
func (s *shaper) fromJSON(line []byte, number int) (Message, error) {
	o, err := parseObject(line)
	if err != nil {
		var wrong *cli.Error
		if !errors.As(err, &wrong) {
			wrong = &cli.Error{Why: err.Error()}
		}
		wrong.Status, wrong.What = cli.Failed, fmt.Sprintf("line %d", number)
		return Message{}, wrong
	}
	m := Message{RoutingKey: s.key, Publishing: o.Publishing, number: number}
	if o.hasKey && !s.keyGiven && s.keyed() {
		m.RoutingKey = o.routingKey
	}
	for _, set := range s.wanted {
		set(&m.Publishing)
	}
	if m.DeliveryMode == 0 {
		m.DeliveryMode = s.shared.DeliveryMode
	}
	if m.MessageId == "" && !s.bare {
		m.MessageId = uuid.NewString()
	}
	if m.Timestamp.IsZero() && !s.bare {
		m.Timestamp = time.Now()
	}
	m.Body, err = s.body(m.Body, number)
	return m, err
}

// keyed says that a routing key means something where the messages go: not at a queue.
func (o *Options) keyed() bool { return o.Queue == nil || o.exchange != "" }

func parseObject(line []byte) (o object, err error) {
	if !utf8.Valid(line) {
		return o, &cli.Error{Why: "not UTF-8, as JSON is", Hint: "body_base64 takes any bytes"}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil || fields == nil {
		return o, &cli.Error{Why: notObject(line, err), Hint: "each line is one object, as --format json and jq -c write it"}
	}
	for name, value := range fields {
		if string(value) == "null" {
			continue // as if it were not there: jq writes it for what is missing
		}
		if err := o.set(name, value); err != nil {
			return o, err
		}
	}
	if o.Body == nil {
		return o, errors.New("there is no body")
	}
	return o, nil
}

// notObject says what a line is instead of an object.
func notObject(line []byte, err error) string {
	var syntax *json.SyntaxError
	switch {
	case len(strings.TrimSpace(string(line))) == 0:
		return "it is empty"
	case errors.As(err, &syntax):
		return "not JSON: " + syntax.Error()
	}
	return fmt.Sprintf("not a JSON object: %.20s", line)
}

// fromBroker are names that say what has become of a message at the broker, and not what it is.
func fromBroker(name string) bool { return name == "exchange" || name == "redelivered" }

// set takes over one name and its value.
func (o *object) set(name string, value json.RawMessage) (err error) {
	plain, in64 := strings.CutSuffix(name, "_base64")
	switch text := o.text(plain); {
	case fromBroker(name):
	case plain == "body":
		return o.setBody(name, value, in64)
	case text != nil:
		o.hasKey = o.hasKey || plain == "routing_key"
		return setText(text, name, value, in64)
	case name == "headers":
		o.Headers, err = headers(value)
	case name == "delivery_mode":
		if err := json.Unmarshal(value, &o.DeliveryMode); err != nil || o.DeliveryMode < 1 || o.DeliveryMode > 2 {
			return fmt.Errorf("delivery_mode: %.40s is neither 1 (transient) nor 2 (persistent)", value)
		}
	case name == "priority":
		if err := json.Unmarshal(value, &o.Priority); err != nil {
			return fmt.Errorf("priority: %.40s is not a whole number from 0 to 255", value)
		}
	case name == "expiration":
		digits := strings.Trim(string(value), `"`)
		if _, err := strconv.ParseUint(digits, 10, 32); err != nil {
			return fmt.Errorf("expiration: %.40s is not a number of milliseconds", value)
		}
		o.Expiration = digits
	case name == "timestamp":
		o.Timestamp, err = timestamp(value)
	default:
		return &cli.Error{
			Why:  fmt.Sprintf("unknown name %.80q", name),
			Hint: "a message has body, headers, routing_key and AMQP's properties; what is your own goes into headers, or jq's del takes it away",
		}
	}
	return err
}

// text is where a property that is text goes, nil if there is none of this name.
func (o *object) text(name string) *string {
	switch name {
	case "routing_key":
		return &o.routingKey
	case "content_type":
		return &o.ContentType
	case "content_encoding":
		return &o.ContentEncoding
	case "correlation_id":
		return &o.CorrelationId
	case "reply_to":
		return &o.ReplyTo
	case "message_id":
		return &o.MessageId
	case "type":
		return &o.Type
	case "user_id":
		return &o.UserId
	case "app_id":
		return &o.AppId
	}
	return nil
}

func (o *object) setBody(name string, value json.RawMessage, in64 bool) error {
	text, err := textOf(name, value, in64)
	switch {
	case err != nil && value[0] != '"':
		return &cli.Error{Why: err.Error(), Hint: "jq's tojson makes text of any value"}
	case err != nil:
		return err
	case o.Body != nil:
		return errors.New("there are both body and body_base64")
	}
	o.Body = []byte(text)
	return nil
}

func setText(to *string, name string, value json.RawMessage, in64 bool) error {
	text, err := textOf(name, value, in64)
	switch {
	case err != nil:
		return err
	case len(text) > shortString:
		return fmt.Errorf("%s: at most 255 bytes, not %d", name, len(text))
	case *to != "":
		return fmt.Errorf("there are both %s and %[1]s_base64", strings.TrimSuffix(name, "_base64"))
	}
	*to = text
	return nil
}

// textOf is a JSON string, or the bytes for which it stands.
func textOf(name string, value json.RawMessage, in64 bool) (string, error) {
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return "", fmt.Errorf("%s: %.20s is not text in quotes", name, value)
	}
	if !in64 {
		return text, nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("%s: %.20q is not base64", name, text)
	}
	return string(b), nil
}

func timestamp(value json.RawMessage) (time.Time, error) {
	var v any = json.Number(value)
	var text string
	if err := json.Unmarshal(value, &text); err == nil {
		v = text
	}
	t, err := table.ParseTime(v)
	if err != nil {
		return t, fmt.Errorf("timestamp: %w", err)
	}
	return t, nil
}

// headers are a message's, without those that a queue adds to what it delivers: sent on, they would be taken for the
// next queue's.
func headers(value json.RawMessage) (amqp.Table, error) {
	t, err := table.FromJSON(value)
	for _, name := range []string{"x-delivery-count", "x-acquired-count", "x-stream-offset"} {
		delete(t, name)
	}
	return t, err
}
