package show

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/table"
)

// A Format is one of the ways in which --format shows a message.
type Format string

// The formats: Text is the tutorials' own line, Raw the body's bytes and a newline, Raw0 the body's bytes and a NUL,
// JSON one object a line with everything the message carries.
const (
	Text Format = "text"
	Raw  Format = "raw"
	Raw0 Format = "raw0"
	JSON Format = "json"
)

// Message prints one delivery. In Text the line is prefix and the body, or prefix, key, a colon and the body if key
// is not empty; the other formats take neither.
func (o *Output) Message(f Format, prefix, key string, d *amqp.Delivery) error {
	switch f {
	case Raw:
		return o.ended(d.Body, '\n')
	case Raw0:
		return o.ended(d.Body, 0)
	case JSON:
		return o.object(d)
	}
	if key != "" {
		prefix += Escape(key) + ":"
	}
	return o.Line(prefix, d.Body)
}

// ended prints bytes as they are, and one that ends them.
func (o *Output) ended(text []byte, end byte) error {
	return o.print(func() {
		o.w.Write(text)
		o.w.WriteByte(end)
	})
}

// object prints a delivery as a JSON object: first its body, which may be large and is written as it is escaped, then
// the rest of it.
func (o *Output) object(d *amqp.Delivery) (err error) {
	text := utf8.Valid(d.Body)
	printed := o.print(func() {
		o.json.Reset()
		encoder := json.NewEncoder(&o.json)
		encoder.SetEscapeHTML(false)
		if err = encoder.Encode(about(d)); err != nil {
			return
		}
		if text {
			o.w.WriteString(`{"body":"`)
			o.escaped(d.Body, appendJSON)
		} else {
			o.w.WriteString(`{"body_base64":"`)
			body := base64.NewEncoder(base64.StdEncoding, o.w)
			body.Write(d.Body)
			body.Close()
		}
		o.w.WriteString(`",`)
		o.escaped(o.json.Bytes()[1:], appendSafe) // without its brace, and with a newline
	})
	if err != nil {
		return fmt.Errorf("showing a message as JSON: %w", err)
	}
	return printed
}

// message is the JSON form of a delivery without its body: every AMQP property under its name in the specification,
// in snake case. There is always an exchange.
type message struct {
	Exchange        string         `json:"exchange"`
	RoutingKey      *string        `json:"routing_key,omitempty"`
	Redelivered     bool           `json:"redelivered"`
	Headers         map[string]any `json:"headers"`
	ContentType     string         `json:"content_type,omitempty"`
	ContentEncoding string         `json:"content_encoding,omitempty"`
	DeliveryMode    uint8          `json:"delivery_mode,omitempty"`
	Priority        uint8          `json:"priority,omitempty"`
	CorrelationID   string         `json:"correlation_id,omitempty"`
	ReplyTo         string         `json:"reply_to,omitempty"`
	Expiration      string         `json:"expiration,omitempty"`
	MessageID       string         `json:"message_id,omitempty"`
	Timestamp       any            `json:"timestamp,omitempty"`
	Type            string         `json:"type,omitempty"`
	UserID          string         `json:"user_id,omitempty"`
	AppID           string         `json:"app_id,omitempty"`
	*inBase64
}

// inBase64 is what of a message's text is not UTF-8: a correlation id of sixteen bytes, for example.
type inBase64 struct {
	RoutingKey      []byte `json:"routing_key_base64,omitempty"`
	ContentType     []byte `json:"content_type_base64,omitempty"`
	ContentEncoding []byte `json:"content_encoding_base64,omitempty"`
	CorrelationID   []byte `json:"correlation_id_base64,omitempty"`
	ReplyTo         []byte `json:"reply_to_base64,omitempty"`
	MessageID       []byte `json:"message_id_base64,omitempty"`
	Type            []byte `json:"type_base64,omitempty"`
	AppID           []byte `json:"app_id_base64,omitempty"`
}

func about(d *amqp.Delivery) message {
	m := message{
		Exchange: d.Exchange, RoutingKey: &d.RoutingKey, Redelivered: d.Redelivered,
		Headers:     table.JSON(d.Headers),
		ContentType: d.ContentType, ContentEncoding: d.ContentEncoding, DeliveryMode: d.DeliveryMode,
		Priority: d.Priority, CorrelationID: d.CorrelationId, ReplyTo: d.ReplyTo, Expiration: d.Expiration,
		MessageID: d.MessageId, Type: d.Type, UserID: d.UserId, AppID: d.AppId,
	}
	if !d.Timestamp.IsZero() {
		m.Timestamp = table.Time(d.Timestamp)
	}
	if !utf8.ValidString(d.RoutingKey) {
		m.encoded().RoutingKey, m.RoutingKey = []byte(d.RoutingKey), nil
	}
	m.encode(&m.ContentType, func(b *inBase64) *[]byte { return &b.ContentType })
	m.encode(&m.ContentEncoding, func(b *inBase64) *[]byte { return &b.ContentEncoding })
	m.encode(&m.CorrelationID, func(b *inBase64) *[]byte { return &b.CorrelationID })
	m.encode(&m.ReplyTo, func(b *inBase64) *[]byte { return &b.ReplyTo })
	m.encode(&m.MessageID, func(b *inBase64) *[]byte { return &b.MessageID })
	m.encode(&m.Type, func(b *inBase64) *[]byte { return &b.Type })
	m.encode(&m.AppID, func(b *inBase64) *[]byte { return &b.AppID })
	return m
}

// encode moves a text that is not UTF-8 to where it will be base64.
func (m *message) encode(text *string, to func(*inBase64) *[]byte) {
	if !utf8.ValidString(*text) {
		*to(m.encoded()), *text = []byte(*text), ""
	}
}

func (m *message) encoded() *inBase64 {
	if m.inBase64 == nil {
		m.inBase64 = &inBase64{}
	}
	return m.inBase64
}

// Headers is a message's headers as JSON, as in the JSON format, safe for a terminal.
func Headers(t amqp.Table) ([]byte, error) {
	headers, err := json.Marshal(table.JSON(t))
	return appendSafe(nil, headers), err
}
