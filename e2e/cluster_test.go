package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"amqp-tutorials/internal/broker"
	"amqp-tutorials/internal/seed"
)

// cluster is a cluster of the test's own, whose nodes are to be killed.
type cluster []*broker.Node

// Nothing is lost when a node of a cluster dies.
func TestCluster(t *testing.T) {
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
	t.Run("leader of a publisher's queue", c.testLeader)
	t.Run("publisher's own node", c.testPublishersNode)
	t.Run("home node of a publisher's queue", c.testPublishersHomeNode)
	t.Run("home node of a consumer's queue", c.testHomeNode)
	t.Run("consumer's own node", c.testConsumersNode)
}

// urls is the list of all nodes, beginning with first, as --url takes it.
func (c cluster) urls(first *broker.Node) string {
	urls := first.URL("/")
	for _, n := range c {
		if n != first {
			urls += "," + n.URL("/")
		}
	}
	return urls
}

// declare makes a queue of this type and returns the node that leads it, and another one. The name must be new: the
// management API may remember where a queue was that had it before.
func (c cluster) declare(t *testing.T, queue, kind string) (leader, other *broker.Node) {
	t.Helper()
	out, err := program(c[0].URL("/"), "receive", "-q", queue, "--queue-type", kind, "--declare-only").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var q struct{ Node, Leader string } // the first of a classic queue, the second of a quorum queue
		if err := c[0].API("GET", "/queues/%2F/"+queue, nil, &q); err != nil {
			t.Fatal(err)
		}
		for _, n := range c {
			if n.Name() == q.Node || n.Name() == q.Leader {
				leader = n
			} else {
				other = n
			}
		}
		if leader != nil {
			return leader, other
		}
	}
	t.Fatalf("no node leads queue %s", queue)
	return nil, nil
}

func kill(t *testing.T, n *broker.Node) {
	t.Helper()
	if err := n.Kill(); err != nil {
		t.Fatal(err)
	}
}

func restart(t *testing.T, n *broker.Node) {
	t.Helper()
	if err := n.Restart(); err != nil {
		t.Fatal(err)
	}
}

const clusterLines = 40_000

// A publisher is connected to one node and its queue's leader, another one, dies.
func (c cluster) testLeader(t *testing.T) {
	leader, other := c.declare(t, "led", "quorum")
	defer restart(t, leader)
	faults := map[int]func(){2 + seed.Random(t).IntN(clusterLines-1): func() { kill(t, leader) }}
	publishNumbers(t, other.URL("/"), "led", clusterLines, faults, "--queue-type", "quorum")
	checkNumbers(t, other.URL("/"), "led", clusterLines)
}

// A publisher knows all nodes, and the one it is connected to dies, which also leads the queue.
func (c cluster) testPublishersNode(t *testing.T) {
	leader, other := c.declare(t, "entered", "quorum")
	defer restart(t, leader)
	faults := map[int]func(){2 + seed.Random(t).IntN(clusterLines-1): func() { kill(t, leader) }}
	stderr := publishNumbers(t, c.urls(leader), "entered", clusterLines, faults, "--queue-type", "quorum")
	if !strings.Contains(stderr, "connection to 127.0.0.1:"+strconv.Itoa(leader.Port())+" lost") || !strings.Contains(stderr, "connected again") {
		t.Errorf("a loss and a return were to be told:\n%s", stderr)
	}
	checkNumbers(t, other.URL("/"), "entered", clusterLines)
}

// A publisher knows all nodes, and one that it isn't connected to dies, the only one that has its queue, and comes back
// while the publisher goes on. RabbitMQ nacks what was on its way, and confirms what comes next, which reaches no queue:
// neither is to be believed.
func (c cluster) testPublishersHomeNode(t *testing.T) {
	home, other := c.declare(t, "homed", "classic")
	var back sync.WaitGroup
	faults := map[int]func(){2 + seed.Random(t).IntN(clusterLines-1): func() {
		kill(t, home)
		back.Go(func() {
			if err := home.Restart(); err != nil {
				t.Error(err)
			}
		})
	}}
	stderr := publishNumbers(t, c.urls(other), "homed", clusterLines, faults)
	back.Wait()
	if strings.Count(stderr, "connected again") != 1 {
		t.Errorf("one return was to be told:\n%s", stderr)
	}
	checkNumbers(t, other.URL("/"), "homed", clusterLines)
}

