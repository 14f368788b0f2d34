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
	f.BoolVar(&o.Persistent, "persistent", o.Persistent, "have the broker write the messages to disk; in durable queues")
	f.StringVar(&o.contentType, "content-type", "text/plain", "say that the messages are of this MIME `TYPE`")
	f.StringVar(&o.encoding, "content-encoding", "", "say how the bodies are encoded, by `NAME`; gzip, for example")
	f.VarP(&o.headers, "header", "H", "give the messages the header `NAME=VALUE`; integers and booleans are sent as such; may be repeated")
	f.Uint8Var(&o.priority, "priority", 0, "publish with the priority `N`; queues with x-max-priority deliver higher ones first")
	f.DurationVar(&o.expiration, "expiration", 0, "let messages expire that are not consumed within `DURATION`")
	f.StringVar(&o.messageID, "message-id", "", "give the message this `ID` (default a new UUID for each)")
	f.StringVar(&o.correlationID, "correlation-id", "", "give the messages this correlation `ID`, by which a reply is matched to its request")
	f.StringVar(&o.replyTo, "reply-to", "", "ask for answers in this `QUEUE`")
	f.StringVar(&o.messageType, "message-type", "", "give the messages the type `NAME`, which means something to the application only")
	f.StringVar(&o.appID, "app-id", "", "name the publishing application by this `ID`")
	f.StringVar(&o.userID, "user-id", "", "say that `USER` publishes; the broker takes only the one who has logged in")
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
