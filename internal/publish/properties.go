package publish

import (
	"fmt"
	"maps"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/spf13/pflag"

	"amqp-tutorials/internal/cli"
)

// This file is about the properties of messages (AMQP 0-9-1, section 4.2.6.1, and the class basic) as flags say them.

func (o *Options) propertyFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.Persistent, "persistent", o.Persistent, "the broker writes messages to disk (in durable queues)")
	f.StringVar(&o.contentType, "content-type", "text/plain", "MIME `TYPE` of the messages")
	f.StringVar(&o.encoding, "content-encoding", "", "how the bodies are encoded: gzip, for example, by `NAME`")
	f.VarP(&o.headers, "header", "H", "header of the messages, `NAME=VALUE`; integers and booleans are sent as such; may be repeated")
	f.Uint8Var(&o.priority, "priority", 0, "`PRIORITY` in queues with x-max-priority")
	f.DurationVar(&o.expiration, "expiration", 0, "messages not consumed within `DURATION` expire")
	f.StringVar(&o.messageID, "message-id", "", "`ID` of the message (default a new UUID for each)")
	f.StringVar(&o.correlationID, "correlation-id", "", "correlation `ID` of the messages")
	f.StringVar(&o.replyTo, "reply-to", "", "`QUEUE` that an answer is expected in")
	f.StringVar(&o.messageType, "message-type", "", "the application's `NAME` for messages of this kind (AMQP's type)")
	f.StringVar(&o.appID, "app-id", "", "`ID` of the publishing application")
	f.StringVar(&o.userID, "user-id", "", "`USER` who publishes; the broker takes only the one who has logged in")
}

// properties are those that all messages share.
func (o *Options) properties() amqp.Publishing {
	p := amqp.Publishing{
		Headers: o.headers.Fields, ContentType: o.contentType, ContentEncoding: o.encoding, Priority: o.priority,
		CorrelationId: o.correlationID, ReplyTo: o.replyTo, MessageId: o.messageID, Type: o.messageType,
		UserId: o.userID, AppId: o.appID,
	}
	if o.Persistent {
		p.DeliveryMode = amqp.Persistent
	}
	if o.given("expiration") {
		p.Expiration = fmt.Sprint(o.expiration.Milliseconds())
	}
	return p
}

// wanted are the properties that the user has named on the command line, one by one: with --json they win over the
// message's own.
func (o *Options) wanted() (set []func(p *amqp.Publishing)) {
	if !o.json {
		return nil
	}
	said := o.properties()
	for flag, f := range map[string]func(p *amqp.Publishing){
		"persistent":       func(p *amqp.Publishing) { p.DeliveryMode = said.DeliveryMode },
		"content-type":     func(p *amqp.Publishing) { p.ContentType = said.ContentType },
		"content-encoding": func(p *amqp.Publishing) { p.ContentEncoding = said.ContentEncoding },
		"priority":         func(p *amqp.Publishing) { p.Priority = said.Priority },
		"expiration":       func(p *amqp.Publishing) { p.Expiration = said.Expiration },
		"message-id":       func(p *amqp.Publishing) { p.MessageId = said.MessageId },
		"correlation-id":   func(p *amqp.Publishing) { p.CorrelationId = said.CorrelationId },
		"reply-to":         func(p *amqp.Publishing) { p.ReplyTo = said.ReplyTo },
		"message-type":     func(p *amqp.Publishing) { p.Type = said.Type },
		"app-id":           func(p *amqp.Publishing) { p.AppId = said.AppId },
		"user-id":          func(p *amqp.Publishing) { p.UserId = said.UserId },
		"header": func(p *amqp.Publishing) {
			if p.Headers == nil {
				p.Headers = amqp.Table{}
			}
			maps.Copy(p.Headers, said.Headers)
		},
	} {
		if o.given(flag) {
			set = append(set, f)
		}
	}
	return set
}

// checkNames: AMQP's short strings have at most 255 bytes (AMQP 0-9-1, section 4.2.5.3).
func (o *Options) checkNames() error {
	for name, value := range map[string]string{
		"routing-key": o.routingKey, "exchange": o.exchange, "content-type": o.contentType, "content-encoding": o.encoding,
		"message-id": o.messageID, "correlation-id": o.correlationID, "reply-to": o.replyTo, "message-type": o.messageType,
		"app-id": o.appID, "user-id": o.userID,
	} {
		if len(value) > shortString {
			return cli.Usage("", "--%s: at most 255 bytes, not %d", name, len(value))
		}
	}
	return nil
}

const shortString = 255
