package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"amqp-tutorials/internal/seed"
)

// gang is some workers on one queue, each with an output file of its own.
type gang struct {
	t       *testing.T
	b       *faultyBroker
	dir     string
	args    []string
	random  *rand.Rand // who is killed
	running []*member
	started int
}

type member struct {
	*exec.Cmd
	stderr    bytes.Buffer
	readyFile string
	ended     chan struct{} // closed when err is there
	err       error
}

// ready tells that a worker has connected. One that is stopped before ends as a program that could not.
func (m *member) ready() bool {
	_, err := os.Stat(m.readyFile)
	return err == nil
}

func (g *gang) start() *member {
	g.started++
	out, err := os.Create(filepath.Join(g.dir, fmt.Sprint(g.started)))
	if err != nil {
		g.t.Fatal(err)
	}
	defer out.Close()
	m := &member{readyFile: filepath.Join(g.dir, fmt.Sprintf("%d.ready", g.started)), ended: make(chan struct{})}
	m.Cmd = program(g.b.url(), "worker", append([]string{"--wait", "30s", "--ready-file", m.readyFile}, g.args...)...)
	m.Stdout = out
	m.Stderr = &m.stderr
	if err := m.Start(); err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { m.Process.Kill() })
	go func() {
		m.err = m.Wait()
		close(m.ended)
	}()
	return m
}

// replace kills one worker as a power cut would, and starts another.
func (g *gang) replace() {
	i := g.random.IntN(len(g.running))
	g.running[i].Process.Kill()
	<-g.running[i].ended
	g.running[i] = g.start()
}

// left is how many messages are in the queue, unacknowledged ones included.
func (g *gang) left(queue string) int {
	var q struct{ Messages *int }
	if err := g.b.API("GET", "/queues/%2F/"+queue, nil, &q); err != nil || q.Messages == nil {
		return -1 // the broker is just coming back
	}
	return *q.Messages
}

// run publishes so many tasks, lets workers be killed and the broker crash while they are done, and returns what the
// workers have printed.
func (g *gang) run(tasks, workers, kills int) [][]byte {
	publish := program(g.b.URL("/"), "new_task", "--lines", "--quiet", "--queue", "tasks")
	var lines bytes.Buffer
	for i := 1; i <= tasks; i++ {
		fmt.Fprintf(&lines, "%d.\n", i)
	}
	publish.Stdin = &lines
	if out, err := publish.CombinedOutput(); err != nil {
		g.t.Fatalf("publishing: %v\n%s", err, out)
	}
	for range workers {
		g.running = append(g.running, g.start())
	}
	for i := range kills {
		g.await(func(left int) bool { return left >= 0 && left < tasks-(i+1)*tasks/(kills+2) })
		g.replace()
		if i == kills/2 {
			g.b.crash()
		}
	}
	g.await(func(left int) bool {
		return left == 0 && !slices.ContainsFunc(g.running, func(m *member) bool { return !m.ready() })
	})
	for _, worker := range g.running {
		worker.Process.Signal(syscall.SIGTERM)
		<-worker.ended
		if worker.err != nil {
			g.t.Errorf("a worker that was asked to stop: %v\n%s", worker.err, &worker.stderr)
		}
	}
	var outputs [][]byte
	for i := range g.started {
		out, err := os.ReadFile(filepath.Join(g.dir, fmt.Sprint(i+1)))
		if err != nil {
			g.t.Fatal(err)
		}
		outputs = append(outputs, out)
	}
	return outputs
}

// await waits until so few tasks are left. Meanwhile no worker may end, whatever happens to the broker.
func (g *gang) await(enough func(left int) bool) {
	g.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !enough(g.left("tasks")); time.Sleep(50 * time.Millisecond) {
		for _, worker := range g.running {
			select {
			case <-worker.ended:
				g.t.Fatalf("a worker has ended: %v\n%s", worker.err, &worker.stderr)
			default:
			}
		}
		if time.Now().After(end) {
			g.t.Fatalf("%d tasks are left", g.left("tasks"))
		}
	}
}

// Tasks are all done, each at least once, though workers are killed and the broker crashes; what is delivered again
// is marked as redelivered.
func TestWorkersLoseNothing(t *testing.T) {
	const tasks = 100_000
	g := &gang{t: t, b: startFaulty(t), dir: t.TempDir(), random: seed.Random(t), args: []string{"--queue", "tasks", "--unit", "10us", "--prefetch", "50", "--format", "json"}}
	seen := make([]int, tasks+1)
	marked := make([]bool, tasks+1)
	for _, output := range g.run(tasks, 3, 5) {
		for line := range bytes.Lines(output) {
			var m struct {
				Body        string
				Redelivered bool
			}
			if err := json.Unmarshal(line, &m); err != nil {
				continue // the last line of one that was killed in the middle of it
			}
			n, err := strconv.Atoi(strings.TrimSuffix(m.Body, "."))
			if err != nil || n < 1 || n > tasks {
				t.Fatalf("nobody has asked for %q", m.Body)
			}
			seen[n]++
			marked[n] = marked[n] || m.Redelivered
		}
	}
	again := 0
	for n := 1; n <= tasks; n++ {
		switch {
		case seen[n] == 0:
			t.Fatalf("task %d was never done", n)
		case seen[n] > 1:
			again++
			if !marked[n] {
				t.Errorf("task %d was delivered %d times and never marked as redelivered", n, seen[n])
			}
		}
	}
	t.Logf("%d of %d tasks were delivered again", again, tasks)
}

// The same with a command for each task.
func TestCommandsLoseNothing(t *testing.T) {
	const tasks = 1000
	done := filepath.Join(t.TempDir(), "done")
	g := &gang{t: t, b: startFaulty(t), dir: t.TempDir(), random: seed.Random(t), args: []string{"--queue", "tasks", "--concurrency", "2", "--quiet", "--exec", "cat >>" + done}}
	g.run(tasks, 3, 3)
	text, err := os.ReadFile(done)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for task := range strings.SplitSeq(string(text), ".") {
		seen[task] = true
	}
	for n := 1; n <= tasks; n++ {
		if !seen[strconv.Itoa(n)] {
			t.Fatalf("task %d was never done", n)
		}
	}
}
