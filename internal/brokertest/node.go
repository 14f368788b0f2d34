// Package brokertest starts a private RabbitMQ node for tests.
//
// The node has its own ports, data, cookie and Erlang port mapper (epmd), listens on loopback only, and knows
// nothing of a RabbitMQ that the machine may run already. It ends with the process that started it, whatever ends that.
//
// There are three users: guest (administrator), alice (everything, in "/" and "domain1") and bob (may read in "domain1").
package brokertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	startTimeout = 60 * time.Second // about 7 s are usual on two cores
	stopTimeout  = 5 * time.Second
	ctlTimeout   = 60 * time.Second
)

// keeper is the leader of the node's process group. Its standard input is a pipe whose other end only the test
// process holds: at end of file, that is when the test process is gone for whatever reason, it kills the group. It
// does the same when the node ends by itself, so that epmd is not left behind.
//
// The helpers that Erlang starts (erl_child_setup and its children) are in sessions of their own; they end with Erlang.
const keeper = `
"$EPMD" -port "$ERL_EPMD_PORT" -address 127.0.0.1 </dev/null &
("$RABBITMQ"; kill -KILL 0) </dev/null &
read -r _
kill -KILL 0
`

// Node is a private RabbitMQ node. Its methods may be called from one goroutine at a time, URL and the other
// getters from any.
type Node struct {
	dir     string
	server  string // the rabbitmq-server command
	epmd    string
	base    int          // the first of the node's ports, see reserve
	guard   net.Listener // keeps other test processes off these ports; nil after Stop
	http    *http.Client
	running *process // nil while the node is down
}

// process is one run of the node.
type process struct {
	group int           // process group, led by the keeper
	hold  *os.File      // the pipe that the keeper reads from
	ended chan struct{} // closed when the keeper has ended
}

// Start starts a node that keeps everything it writes in dir, an existing empty folder that the caller
// removes after Stop. It waits until the node is ready.
func Start(dir string) (*Node, error) {
	server, epmd, err := find()
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	guard, base, err := reserve()
	if err != nil {
		return nil, err
	}
	n := &Node{dir: dir, server: server, epmd: epmd, base: base, guard: guard}
	n.http = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	if err = errors.Join(makeCertificates(dir), n.writeConfig()); err == nil {
		err = n.Restart()
	}
	if err != nil {
		n.Stop()
		return nil, err
	}
	return n, nil
}

// Stop ends the node, waits until it is gone and gives its ports back. It may be called again.
func (n *Node) Stop() {
	_ = n.kill()
	if n.guard != nil {
		_ = n.guard.Close()
		n.guard = nil
	}
}

// Kill ends the node as a power cut would, without a word to its clients. Its data and its ports stay for Restart.
func (n *Node) Kill() error {
	// A queue that was declared in the last seconds is lost in one of ten such crashes: RabbitMQ confirms it before the
	// transaction's outcome is on disk. No test of ours is about that, so we make it write its log: a new parameter does.
	if n.running != nil {
		_ = n.API(http.MethodPut, "/global-parameters/settled", object{"value": time.Now().UnixNano()}, nil)
	}
	return n.kill()
}

func (n *Node) kill() error {
	p := n.running
	if p == nil {
		return nil
	}
	n.running = nil
	err := syscall.Kill(-p.group, syscall.SIGKILL)
	_ = p.hold.Close()
	<-p.ended
	// The others were children of the keeper: whoever adopts them may take a moment to notice that they are dead.
	for deadline := time.Now().Add(stopTimeout); syscall.Kill(-p.group, 0) == nil && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill the broker: %w", err)
	}
	return nil
}

// Restart starts the node again after Kill, on the same ports and with the same data, and waits until it is ready.
// A node that still runs is killed first.
func (n *Node) Restart() error {
	if n.guard == nil {
		return errors.New("restart the broker: it was stopped for good")
	}
	if err := n.kill(); err != nil {
		return err
	}
	if err := n.spawn(); err != nil {
		return fmt.Errorf("start the broker: %w", err)
	}
	if err := n.awaitReady(); err != nil {
		_ = n.kill()
		return err
	}
	return nil
}

// spawn starts the keeper, and with it epmd and the node.
func (n *Node) spawn() error {
	output, err := os.OpenFile(n.file("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer output.Close()
	stdin, hold, err := os.Pipe() // closed on exec: no other child of this process holds the pipe open
	if err != nil {
		return err
	}
	defer stdin.Close()
	cmd := exec.Command("/bin/sh", "-c", keeper)
	cmd.Env = append(n.environment(), "EPMD="+n.epmd, "RABBITMQ="+n.server)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		_ = hold.Close()
		return err
	}
	p := &process{group: cmd.Process.Pid, hold: hold, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	n.running = p
	return nil
}

// awaitReady waits until the AMQP, TLS and management listeners all answer.
func (n *Node) awaitReady() error {
	timeout := time.After(startTimeout)
	for !n.ready() {
		select {
		case <-n.running.ended:
			return fmt.Errorf("start the broker: it ended:\n%s", n.logTail())
		case <-timeout:
			return fmt.Errorf("start the broker: not ready after %v:\n%s", startTimeout, n.logTail())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func (n *Node) ready() bool {
	return greets(n.Port()) && accepts(n.TLSPort()) && n.API(http.MethodGet, "/whoami", nil, nil) == nil
}

// greets tells whether an AMQP server answers the protocol header with a method frame (connection.start).
func greets(port int) bool {
	c, err := net.DialTimeout("tcp", loopback(port), time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	answer := make([]byte, 1)
	if _, err := c.Write([]byte("AMQP\x00\x00\x09\x01")); err != nil {
		return false
	}
	_, err = c.Read(answer)
	return err == nil && answer[0] == 1
}

func accepts(port int) bool {
	c, err := net.DialTimeout("tcp", loopback(port), time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// logTail returns the last lines that the node wrote.
func (n *Node) logTail() string {
	b, err := os.ReadFile(n.file("log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// Ctl runs rabbitmqctl with args against the node, and returns what it wrote to both outputs. It takes one to two
// seconds; API is quicker.
func (n *Node) Ctl(args ...string) (string, error) {
	if n.running == nil {
		return "", errors.New("rabbitmqctl: the broker is down") // and rabbitmqctl would start an epmd of its own
	}
	ctx, cancel := context.WithTimeout(context.Background(), ctlTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(n.server), "rabbitmqctl"), args...)
	cmd.Env = n.environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("rabbitmqctl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
