package cli

import "strings"

// Choice is a flag's value that is one of a few words. They are listed here and nowhere else: --help names them behind the
// first clause of the flag's description, and an error those of which the user might have meant one.
type Choice[T ~string] struct {
	value   *T
	choices []T
}

// NewChoice makes a flag's value of one of the choices. What value is to begin with is the flag's default, and need be
// none of them.
func NewChoice[T ~string](value *T, choices ...T) *Choice[T] { return &Choice[T]{value, choices} }

// Set takes one of the choices.
func (c *Choice[T]) Set(text string) error {
	if err := OneOf("the value", text, c.Choices()...); err != nil {
		return err
	}
	*c.value = T(text)
	return nil
}

func (c *Choice[T]) String() string { return string(*c.value) }

// Type is what pflag calls a value of this kind.
func (c *Choice[T]) Type() string { return "choice" }

// Choices are the words.
func (c *Choice[T]) Choices() []string {
	words := make([]string, len(c.choices))
	for i, word := range c.choices {
		words[i] = string(word)
	}
	return words
}

// chooser is a Choice of any type.
type chooser interface{ Choices() []string }

// orList is "one, two or three".
func orList(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
