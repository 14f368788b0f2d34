package topology

import (
	"os"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/table"
)

// Bindings are the flags that say what a queue wants of its exchange.
type Bindings struct{ match string }

// Binding is one of them: a key, or the headers that a headers exchange looks for.
type Binding struct {
	Key  string
	Args amqp.Table
}

// Flags adds --match.
func (b *Bindings) Flags(p *cli.Program) {
	b.match = "all"
	p.Group("Exchange").Var(cli.NewChoice(&b.match, "all", "any"), "match", "match `WHICH` headers; with --type headers")
}

// Check has nothing to refuse: what the bindings are is in the arguments, see Parse.
func (b *Bindings) Check() error { return nil }

// Parse makes bindings of a program's arguments: binding keys for a direct or topic exchange, NAME=VALUE for a headers
// exchange, nothing for a fanout. A named queue that is not to be declared may have its bindings already.
func (b *Bindings) Parse(args []string, x *Exchange, q *Queue) ([]Binding, error) {
	existing := q.NoDeclare && q.Name != ""
	switch {
	case x.Type == "fanout" && len(args) > 0:
		return nil, cli.Usage("--type direct or --type topic has binding keys; quote '#' and 'kern.*'",
			"a fanout exchange sends everything to everyone: superfluous binding key %s", cli.Quote(args[0]))
	case len(args) == 0 && existing:
		return nil, nil
	case x.Type == "fanout":
		return []Binding{{}}, nil
	case len(args) == 0 && x.Type == "headers":
		return nil, cli.Usage("for example: level=error", "--type headers needs at least one header NAME=VALUE")
	case len(args) == 0:
		return nil, cli.Usage("quote '#' and 'kern.*', or the shell takes them for a comment or file names", "--type %s needs at least one binding key", x.Type)
	case x.Type == "headers":
		return b.parseHeaders(args)
	}
	var list []Binding
	noteFiles(args)
	for _, key := range args {
		if len(key) > 255 {
			return nil, cli.Usage("", "a binding key has at most 255 bytes, this one has %d", len(key))
		}
		list = append(list, Binding{Key: key})
	}
	return list, nil
}

// noteFiles tells which keys these are if they look like what the shell has made of a * without quotes: names of files.
func noteFiles(keys []string) {
	for _, key := range keys {
		if _, err := os.Lstat(key); err == nil {
			cli.Say("note: the binding keys are %s; %s is a file here: a key with * or # needs quotes, or the shell puts file names in its place",
				strings.Join(keys, " "), cli.Quote(key))
			return
		}
	}
}

// parseHeaders makes one binding of all headers. Its argument x-match says whether all of them have to match
// (https://www.rabbitmq.com/docs/exchanges#headers).
func (b *Bindings) parseHeaders(args []string) ([]Binding, error) {
	var headers table.Table
	for _, arg := range args {
		if err := headers.Set(arg); err != nil {
			return nil, cli.Usage("for example: level=error", "a headers exchange: %s is not NAME=VALUE with a name of at most 255 bytes", cli.Quote(arg))
		}
	}
	return []Binding{{Args: headers.With("x-match", b.match)}}, nil
}
