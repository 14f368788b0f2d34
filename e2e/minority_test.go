package e2e

import (
	"syscall"
	"testing"
	"time"

	"amqp-tutorials/internal/broker"
)

// A quorum queue that has lost its majority answers nothing, on a node that is well otherwise. Programs end in their
// time and at the first signal all the same.
func TestQueueWithoutMajority(t *testing.T) {
	nodes, err := broker.StartCluster(t.TempDir(), 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, n := range nodes {
			n.Stop()
		}
	})
	c := cluster(nodes)
	leader, _ := c.declare(t, "minority", "quorum")
	p := startFrameProxy(t, leader)
	prepare := func(name string, args ...string) *running {
		return launch(t, program(p.url("/"), name, append(args, "-q", "minority", "--queue-type", "quorum")...))
	}
	consumer := prepare("receive")
	consumer.says("Waiting")
	for _, n := range nodes {
		if n != leader {
			kill(t, n)
		}
	}
	t.Run("consumer", func(t *testing.T) {
		consumer.t = t
		consumer.signal(syscall.SIGINT)
		consumer.endsWith(hang, 0, 1)
	})
	t.Run("timeout", func(t *testing.T) {
		r := prepare("receive", "--timeout", "5s")
		r.t = t
		r.endsWith(hang+5*time.Second, 5)
		r.has("receive: ")
	})
	for _, test := range []struct {
		name   string
		status int
	}{{"rpc_server", 0}, {"send", 1}} {
		t.Run(test.name, func(t *testing.T) {
			asked := p.watchNext("queue.declare")
			r := prepare(test.name)
			r.t = t
			r.sees(asked, "queue.declare")
			r.signal(syscall.SIGINT)
			r.endsWith(hang, test.status)
			r.has(test.name + ": ")
		})
	}
}
