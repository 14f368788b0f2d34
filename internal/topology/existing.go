package topology

import (
	"fmt"
	"regexp"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/spf13/pflag"

	"amqp-tutorials/internal/conn"
)

// settings are the flags that set up a queue or an exchange.
var settings = [...]string{"durable", "auto-delete", "exclusive", "queue-type", "arg"}

// named returns those of the settings that the user gave.
func named(flags *pflag.FlagSet) []string {
	var names []string
	for _, name := range settings {
		if flags != nil && flags.Changed(name) {
			names = append(names, "--"+name)
		}
	}
	return names
}

// differing returns the setting in which an existing queue or exchange differs from the one declared, as RabbitMQ's
// PRECONDITION_FAILED names it, and the rest of the broker's sentence: "durable", "received 'true' but current is
// 'false'". ok is false for every other error.
func differing(e *amqp.Error) (setting, values string, ok bool) {
	if e.Code != amqp.PreconditionFailed {
		return "", "", false
	}
	found := regexp.MustCompile(`inequivalent arg '([^']*)'.*: (received .*)$`).FindStringSubmatch(e.Reason)
	if found == nil {
		return "", "", false
	}
	return found[1], found[2], true
}

// existing applies the rule for what is there with other settings: if the user asked for none of them, use what is
// there and say so once; otherwise it is an error. what is "queue hello"; it returns nil if what exists may be used.
func existing(ch *conn.Channel, what string, e *amqp.Error, flags *pflag.FlagSet) error {
	setting, values, ok := differing(e)
	given := named(flags)
	if ok && setting != "type" && len(given) == 0 {
		ch.NoteOnce(fmt.Sprintf("%s exists with another setting of %s (%s): it is used as it stands", what, setting, values))
		return nil
	}
	failure := conn.RefusedDeclare(what, e)
	switch {
	case ok && setting == "type":
		failure.Hint = "an exchange keeps its type: choose another with --exchange, or delete the existing one"
	case ok:
		failure.Hint = "what exists differs in " + flagOf(setting) + "; without " + strings.Join(given, " and ") +
			" it would be used as it stands"
	}
	return failure
}

// flagOf names the flag for a setting in the broker's terms.
func flagOf(setting string) string {
	switch {
	case setting == "x-queue-type":
		return "--queue-type"
	case setting == "alternate-exchange", strings.HasPrefix(setting, "x-"):
		return "--arg " + setting + "=VALUE"
	default:
		return "--" + strings.ReplaceAll(setting, "_", "-")
	}
}
