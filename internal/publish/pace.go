package publish

import "time"

// pace keeps messages apart by an interval, on a schedule: the pauses do not add up the time that publishing takes.
type pace struct {
	scheduled time.Time // when the latest message was due; zero before the first, which doesn't wait
	hold      time.Time // nothing is published before
}

// lag is how far behind its schedule a publisher may be and still make up for it: a broker that was away for an hour
// is not to be flooded with an hour's messages.
const lag = time.Second

// due says whether the next message's time has come.
func (p *pace) due(interval time.Duration) bool {
	return interval == 0 || p.scheduled.IsZero() || time.Until(p.scheduled.Add(interval)) <= 0
}

// sent moves the schedule on by one message.
func (p *pace) sent(interval time.Duration) {
	if interval == 0 {
		return
	}
	p.scheduled = p.scheduled.Add(interval)
	if time.Since(p.scheduled) > lag {
		p.scheduled = time.Now()
	}
}

func (p *pace) held() bool { return !p.hold.IsZero() && time.Until(p.hold) > 0 }

// next fires when it may be time for the next message; it is nil if time has nothing to do with it.
func (p *pace) next(interval time.Duration) <-chan time.Time {
	switch {
	case p.held():
		return time.After(time.Until(p.hold))
	case !p.due(interval):
		return time.After(time.Until(p.scheduled.Add(interval)))
	}
	return nil
}
