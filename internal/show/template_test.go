package show

import (
	"os"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A template that can't work is told without Go's words for it, and with a cure where one is known.
func TestTemplateErrors(t *testing.T) {
	for _, test := range []struct{ template, why, cure string }{
		{"{{.Foo}}", "there is no field .Foo", "known are .Body, .Exchange, .RoutingKey"},
		{"{{.Body.Foo}}", "there is no field .Foo", ".Headers"},
		{"{{.nil}}", "there is no field .nil", ".Headers"},
		{"{{Body}}", `there is no function "Body"; a field has a dot before its name`, ".Body"},
		{"{{.Headers.x-a}}", "a name such as x-a can't follow a dot", `{{index .Headers "x-a"}}`},
		{"a {{.Headers.ok}} {{.Headers.x-b | printf \"%v\"}}", "a name such as x-b can't follow a dot", `{{index .Headers "x-b"}}`},
		{"{{", "unclosed action", ""},
		{"a\n{{.Body", "line 2: unclosed action", ""},
		{"{{.Body 1}}", "{{.Body}}: Body has arguments but cannot be invoked as function", ""},
	} {
		err := new(Template).Set(test.template)
		wrong, ok := err.(*TemplateError)
		if !ok || wrong.Error() != test.why || !strings.Contains(wrong.Hint(), test.cure) || (test.cure == "") != (wrong.Hint() == "") {
			t.Errorf("%s: got %v, hint %q", test.template, err, wrong.Hint())
		}
	}
}

// A header that most messages lack may be asked for, and what is in it.
func TestTemplateHeaders(t *testing.T) {
	d := amqp.Delivery{Headers: amqp.Table{
		"x-death": []any{amqp.Table{"reason": "expired"}}, "trace": amqp.Table{"id": "7"},
	}}
	for text, want := range map[string]string{
		`{{(index .Headers "x-death" 0).reason}}`: "expired\n",
		`{{.Headers.trace.id}}`:                   "7\n",
		`{{index .Headers "trace" "id"}}`:         "7\n",
		`{{index .Headers "x-none"}}`:             "<no value>\n",
	} {
		var line Template
		if err := line.Set(text); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := written(t, func(out *Output) error { return out.Templated(&line, &d) }); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer null.Close()
		if err := NewOutput(null).Templated(&line, &amqp.Delivery{}); err != nil && !strings.Contains(err.Error(), "missing in the message") {
			t.Errorf("%s of a message without headers: %v", text, err)
		}
	}
}
