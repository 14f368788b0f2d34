package publish

import "time"

// pace keeps messages apart by an interval, on a schedule: the pauses do not add up the time that publishing takes.
type pace struct {
	scheduled time.Time // when the latest message was due; zero before the first, which doesn't wait
	hold      time.Time // nothing is published before
	wake      time.Time // when it is worth looking again, after due or held has said to wait; else zero
}

// lag is how far behind its schedule a publisher may be and still make up for it: a broker that was away for an hour
// is not to be flooded with an hour's messages.
const lag = time.Second

// due says whether the next message's time has come.
func (p *pace) due(interval time.Duration) bool {
	return interval == 0 || p.scheduled.IsZero() || p.reached(p.scheduled.Add(interval))
}

// held says whether publishing has been put off.
func (p *pace) held() bool { return !p.hold.IsZero() && !p.reached(p.hold) }

func (p *pace) reached(t time.Time) bool {
	if time.Until(t) <= 0 {
		return true
	}
	p.wake = t
	return false
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

// next fires when it is time to look again; it is nil if time has nothing to do with it.
func (p *pace) next() <-chan time.Time {
	if p.wake.IsZero() {
		return nil
	}
	wake := time.After(time.Until(p.wake))
	p.wake = time.Time{}
	return wake
}
