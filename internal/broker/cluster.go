package broker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
)

// cluster is what nodes have in common. A node that was started by itself is a cluster of one.
type cluster struct {
	home   string // holds Erlang's cookie, and the certificates
	server string // the rabbitmq-server command
	nodes  []*Node

	inherited []*os.File // open in every process of the cluster

	// epmd is Erlang's port mapper, by which the nodes and rabbitmqctl find each other. It is no part of any node,
	// since it has to outlive those that a test kills; it ends when the last node is stopped.
	epmd *process
	left atomic.Int32 // nodes that were not stopped yet
}

// StartCluster starts a cluster of so many nodes. They keep what they write in folders of their own in dir, an existing
// empty folder that the caller removes once he has stopped them all. It waits until each node is ready and knows the
// others.
//
// Each node may be killed and restarted by itself. If all are down, RabbitMQ wants the one first that went last, so
// leave one of them running.
func StartCluster(dir string, count int) ([]*Node, error) {
	folders := make([]string, count)
	for i := range folders {
		folders[i] = strconv.Itoa(i + 1)
		if err := os.Mkdir(filepath.Join(dir, folders[i]), 0o700); err != nil {
			return nil, err
		}
	}
	return start(context.Background(), &cluster{home: dir}, Settings{}, folders...)
}

// start starts nodes that write to these folders in the cluster's home, all at once.
func start(ctx context.Context, c *cluster, settings Settings, folders ...string) (nodes []*Node, err error) {
	server, epmd, err := find()
	if err != nil {
		return nil, err
	}
	if c.home, err = filepath.Abs(c.home); err != nil {
		return nil, err
	}
	c.server = server
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	for _, folder := range folders {
		n, err := newNode(c, filepath.Join(c.home, folder), settings)
		if err != nil {
			return nil, err
		}
		c.nodes = append(c.nodes, n)
		c.left.Add(1)
	}
	if err := c.prepare(); err != nil {
		return nil, err
	}
	c.epmd, err = spawn(c.nodes[0].environment(), c.file("epmd.log"), c.inherited,
		epmd, "-port", strconv.Itoa(c.epmdPort()), "-address", "127.0.0.1")
	if err != nil {
		return nil, fmt.Errorf("start epmd: %w", err)
	}
	return c.nodes, c.boot(ctx)
}

// prepare writes what the nodes read at their start.
func (c *cluster) prepare() error {
	// Erlang would make up a cookie at its first start, and nodes that start together would each make up another.
	errs := []error{os.WriteFile(c.file(".erlang.cookie"), []byte(rand.Text()), 0o600)}
	if settings := c.nodes[0].settings; settings.forTests() || settings.TLS {
		errs = append(errs, makeCertificates(c.home, settings.names()))
	}
	if c.nodes[0].settings.forTests() {
		errs = append(errs, makeTestCertificates(c.home))
	}
	for _, n := range c.nodes {
		errs = append(errs, n.writeConfig())
	}
	return errors.Join(errs...)
}

// boot starts the first node, which begins the cluster, and then the others, which join it, all at once.
func (c *cluster) boot(ctx context.Context) error {
	if err := c.nodes[0].restart(ctx); err != nil {
		return err
	}
	others := c.nodes[1:]
	errs := make([]error, len(others))
	var booting sync.WaitGroup
	for i, n := range others {
		booting.Go(func() { errs[i] = n.restart(ctx) })
	}
	booting.Wait()
	return errors.Join(errs...)
}

func (c *cluster) stop() {
	for _, n := range c.nodes {
		n.Stop()
	}
}

// leave is called by each node that is stopped.
func (c *cluster) leave() {
	if c.left.Add(-1) == 0 && c.epmd != nil {
		_ = c.epmd.kill()
	}
}

func (c *cluster) file(name string) string { return filepath.Join(c.home, name) }

func (c *cluster) epmdPort() int { return c.nodes[0].base + epmdPort }

// formation is the part of a node's configuration that says which cluster to join: the first node's.
func (c *cluster) formation(n *Node) string {
	if n == c.nodes[0] {
		return ""
	}
	return fmt.Sprintf("cluster_formation.classic_config.nodes.1 = %s\ncluster_formation.classic_config.nodes.2 = %s\n",
		c.nodes[0].Name(), n.Name())
}
