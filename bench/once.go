package main

import "context"

// Rows of the one-shot comparisons.
const (
	goFloor     = "an empty Go program"
	sendOnce    = "send"
	goSend      = "official Go send.go, go build"
	leanSend    = "official Go send.go, static, stripped"
	cSend       = "amqp-publish, unconfirmed"
	cReceive    = "amqp-get"
	receiveOnce = "receive -n 1"
	goReceive   = "official Go receive.go, one message"
	rpcOnce     = "rpc_client"
	goRPC       = "official Go rpc_client.go"
)

// sendOnce compares whole processes that send one message: start, connect, do it, end.
func (l *lab) sendOnce(title string) *group {
	url := l.node.URL("/")
	g := &group{Title: title, Base: cSend, warm: true, metric: millis}
	l.once(g, goFloor, bound, nil, l.program("empty"))
	if l.found["amqp-tools"] != "" {
		l.once(g, cSend, peer, nil, "amqp-publish", "-u", url, "-r", queue, "-b", "Hello World!")
	}
	l.once(g, sendOnce, ours, nil, l.program("send"), "--url", url, "-q", queue)
	l.once(g, "send --confirm none", ours, nil, l.program("send"), "--url", url, "-q", queue, "--confirm", "none")
	l.once(g, goSend, peer, nil, l.program(plainClient), "plain-send", url, queue)
	l.once(g, leanSend, peer, nil, l.program("client"), "plain-send", url, queue)
	if args := l.script(pika, "send.py", url, queue); args != nil {
		l.once(g, pika, peer, nil, args...)
	}
	return g
}

// receiveOnce compares processes that receive one message.
func (l *lab) receiveOnce(title string) *group {
	url := l.node.URL("/")
	one := func(ctx context.Context) error { return l.fill(ctx, 1, 12, 1, "confirm") }
	g := &group{Title: title, Base: cReceive, warm: true, metric: millis}
	if l.found["amqp-tools"] != "" {
		l.once(g, cReceive, peer, one, "amqp-get", "-u", url, "-q", queue)
	}
	l.once(g, receiveOnce, ours, one, l.program("receive"), "--url", url, "-q", queue, "-n", "1")
	l.once(g, goReceive, peer, one, l.program("client"), "plain-receive", url, queue)
	if args := l.script(pika, "receive.py", url, queue); args != nil {
		l.once(g, pika, peer, one, args...)
	}
	return g
}

// callOnce compares processes that make one call.
func (l *lab) callOnce(title string) *group {
	url := l.node.URL("/")
	g := &group{Title: title, Base: goRPC, warm: true, metric: millis}
	l.once(g, rpcOnce, ours, nil, l.program("rpc_client"), "--url", url, "-q", rpcQueue)
	l.once(g, goRPC, peer, nil, l.program("client"), "plain-rpc", url, rpcQueue)
	if args := l.script(pika, "call.py", url, rpcQueue, "1", "1", "30"); args != nil {
		l.once(g, pika, peer, nil, args...)
	}
	for _, r := range g.Rows {
		r.run = l.served(r.run)
	}
	return g
}

// once adds a row to g: a process that does one thing, after prepare has been called.
func (l *lab) once(g *group, name string, k kind, prepare func(context.Context) error, args ...string) {
	g.Rows = append(g.Rows, &row{Name: name, Kind: k, run: func(ctx context.Context) (sample, error) {
		if prepare != nil {
			if err := prepare(ctx); err != nil {
				return sample{}, err
			}
		}
		s, _, err := l.measure(ctx, command{args: args})
		s.Messages = 1
		return s, err
	}})
}
