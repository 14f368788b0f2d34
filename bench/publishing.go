package main

import (
	"context"
	"fmt"
)

// publisher is a client that publishes the lines of its standard input.
type publisher struct {
	name    string
	kind    kind
	args    []string
	seldom  bool
	divisor int // it gets so many times fewer messages than the others; 0: as many
}

// publishers are those that are installed, set to publish to a queue of the broker at url.
func (l *lab) publishers(url, queue string) []publisher {
	send := func(confirm string) []string {
		return []string{l.program("send"), "--url", url, "-q", queue, "--lines", "--quiet", "--persistent", "--confirm", confirm}
	}
	all := []publisher{{name: "send --confirm none", kind: ours, args: send("none")}}
	if l.found["amqp-tools"] != "" {
		all = append(all, publisher{name: amqpPublish, kind: peer, args: []string{"amqp-publish", "-u", url, "-r", queue, "-l", "-p"}})
	}
	all = append(all,
		publisher{name: "send --confirm async", kind: ours, args: send("async")},
		publisher{name: "send --confirm batch", kind: ours, args: send("batch"), seldom: true},
		publisher{name: "send --confirm tx", kind: ours, args: send("tx"), seldom: true, divisor: 10},
		publisher{name: "send --confirm individual", kind: ours, args: send("individual"), seldom: true, divisor: 40},
		publisher{name: "amqp091-go, plain loop", kind: peer, args: []string{l.program("client"), "plain-publish", url, queue}, seldom: true},
	)
	if l.found["amqplib"] != "" {
		all = append(all, publisher{name: "Node amqplib", kind: peer, args: []string{"node", l.peer("publish.js"), url, queue}, seldom: true})
	}
	if l.python != "" {
		all = append(all, publisher{name: "pika", kind: peer, args: []string{l.python, l.peer("publish.py"), url, queue}, seldom: true, divisor: 2})
	}
	return all
}

const (
	amqpPublish  = "amqp-publish -l -p"
	rawPublish   = "raw frames"
	rawConfirmed = "raw frames, confirmed"
)

// publishing compares publishers on n messages of size bytes. Where the whole comparison would take too long it is
// between those that a target is about.
func (l *lab) publishing(name, title string, n, size int, targetsOnly bool) *group {
	g := &group{Name: name, Title: title, Base: amqpPublish, metric: rate}
	for _, confirm := range []string{"none", "confirm"} {
		args := []string{l.program("client"), "raw-publish", l.node.URL("/"), queue, fmt.Sprint(n), fmt.Sprint(size), confirm}
		r := &row{Name: rawPublish, Kind: bound, run: l.publishRun(command{args: args}, n, false)}
		if confirm == "confirm" {
			r.Name = rawConfirmed
		}
		g.Rows = append(g.Rows, r)
	}
	for _, p := range l.publishers(l.node.URL("/"), queue) {
		if !p.seldom || !targetsOnly {
			g.Rows = append(g.Rows, l.publisherRow(p, n, size, false))
		}
	}
	return g
}

// ceilings compares the same publishers where nothing holds them up.
func (l *lab) ceilings(name, title string, n, size int) *group {
	g := &group{Name: name, Title: title, Base: amqpPublish, metric: rate}
	args := []string{l.program("client"), "raw-publish", l.null.url(), nullQueue, fmt.Sprint(10 * n), fmt.Sprint(size), "none"}
	g.Rows = append(g.Rows, &row{Name: rawPublish, Kind: bound, run: l.publishRun(command{args: args}, 10*n, true)})
	for _, p := range l.publishers(l.null.url(), nullQueue) {
		g.Rows = append(g.Rows, l.publisherRow(p, n, size, true))
	}
	return g
}

func (l *lab) publisherRow(p publisher, n, size int, null bool) *row {
	n /= max(p.divisor, 1)
	return &row{Name: p.name, Kind: p.kind, seldom: p.seldom, run: func(ctx context.Context) (sample, error) {
		input, err := l.lines(n, size)
		if err != nil {
			return sample{}, err
		}
		return l.publishRun(command{args: p.args, stdin: input}, n, null)(ctx)
	}}
}

// publishRun publishes n messages and makes sure that they have all come. They may be more: amqp-publish cuts long
// lines.
func (l *lab) publishRun(c command, n int, null bool) func(context.Context) (sample, error) {
	return func(ctx context.Context) (sample, error) {
		if null {
			l.null.taken.Store(0)
		} else if err := l.purge(); err != nil {
			return sample{}, err
		}
		before := l.brokerCPU()
		s, _, err := l.measure(ctx, c)
		if err != nil {
			return s, err
		}
		got := int(l.null.taken.Load())
		s.Broker = 0
		if !null {
			if got, err = l.count(n); err != nil {
				return s, err
			}
			s.Broker = l.brokerCPU() - before // all of it, however early the client has gone
		}
		s.Messages = n
		if got < n {
			return s, fmt.Errorf("%d of %d messages came", got, n)
		}
		return s, nil
	}
}
