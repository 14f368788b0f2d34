package show

import (
	"strconv"
	"strings"
)

// TemplateError is a template that can't work, in words that do not take Go for granted.
type TemplateError struct{ why, cure string }

func (e *TemplateError) Error() string { return e.why }

// Hint is what would be right, empty if that is not known.
func (e *TemplateError) Hint() string { return e.cure }

// ExplainTemplate puts an error of text/template about a text in words; known are the fields that it may use.
func ExplainTemplate(err error, text, known string) *TemplateError {
	_, why, _ := strings.Cut(err.Error(), ":") // template
	_, why, _ = strings.Cut(why, ":")          // its name
	position, why, _ := strings.Cut(why, ": ")
	place := ""
	if strings.HasPrefix(why, "executing ") {
		_, place, _ = strings.Cut(why, " at <")
		place, why, _ = strings.Cut(place, ">: ")
		place = "{{" + place + "}}: "
	} else if strings.Contains(text, "\n") {
		place = "line " + position + ": "
	}
	if _, field, ok := strings.Cut(why, "can't evaluate field "); ok {
		field, _, _ = strings.Cut(field, " in type ")
		return &TemplateError{"there is no field ." + field, known}
	}
	if _, name, ok := strings.Cut(why, "function "); ok && strings.HasSuffix(name, " not defined") {
		return &TemplateError{"there is no function " + strings.TrimSuffix(name, " not defined") + "; a field has a dot before its name", known}
	}
	if name := oddHeader(text); name != "" && strings.HasPrefix(why, "bad character ") {
		return &TemplateError{"a name such as " + name + " can't follow a dot", "{{index .Headers " + strconv.Quote(name) + "}}"}
	}
	if strings.Contains(why, "nil") {
		why = "a part of it is missing in the message"
	}
	return &TemplateError{place + strings.TrimPrefix(why, "error calling "), ""}
}

// oddHeader returns the first header in a template whose name can't be written behind a dot: x-a of {{.Headers.x-a}}.
func oddHeader(text string) string {
	for _, rest := range strings.Split(text, ".Headers.")[1:] {
		name := rest
		if end := strings.IndexAny(rest, " })|\t\n"); end >= 0 {
			name = rest[:end]
		}
		if strings.ContainsAny(name, "-.:/@$") {
			return name
		}
	}
	return ""
}
