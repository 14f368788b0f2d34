// Package broker starts a private RabbitMQ node, or a cluster of them, and stops it: for the tests, make demo,
// make broker, make bench and the classroom.
//
// The node has its own ports, data, cookie and Erlang port mapper (epmd), listens on loopback only unless told
// otherwise, and knows nothing of a RabbitMQ that the machine may run already. It ends with the process that started it,
// whatever ends that. The nodes of a cluster share the cookie and the port mapper.
//
// For tests there are Start and StartCluster, and three users: guest (administrator), alice (everything, in "/" and
// "domain1") and bob (may read in "domain1"). For people there is Launch, and one user; the folder launch holds the
// program behind scripts/broker.
package broker

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
	"time"
)

const (
	startTimeout = 2 * time.Minute // about 7 s are usual on two cores
	stopTimeout  = 5 * time.Second
	ctlTimeout   = 60 * time.Second
)

// Node is a private RabbitMQ node. Its methods may be called from one goroutine at a time, URL and the other
// getters from any.
type Node struct {
	cluster  *cluster
	settings Settings
	dir      string
	base     int          // the first of the node's ports, see reserve
	guard    net.Listener // keeps other test processes off these ports; nil after Stop
	http     *http.Client
	running  *process // nil while the node is down
}

// Start starts a node that keeps everything it writes in dir, an existing empty folder that the caller
// removes after Stop. It waits until the node is ready.
func Start(dir string) (*Node, error) {
	nodes, err := start(context.Background(), &cluster{home: dir}, Settings{}, ".")
	if err != nil {
		return nil, err
	}
	return nodes[0], nil
}

func newNode(c *cluster, dir string, settings Settings) (*Node, error) {
	guard, base, err := reserve()
	if err != nil {
		return nil, err
	}
	n := &Node{cluster: c, settings: settings, dir: dir, base: base, guard: guard}
	n.http = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	return n, nil
}

// Stop ends the node, waits until it is gone and gives its ports back. It may be called again.
func (n *Node) Stop() {
	_ = n.kill()
	if n.guard != nil {
		_ = n.guard.Close()
		n.guard = nil
		n.cluster.leave()
	}
}

// Shutdown is Stop for a node whose data somebody wants to find again: RabbitMQ gets the time to write everything down.
func (n *Node) Shutdown(ctx context.Context) error {
	defer n.Stop()
	ctx, cancel := context.WithTimeout(ctx, ctlTimeout)
	defer cancel()
	if _, err := n.ctl(ctx, "stop"); err != nil {
		return err
	}
	select {
	case <-n.Ended():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the broker: %w", ctx.Err())
	}
}

// Ended is closed when the node that runs now has ended, by itself or not.
func (n *Node) Ended() <-chan struct{} { return n.running.ended }

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
	if err := p.kill(); err != nil {
		return fmt.Errorf("kill the broker: %w", err)
	}
	return nil
}

// Restart starts the node again after Kill, on the same ports and with the same data, and waits until it is ready.
// A node that still runs is killed first.
func (n *Node) Restart() error { return n.restart(context.Background()) }

func (n *Node) restart(ctx context.Context) error {
	if n.guard == nil {
		return errors.New("restart the broker: it was stopped for good")
	}
	if err := n.kill(); err != nil {
		return err
	}
	p, err := spawn(n.environment(), n.file("log"), n.cluster.inherited, n.cluster.server)
	if err != nil {
		return fmt.Errorf("start the broker: %w", err)
	}
	n.running = p
	if err := n.awaitReady(ctx); err != nil {
		_ = n.kill()
		return err
	}
	return nil
}

// awaitReady waits until the AMQP, TLS and management listeners all answer.
func (n *Node) awaitReady(ctx context.Context) error {
	timeout := time.After(startTimeout)
	for !n.ready() {
		select {
		case <-n.running.ended:
			return fmt.Errorf("start the broker: it ended:\n%s", n.LogTail())
		case <-ctx.Done():
			return fmt.Errorf("start the broker: %w", context.Cause(ctx))
		case <-timeout:
			return fmt.Errorf("start the broker: not ready after %v:\n%s", startTimeout, n.LogTail())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// ready tells whether all listeners answer and the node has joined its cluster, which the first one has begun.
func (n *Node) ready() bool {
	var members []object
	return Greets(n.amqp()) && (!n.hasTLS() || accepts(n.reachable(n.TLSPort()))) &&
		n.API(http.MethodGet, "/nodes?columns=name", nil, &members) == nil &&
		(len(members) > 1 || n == n.cluster.nodes[0])
}

// Greets tells whether a server at address answers AMQP's protocol header with a method frame (connection.start).
func Greets(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
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

func accepts(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// LogTail returns the last lines that the node wrote.
func (n *Node) LogTail() string {
	b, err := os.ReadFile(n.file("log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// CtlCommand is the rabbitmqctl that belongs to the node, and the environment in which it finds the node.
func (n *Node) CtlCommand() (command string, environment []string) {
	return filepath.Join(filepath.Dir(n.cluster.server), "rabbitmqctl"), n.environment()
}

// Ctl runs rabbitmqctl with args against the node, and returns what it wrote to both outputs. It takes one to two
// seconds; API is quicker.
func (n *Node) Ctl(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), ctlTimeout)
	defer cancel()
	return n.ctl(ctx, args...)
}

func (n *Node) ctl(ctx context.Context, args ...string) (string, error) {
	if n.running == nil {
		return "", errors.New("rabbitmqctl: the broker is down")
	}
	command, environment := n.CtlCommand()
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Env = environment
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("rabbitmqctl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
