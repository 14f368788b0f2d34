package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// Progress is a progress bar on standard error for work that takes more than a second, on a terminal. A nil Progress
// shows nothing. It has no colours, so that there is nothing for NO_COLOR to turn off.
//
// It is our own because the well-kept packages compile regular expressions or tables of characters when a program starts,
// which costs 4 to 6 % of a send of one message.
type Progress struct {
	total int64 // -1: nobody knows
	begin time.Time
	calls int
	shown time.Time // zero: it is not there
}

// Of the bar.
const (
	barAfter = time.Second
	barEvery = 100 * time.Millisecond
	barWidth = 30
)

// NewProgress returns the bar for so many messages, -1 if nobody knows how many. It is nil unless standard error is a
// terminal on which nothing else moves: lines are that a person reads as they come.
func NewProgress(total int64, lines bool) *Progress {
	watched := lines && term.IsTerminal(int(os.Stdout.Fd()))
	if watched || !term.IsTerminal(int(os.Stderr.Fd())) {
		return nil
	}
	return &Progress{total: total, begin: time.Now()}
}

// Set shows how many messages are done. It is cheap enough to be called for each.
func (p *Progress) Set(done int64) {
	if p == nil {
		return
	}
	if p.calls++; p.calls%64 != 0 && p.shown.IsZero() && done != p.total {
		return
	}
	now := time.Now()
	if now.Sub(p.begin) < barAfter || now.Sub(p.shown) < barEvery && done != p.total {
		return
	}
	p.shown = now
	fmt.Fprint(os.Stderr, lineStart()+p.line(done, now.Sub(p.begin)))
}

// line is the bar after so many messages and so much time.
func (p *Progress) line(done int64, took time.Duration) string {
	rate := float64(done) / took.Seconds()
	if p.total <= 0 {
		return fmt.Sprintf("%d messages (%.0f msg/s)", done, rate)
	}
	full := int(min(done*barWidth/p.total, barWidth))
	return fmt.Sprintf("%3d%% [%s%s] %d/%d (%.0f msg/s)", min(done*100/p.total, 100),
		strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), done, p.total, rate)
}

// Finish takes the bar away.
func (p *Progress) Finish() {
	if p != nil && !p.shown.IsZero() {
		fmt.Fprint(os.Stderr, lineStart())
	}
}

// lineStart is what to write to standard error before a line: on a terminal it takes away the bar that may be there.
func lineStart() string {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		return "\r\x1b[K"
	}
	return ""
}
