package consume

import (
	"sync"
	"sync/atomic"

	amqp "github.com/rabbitmq/amqp091-go"
)

// tasks does the work on one channel's deliveries: in the caller's own goroutine, or in as many as --concurrency says.
type tasks struct {
	s      *Session
	taken  int           // deliveries handed out
	places chan struct{} // nil without concurrency; one place for each delivery being worked on
	busy   sync.WaitGroup
	failed chan error // the first error
	count  atomic.Int64
}

func newTasks(s *Session) *tasks {
	t := &tasks{s: s, failed: make(chan error, 1)}
	if s.run.Concurrency > 1 {
		t.places = make(chan struct{}, s.run.Concurrency)
	}
	return t
}

// do works on a delivery, or gives it to a goroutine as soon as there is a place for one.
func (t *tasks) do(d amqp.Delivery) error {
	t.taken++
	if numbers := t.s.run.numbers; numbers != nil {
		if err := numbers.see(d.Body); err != nil {
			return err
		}
	}
	if t.places == nil {
		return t.work(d)
	}
	select {
	case err := <-t.failed:
		return err
	case t.places <- struct{}{}:
	}
	t.count.Add(1)
	t.busy.Go(func() {
		defer func() { t.count.Add(-1); <-t.places }()
		if err := t.work(d); err != nil {
			select {
			case t.failed <- err:
			default:
			}
		}
	})
	return nil
}

// work hands a delivery to the tutorial's own work. The session takes the place of the delivery's channel, so that Ack and
// Reject go through it.
func (t *tasks) work(d amqp.Delivery) error {
	d.Acknowledger = t.s
	t.s.run.guard.Begin()
	defer t.s.run.guard.Finish()
	return t.s.run.work(t.s, d)
}

// idle says that nothing is being worked on.
func (t *tasks) idle() bool { return t.count.Load() == 0 }

// wait waits until all work is done.
func (t *tasks) wait() error {
	t.busy.Wait()
	select {
	case err := <-t.failed:
		return err
	default:
		return nil
	}
}
