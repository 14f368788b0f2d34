package show

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Summary says how a run tells at its end how it went: TextSummary is a line for people, JSONSummary an object for
// programs.
type Summary string

// The forms of a summary.
const (
	TextSummary Summary = "text"
	JSONSummary Summary = "json"
)

// Set reads a form's name; together with String and Type it makes a Summary a flag value.
func (s *Summary) Set(name string) error {
	switch Summary(name) {
	case TextSummary, JSONSummary:
		*s = Summary(name)
		return nil
	}
	return fmt.Errorf("%q is none of text, json", name)
}

func (s *Summary) String() string { return string(*s) }

// Choices are the forms.
func (s *Summary) Choices() []string { return []string{string(TextSummary), string(JSONSummary)} }

// Type is what --help calls a value of this kind.
func (s *Summary) Type() string { return "format" }

// Object is a summary's JSON. Its fields have plain numbers and names, so that nothing can go wrong with it.
func Object(fields any) string {
	text, _ := json.Marshal(fields)
	return string(text)
}

// Seconds is a duration in seconds, to the millisecond.
func Seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }

// PerSecond is how many a second so many are, rounded down; 0 if there was no time to measure.
func PerSecond(n int, d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int(float64(n) / d.Seconds())
}

// Thousands groups a number's digits: 18,115.
func Thousands(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
