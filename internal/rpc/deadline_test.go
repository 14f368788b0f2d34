package rpc

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/conn"
)

// A request expires when its caller's time is up, also if it is made again after a lost connection; and it is the earliest
// without a reply whose time counts.
func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made []Call
		c := &client{
			Options: &Options{Queue: "q", timeout: 10 * time.Second, concurrency: 2, count: 3, quiet: true}, numbers: []int{7},
			open: map[string]*call{}, guard: conn.NewGuard(context.Background(), nil),
			request: func(_ context.Context, _ *conn.Channel, c Call) error {
				made = append(made, c)
				return nil
			},
		}
		defer c.guard.Close()
		began := time.Now()
		fill := func() {
			if err := c.fill(nil); err != nil {
				t.Fatal(err)
			}
		}
		fill()
		time.Sleep(4 * time.Second)
		if err := c.answered(c.open[made[0].CorrelationID], &amqp.Delivery{}); err != nil {
			t.Fatal(err)
		}
		fill()
		if err := c.publish(nil, c.first()); err != nil { // as after a loss
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if err := c.publish(nil, c.first()); err != nil { // too late, but 0 would be for ever in some brokers, and -1 is refused
			t.Fatal(err)
		}
		want := []string{"10000", "10000", "10000", "6000", "1"}
		for i := range want {
			if len(made) != len(want) || made[i].Expiration != want[i] {
				t.Fatalf("request %d expires after %s ms of %v", i+1, made[i].Expiration, want)
			}
		}
		if made[3].CorrelationID != made[1].CorrelationID {
			t.Error("a request that is made again is another one")
		}
		if got := c.first().deadline.Sub(began); got != c.timeout {
			t.Errorf("the earliest without a reply has time until %v", got)
		}
		if got := c.latency.percentile(100); got != 4*time.Second {
			t.Errorf("the only reply took %v", got)
		}
	})
}
