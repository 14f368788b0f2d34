package show

import (
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress is a progress bar on standard error for work that takes more than a second, on a terminal. A nil Progress
// shows nothing. It has no colours, so that there is nothing for NO_COLOR to turn off.
type Progress struct {
	total int64
	begin time.Time
	calls int
	bar   *progressbar.ProgressBar // nil for the first second
}

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
	if p.calls++; p.calls%64 != 0 && p.bar == nil && done != p.total {
		return
	}
	if p.bar == nil {
		if time.Since(p.begin) < time.Second {
			return
		}
		p.bar = progressbar.NewOptions64(p.total,
			progressbar.OptionSetWriter(os.Stderr),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("msg"),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetWidth(30),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionUseANSICodes(true),
		)
	}
	p.bar.Set64(done) // its error is the terminal's, which is gone then
}

// Finish takes the bar away.
func (p *Progress) Finish() {
	if p != nil && p.bar != nil {
		p.bar.Clear()
		p.bar.Exit()
	}
}

// LineStart is what to write to standard error before a line: on a terminal it takes away the bar that may be there.
func LineStart() string {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		return "\r\x1b[K"
	}
	return ""
}
