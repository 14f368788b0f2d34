package consume

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"amqp-tutorials/internal/cli"
)

// numbers checks for --check-numbers whether all messages have come that were published with --number. It remembers one bit
// for each number, so that it can tell apart what is missing, what has come twice and what has come out of order.
type numbers struct {
	seen    []*page // by the numbers' higher bits; a page is made when the first of its numbers comes
	highest int
	total   int // messages
	twice   int // those whose number had come before
	late    int // those that came for the first time after a higher number
	without int // those that begin with none
}

const (
	pageBits = 1 << 16
	// mostNumber bounds what is remembered to 128 MiB, whatever numbers come.
	mostNumber = 1 << 30
)

type page [pageBits / 64]uint64

// see takes in a message.
func (n *numbers) see(body []byte) error {
	n.total++
	number, ok := numberOf(body)
	switch {
	case !ok:
		n.without++
		return nil
	case number > mostNumber:
		return &cli.Error{
			Status: cli.Failed, What: "--check-numbers",
			Why: fmt.Sprintf("message number %d: more than %d can't be checked", number, mostNumber),
		}
	case n.has(number):
		n.twice++
		return nil
	case number < n.highest:
		n.late++
	}
	n.highest = max(n.highest, number)
	n.add(number)
	return nil
}

// numberOf is the number that --number has put before a message: digits, and a space unless the message was cut there.
func numberOf(body []byte) (int, bool) {
	digits, _, _ := bytes.Cut(body[:min(len(body), 20)], []byte(" "))
	number, err := strconv.ParseUint(string(digits), 10, 63)
	return int(number), err == nil && digits[0] != '0' && digits[0] != '+'
}

func (n *numbers) has(number int) bool {
	at := number / pageBits
	return at < len(n.seen) && n.seen[at] != nil && n.seen[at][number%pageBits/64]&(1<<(number%64)) != 0
}

func (n *numbers) add(number int) {
	at := number / pageBits
	if at >= len(n.seen) {
		n.seen = append(n.seen, make([]*page, at+1-len(n.seen))...)
	}
	if n.seen[at] == nil {
		n.seen[at] = new(page)
	}
	n.seen[at][number%pageBits/64] |= 1 << (number % 64)
}

// missing is how many numbers have not come, of those from 1 to the highest. Whether more were published behind it, the
// numbers can't tell.
func (n *numbers) missing() int { return n.highest - (n.total - n.twice - n.without) }

func (n *numbers) String() string {
	text := fmt.Sprintf("%s: %d missing, %d twice, %d out of order", messages(n.total), n.missing(), n.twice, n.late)
	if n.without > 0 {
		text += fmt.Sprintf(", %d without a number", n.without)
	}
	return text
}

// verdict is the error of a run in which not everything has come, nil if everything has.
func (n *numbers) verdict() error {
	why := fmt.Sprintf("%s without a number", messages(n.without))
	switch missing := n.missing(); {
	case missing == 0 && n.without == 0:
		return nil
	case missing > 0:
		why = "missing: " + n.gaps(3)
	}
	return &cli.Error{Status: cli.Failed, What: "--check-numbers", Why: why}
}

// gaps names the first numbers that are missing: "3, 5-7 and more".
func (n *numbers) gaps(most int) string {
	var gaps []string
	for number := 1; number < n.highest; number++ {
		if n.has(number) {
			continue
		}
		first := number
		for !n.has(number + 1) {
			number++
		}
		switch {
		case len(gaps) == most:
			return strings.Join(gaps, ", ") + " and more"
		case first == number:
			gaps = append(gaps, strconv.Itoa(first))
		default:
			gaps = append(gaps, fmt.Sprintf("%d-%d", first, number))
		}
	}
	return strings.Join(gaps, ", ")
}

// messages counts in words.
func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return fmt.Sprintf("%d messages", n)
}
