package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/broker"
)

const (
	queue     = "bench" // durable, for everything that is measured on the real broker
	nullQueue = "null"
)

// lab is what the cases are measured with.
type lab struct {
	dir    string // temporary
	module string // where the sources are
	quick  bool
	node   *broker.Node
	pid    int // of the broker
	null   *nullBroker
	admin  *amqp.Channel
	found  map[string]string // the peers and their versions
	runs   map[string]string // the interpreters of those peers that are libraries of other languages
	absent []string          // peers that are not installed
}

// plainClient is the client as go build makes it without further words: linked to the C library where there is a C
// compiler, and not stripped.
const plainClient = "plain/client"

// build runs go build, with one more variable in its environment, and installs in dir what it has made. Like the peers,
// which a package manager has put in place, the programs are measured as copies: the linker writes through a memory
// map, and what that leaves in the page cache takes some 7 % longer to start.
func (l *lab) build(ctx context.Context, dir, variable string, args ...string) error {
	built, err := os.MkdirTemp(l.dir, "built")
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", append([]string{"build", "-o", built + "/"}, args...)...)
	build.Dir, build.Stderr = l.module, os.Stderr
	if variable != "" {
		build.Env = append(build.Environ(), variable)
	}
	if err := build.Run(); err != nil {
		return fmt.Errorf("building the programs: %w", err)
	}
	return os.CopyFS(dir, os.DirFS(built))
}

// setUp builds the programs and starts both brokers. The caller calls tearDown in any case.
func (l *lab) setUp(ctx context.Context) error {
	module, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("finding the sources: %w", err)
	}
	l.module = strings.TrimSpace(string(module))
	if l.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	static := []string{"-trimpath", "-ldflags=-s -w", "./cmd/...", "./bench/client", "./bench/empty", "./bench/launch"}
	if err := l.build(ctx, l.dir, "CGO_ENABLED=0", static...); err != nil {
		return err
	}
	if err := l.build(ctx, filepath.Dir(l.program(plainClient)), "", "./bench/client"); err != nil {
		return err
	}
	l.lookForPeers(ctx)
	data := filepath.Join(l.dir, "broker")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if l.node, err = broker.Start(data); err != nil {
		return err
	}
	if l.null, err = startNull(); err != nil {
		return err
	}
	l.pid = l.brokerPID()
	conn, err := amqp.Dial(l.node.URL("/"))
	if err != nil {
		return err
	}
	if l.admin, err = conn.Channel(); err != nil {
		return err
	}
	_, err = l.admin.QueueDeclare(queue, true, false, false, false, nil)
	return err
}

func (l *lab) tearDown() {
	if l.null != nil {
		l.null.stop()
	}
	if l.node != nil {
		l.node.Stop()
	}
	if l.dir != "" {
		_ = os.RemoveAll(l.dir)
	}
}

// program is the path of a program of ours.
func (l *lab) program(name string) string { return filepath.Join(l.dir, name) }

// purge empties the queue and lets the broker come to rest.
func (l *lab) purge() error {
	_, err := l.admin.QueuePurge(queue, false)
	time.Sleep(100 * time.Millisecond)
	return err
}

// count waits until the queue holds n messages, and returns how many it does.
func (l *lab) count(n int) (int, error) {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		q, err := l.admin.QueueDeclarePassive(queue, true, false, false, false, nil)
		if err != nil || q.Messages >= n || time.Now().After(deadline) {
			return q.Messages, err
		}
	}
}

// fill puts n messages of size bytes into the empty queue, from several publishers at once: one alone is held up
// before the queue is. Transient ones get there in half the time.
func (l *lab) fill(ctx context.Context, n, size, publishers int, mode string) error {
	if err := l.purge(); err != nil {
		return err
	}
	each := fmt.Sprint(n / publishers)
	args := []string{l.program("client"), "raw-publish", l.node.URL("/"), queue, each, fmt.Sprint(size), mode}
	running, err := l.startAll(ctx, command{args: args}, publishers)
	defer running.kill()
	if err != nil {
		return err
	}
	if _, _, err := running.wait(); err != nil {
		return err
	}
	got, err := l.count(n)
	if err == nil && got < n {
		err = fmt.Errorf("%d of %d messages came into the queue", got, n)
	}
	return err
}

// lines returns a file with n lines of size bytes, which it makes if it isn't there yet.
func (l *lab) lines(n, size int) (string, error) {
	name := l.program(fmt.Sprintf("lines-%d-%d", n, size))
	if _, err := os.Stat(name); err == nil {
		return name, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range n {
		head := fmt.Appendf(nil, "%09d ", i)
		_, _ = w.Write(head) // Flush tells
		_, _ = w.Write(bytes.Repeat([]byte{'x'}, size-len(head)))
		_ = w.WriteByte('\n')
	}
	return name, w.Flush()
}

// scaled is n, or a tenth of it in a quick run.
func (l *lab) scaled(n int) int {
	if l.quick {
		return n / 10
	}
	return n
}
