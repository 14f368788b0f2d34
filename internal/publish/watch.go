package publish

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/conn"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Why a publisher gives up.
var (
	errNoProgress  = errors.New("nothing confirmed in time")
	errInterrupted = errors.New("interrupted")
)

// grace is how long an interrupted publisher waits for a broker that is not there or takes no messages.
const grace = time.Second

// watched is what the watch needs to know of the publishing goroutine, which may be stuck: a broker that has stopped
// reading, under a memory alarm for example, blocks basic.publish without regard to any context.
type watched struct {
	channel  atomic.Pointer[conn.Channel] // nil while there is no connection
	progress atomic.Int64                 // when the broker last confirmed something, in Unix nanoseconds; 0: never connected
	blocked  atomic.Bool                  // by connection.blocked
	waiting  atomic.Bool                  // the publisher waits, so it isn't stuck
	idle     atomic.Bool                  // and nothing is unconfirmed
}

func (w *watched) progressed() { w.progress.Store(time.Now().UnixNano()) }

func (w *watched) connected(ch *conn.Channel) {
	if w.progress.Load() == 0 {
		w.progressed()
	}
	w.blocked.Store(false)
	w.channel.Store(ch)
}

func (w *watched) disconnected() { w.channel.Store(nil) }

// attend marks the publisher as waiting until the function is called that it returns.
func (w *watched) attend(idle bool) (done func()) {
	w.idle.Store(idle)
	w.waiting.Store(true)
	return func() {
		w.waiting.Store(false)
		if w.idle.Swap(false) {
			w.progressed() // there was nothing to wait for until now
		}
	}
}

// watch ends the publisher's life when nothing has been confirmed for so long, time under connection.blocked not
// counted, or when the user wants it to end and the broker does not answer. Then it cuts the connection too, which
// alone frees a stuck publish.
func (p *publisher) watch(life context.Context, end context.CancelCauseFunc) {
	ticks := time.NewTicker(100 * time.Millisecond)
	defer ticks.Stop()
	var deafSince time.Time // the broker, or whoever reads the output, after the user wanted the end
	for {
		select {
		case <-life.Done():
			return
		case <-ticks.C:
		}
		last := p.progress.Load()
		ch := p.channel.Load()
		deaf := ch == nil || p.blocked.Load() || !p.waiting.Load()
		switch {
		case p.stop.Err() == nil || !deaf:
			deafSince = time.Time{}
		case deafSince.IsZero():
			deafSince = time.Now()
		}
		switch {
		case !deafSince.IsZero() && time.Since(deafSince) > grace:
			end(errInterrupted)
		case last == 0 || p.blocked.Load() || p.idle.Load():
			continue
		case time.Since(time.Unix(0, last)) > p.timeout:
			end(errNoProgress)
		default:
			continue
		}
		if ch != nil {
			ch.Sever()
		}
		return
	}
}

// flowControl tells once that the broker takes no more messages, and once that it does again.
func (p *publisher) flowControl(b amqp.Blocking) {
	if b.Active == p.blocked.Swap(b.Active) {
		return
	}
	if b.Active {
		cli.Say("the broker takes no messages for now: %s; waiting", b.Reason)
		return
	}
	p.progressed()
	cli.Say("the broker takes messages again")
}