// consumer is a worker that does small tasks, called by numbers.
type consumer struct {
	*exec.Cmd
	t              *testing.T
	stdout, stderr *bufio.Scanner
	done           map[int]bool
}

func startConsumer(t *testing.T, url, queue string) *consumer {
	t.Helper()
	c := &consumer{t: t, done: map[int]bool{}}
	c.Cmd = program(url, "worker", "-q", queue, "--no-declare", "--unit", "1ms", "--prefetch", "20", "--format", "raw")
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdout, c.stderr = bufio.NewScanner(stdout), bufio.NewScanner(stderr)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	return c
}

// tasks publishes the tasks from first to last.
func tasks(t *testing.T, url, queue string, first, last int) {
	t.Helper()
	var lines bytes.Buffer
	for i := first; i <= last; i++ {
		fmt.Fprintf(&lines, "%d.\n", i)
	}
	publish := program(url, "new_task", "-q", queue, "--no-declare", "--lines", "--quiet")
	publish.Stdin = &lines
	if out, err := publish.CombinedOutput(); err != nil {
		t.Fatalf("publishing: %v\n%s", err, out)
	}
}

// watch ends a consumer that hangs, unless the function is called that it returns.
func (c *consumer) watch() (done func() bool) {
	return time.AfterFunc(time.Minute, func() { c.Process.Kill() }).Stop
}

// await waits until so many different tasks are done.
func (c *consumer) await(tasks int) {
	c.t.Helper()
	defer c.watch()()
	for len(c.done) < tasks && c.stdout.Scan() {
		n, err := strconv.Atoi(strings.TrimSuffix(c.stdout.Text(), "."))
		if err != nil {
			c.t.Fatalf("nobody has asked for %q", c.stdout.Text())
		}
		c.done[n] = true
	}
	if len(c.done) < tasks {
		c.t.Fatalf("%d of %d tasks were done", len(c.done), tasks)
	}
}

// stop ends the consumer and returns what it has said since it was last listened to.
func (c *consumer) stop() (lines []string) {
	c.t.Helper()
	defer c.watch()()
	c.Process.Signal(syscall.SIGTERM)
	for c.stderr.Scan() {
		lines = append(lines, c.stderr.Text())
	}
	if err := c.Wait(); err != nil {
		c.t.Errorf("a consumer that was asked to stop: %v\n%s", err, strings.Join(lines, "\n"))
	}
	return lines
}

// A consumer is connected to one node, and the only one that has its queue dies. The consumer keeps trying, without
// many words, and goes on when that node is back.
func (c cluster) testHomeNode(t *testing.T) {
	const half = 1000
	home, other := c.declare(t, "tasks", "classic")
	tasks(t, other.URL("/"), "tasks", 1, half)
	worker := startConsumer(t, other.URL("/"), "tasks")
	worker.await(1)
	kill(t, home)
	awaitLine(t, worker.stderr, "lost: NOT_FOUND - home node")
	restart(t, home)
	tasks(t, other.URL("/"), "tasks", half+1, 2*half)
	worker.await(2 * half)
	if said := worker.stop(); len(said) != 1 || !strings.Contains(said[0], "connected again to") {
		t.Errorf("one return was to be told:\n%s", strings.Join(said, "\n"))
	}
}

// A consumer knows all nodes, and the one it is connected to dies, which also leads the queue.
func (c cluster) testConsumersNode(t *testing.T) {
	const count = 2000
	leader, other := c.declare(t, "orders", "quorum")
	defer restart(t, leader)
	tasks(t, other.URL("/"), "orders", 1, count)
	worker := startConsumer(t, c.urls(leader), "orders")
	worker.await(1)
	kill(t, leader)
	worker.await(count)
	said := strings.Join(worker.stop(), "\n")
	if strings.Count(said, "lost") != 1 || strings.Count(said, "connected again") != 1 {
		t.Errorf("one loss and one return were to be told:\n%s", said)
	}
}
