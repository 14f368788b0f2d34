package show

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"text/template"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/table"
)

// Template is a line made of a message's fields: a Go template in which {{.Body}}, {{.RoutingKey}}, {{.Exchange}},
// {{.Redelivered}}, {{.Headers.NAME}} and all properties under their names in JSON's camel case stand for themselves.
// Text from a message is escaped as in the text format.
type Template struct {
	parsed *template.Template
	text   string
}

// Set parses a template and tries it, so that a field that does not exist is an error now.
func (t *Template) Set(text string) error {
	parsed, err := template.New("line").Parse(text)
	if err == nil {
		err = try(parsed)
	}
	if err != nil {
		return ExplainTemplate(err, text, known())
	}
	t.parsed, t.text = parsed, text
	return nil
}

// try applies a template to a message without anything in it. That a header is missing in this one proves nothing.
func try(t *template.Template) error {
	err := t.Execute(io.Discard, fields(&amqp.Delivery{}))
	if err != nil && strings.Contains(err.Error(), "nil") && !strings.Contains(err.Error(), "can't evaluate field ") {
		return nil
	}
	return err
}

// known lists the fields of a message.
func known() string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[view]()) {
		names = append(names, "."+field.Name)
	}
	return "known are " + strings.Join(names, ", ")
}

// String is empty, as there is no default.
func (t *Template) String() string { return "" }

// Type is what --help calls a value of this kind.
func (t *Template) Type() string { return "template" }

// Given says whether there is one.
func (t *Template) Given() bool { return t.parsed != nil }

// Templated prints one delivery as the template says, and a newline.
func (o *Output) Templated(t *Template, d *amqp.Delivery) error {
	var line bytes.Buffer
	if err := t.parsed.Execute(&line, fields(d)); err != nil {
		return fmt.Errorf("--template: %w", ExplainTemplate(err, t.text, known()))
	}
	return o.ended(line.Bytes(), '\n')
}

// view is a message as a template sees it.
type view struct {
	Body, Exchange, RoutingKey, ContentType, ContentEncoding string
	CorrelationID, ReplyTo, Expiration, MessageID, Timestamp string
	Type, UserID, AppID                                      string
	Redelivered                                              bool
	DeliveryMode, Priority                                   uint8
	Headers                                                  map[string]any
}

func fields(d *amqp.Delivery) view {
	v := view{
		Body: Escape(string(d.Body)), Exchange: Escape(d.Exchange), RoutingKey: Escape(d.RoutingKey),
		ContentType: Escape(d.ContentType), ContentEncoding: Escape(d.ContentEncoding),
		CorrelationID: Escape(d.CorrelationId), ReplyTo: Escape(d.ReplyTo), Expiration: Escape(d.Expiration),
		MessageID: Escape(d.MessageId), Type: Escape(d.Type), UserID: Escape(d.UserId),
		AppID: Escape(d.AppId), Redelivered: d.Redelivered, DeliveryMode: d.DeliveryMode, Priority: d.Priority,
		Headers: escapedValue(table.Plain(d.Headers)).(map[string]any),
	}
	if !d.Timestamp.IsZero() {
		v.Timestamp = d.Timestamp.UTC().Format(time.RFC3339)
	}
	return v
}

// escapedValue is a header's value with all text in it escaped, names too: {{.Headers}} shows them.
func escapedValue(value any) any {
	switch v := value.(type) {
	case string:
		return Escape(v)
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, value := range v {
			m[Escape(name)] = escapedValue(value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = escapedValue(v[i])
		}
		return list
	}
	return value
}
