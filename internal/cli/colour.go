package cli

import (
	"os"

	"golang.org/x/term"
)

// Colour is a colour of a terminal's text.
type Colour string

// The colours that light and dark terminals show alike well.
const (
	Cyan    Colour = "36"
	Magenta Colour = "35"
)

// Coloured says whether standard error is to have colours: on a terminal, unless the user wants none
// (https://no-color.org).
func Coloured() bool {
	return os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(os.Stderr.Fd()))
}

// Paint puts text in the colour.
func (c Colour) Paint(text string) string { return "\x1b[" + string(c) + "m" + text + "\x1b[0m" }
