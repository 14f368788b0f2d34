package main

import "context"

// Rows of the one-shot comparisons.
const (
	goFloor     = "an empty Go program"
	sendOnce    = "send"
	goSend      = "official Go send.go"
	cSend       = "amqp-publish, unconfirmed"
	cReceive    = "amqp-get"
	receiveOnce = "receive -n 1"
	goReceive   = "official Go receive.go, one message"
	rpcOnce     = "rpc_client"
	goRPC       = "official Go rpc_client.go"
)

const onceRounds = 15

// sendOnce compares whole processes that send one message: start, connect, do it, end.
func (l *lab) sendOnce(name, title string) *group {
	url, client := l.node.URL("/"), l.program("client")
	g := &group{Name: name, Title: title, Base: cSend, rounds: onceRounds, warm: true, metric: millis}
	l.once(g, goFloor, bound, nil, l.program("empty"))
	if l.found["amqp-tools"] != "" {
		l.once(g, cSend, peer, nil, "amqp-publish", "-u", url, "-r", queue, "-b", "Hello World!")
	}
	l.once(g, sendOnce, ours, nil, l.program("send"), "--url", url, "-q", queue)
	l.once(g, "send --confirm none", ours, nil, l.program("send"), "--url", url, "-q", queue, "--confirm", "none")
	l.once(g, goSend, peer, nil, client, "plain-send", url, queue)
	if l.python != "" {
		l.once(g, "pika", peer, nil, l.python, l.peer("send.py"), url, queue)
	}
	return g
}

// receiveOnce compares processes that receive one message.
func (l *lab) receiveOnce(name, title string) *group {
	url := l.node.URL("/")
	one := func(ctx context.Context) error { return l.fill(ctx, 1, 12) }
	g := &group{Name: name, Title: title, Base: cReceive, rounds: onceRounds, warm: true, metric: millis}
	if l.found["amqp-tools"] != "" {
		l.once(g, cReceive, peer, one, "amqp-get", "-u", url, "-q", queue)
	}
	l.once(g, receiveOnce, ours, one, l.program("receive"), "--url", url, "-q", queue, "-n", "1")
	l.once(g, goReceive, peer, one, l.program("client"), "plain-receive", url, queue)
	return g
}

// callOnce compares processes that make one call.
func (l *lab) callOnce(name, title string) *group {
	url := l.node.URL("/")
	g := &group{Name: name, Title: title, Base: goRPC, rounds: onceRounds, warm: true, metric: millis}
	l.once(g, rpcOnce, ours, nil, l.program("rpc_client"), "--url", url, "-q", rpcQueue)
	l.once(g, goRPC, peer, nil, l.program("client"), "plain-rpc", url, rpcQueue)
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
