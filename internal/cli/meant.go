package cli

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// OneOf is the usage error for a flag whose value is none of its choices, and nil if it is one of them.
func OneOf(flag, value string, choices ...string) error {
	for _, choice := range choices {
		if value == choice {
			return nil
		}
	}
	return Usage(didYouMean("", value, choices), "%s: %s is none of %s", flag, Quote(value), strings.Join(choices, ", "))
}

// Quote is a text of the user's as an error may repeat it: in quotes, and not at all if it could hold a password. A URI
// that has come to the wrong place could, and everything that might be a part of one.
func Quote(text string) string {
	if secret(text) {
		return "(not shown: it may hold a password)"
	}
	const most = 80
	if utf8.RuneCountInString(text) > most {
		return fmt.Sprintf("%q...", string([]rune(text)[:most]))
	}
	return fmt.Sprintf("%q", text)
}

func secret(text string) bool {
	lower := strings.ToLower(text)
	return strings.Contains(text, "@") || strings.Contains(text, "://") ||
		strings.HasPrefix(lower, "amqp:") || strings.HasPrefix(lower, "amqps:")
}

// didYouMean is the hint that names the word which is most like what was written, empty if none is like it.
func didYouMean(dashes, written string, known []string) string {
	if meant := nearest(written, known); meant != "" {
		return "did you mean " + dashes + meant + "?"
	}
	return ""
}

// nearest returns the word that takes the fewest mistakes to be written like this: one in three letters at most.
func nearest(written string, known []string) string {
	best, fewest := "", len(written)/3+1
	if len(written) > 40 {
		return "" // no flag is as long
	}
	for _, word := range known {
		if n := mistakes(strings.ToLower(written), word); n < fewest {
			best, fewest = word, n
		}
	}
	return best
}

// mistakes counts the letters that are wrong, missing or too many, and neighbours that have changed places
// (the optimal string alignment distance).
func mistakes(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			other := 1
			if a[i-1] == b[j-1] {
				other = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+other)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
