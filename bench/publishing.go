package main

import (
	"context"
	"fmt"
)

// publisher is a client that publishes the lines of its standard input.
type publisher struct {
	name  string
	kind  kind
	args  []string
	fewer int  // it takes its time and gets so many times fewer messages than the others; 0: as many
	aside bool // no target depends on it: it gets fewer messages, too
}

// Those who are only there to compare with get fewer messages: a comparison has to end.
const (
	asideFewer     = 16  // where the broker is the limit
	asideLeast     = 500 // but no fewer than these
	asideFewerNull = 4   // without a broker
)

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
		publisher{name: "send --confirm batch", kind: ours, args: send("batch"), aside: true},
		publisher{name: "send --confirm tx", kind: ours, args: send("tx"), fewer: 20},
		publisher{name: "send --confirm individual", kind: ours, args: send("individual"), fewer: 100},
		publisher{name: "amqp091-go, plain loop", kind: peer, args: []string{l.program("client"), "plain-publish", url, queue}, aside: true},
	)
	return append(all, l.scriptedPublishers(url, queue)...)
}

// scriptedPublishers are those in other languages.
func (l *lab) scriptedPublishers(url, queue string) (all []publisher) {
	const window, confirmed = "1000", ", confirmed 1,000 at a time"
	for _, s := range []struct {
		library, label, file string
		confirms             bool // pika's blocking connection knows none but individual ones
		fewer                int
	}{
		{amqplib, "Node amqplib", "publish.js", true, 1},
		{pika, "pika", "publish.py", false, 10},
		{bunny, "bunny", "publish.rb", true, 10},
		{phpAmqplib, "php-amqplib", "publish.php", true, 10},
	} {
		args := l.script(s.library, s.file, url, queue)
		if args == nil {
			continue
		}
		p := publisher{name: s.label, kind: peer, args: args, fewer: s.fewer, aside: true}
		all = append(all, p)
		if s.confirms {
			p.name, p.args = s.label+confirmed, l.script(s.library, s.file, url, queue, window)
			all = append(all, p)
		}
	}
	return all
}

const (
	amqpPublish  = "amqp-publish -l -p"
	rawPublish   = "raw frames"
	rawConfirmed = "raw frames, confirmed"
	rawAsSend    = "raw frames, confirmed, send's properties"
)

// publishing compares publishers on n messages of size bytes.
func (l *lab) publishing(title string, n, size int) *group {
	g := &group{Title: title, Base: amqpPublish, metric: rate}
	for _, r := range []struct {
		name, how string
		n         int
	}{
		{rawPublish, "none", n / 4}, // no target depends on this one
		{rawConfirmed, "confirm", n},
		{rawAsSend, "as-send", n},
	} {
		args := []string{l.program("client"), "raw-publish", l.node.URL("/"), queue, fmt.Sprint(r.n), fmt.Sprint(size), r.how}
		g.Rows = append(g.Rows, &row{Name: r.name, Kind: bound, run: l.publishRun(command{args: args}, r.n, false)})
	}
	for _, p := range l.publishers(l.node.URL("/"), queue) {
		if p.aside {
			p.fewer = max(p.fewer, min(asideFewer, n/asideLeast))
		}
		g.Rows = append(g.Rows, l.publisherRow(p, n, size, false))
	}
	return g
}

// ceilings compares the same publishers where nothing holds them up.
func (l *lab) ceilings(title string, n, size int) *group {
	g := &group{Title: title, Base: amqpPublish, metric: rate}
	args := []string{l.program("client"), "raw-publish", l.null.url(), nullQueue, fmt.Sprint(10 * n), fmt.Sprint(size), "none"}
	g.Rows = append(g.Rows, &row{Name: rawPublish, Kind: bound, run: l.publishRun(command{args: args}, 10*n, true)})
	for _, p := range l.publishers(l.null.url(), nullQueue) {
		if p.aside {
			p.fewer = max(p.fewer, asideFewerNull)
		}
		g.Rows = append(g.Rows, l.publisherRow(p, n, size, true))
	}
	return g
}

func (l *lab) publisherRow(p publisher, n, size int, null bool) *row {
	n = max(n/max(p.fewer, 1), 100)
	return &row{Name: p.name, Kind: p.kind, first: l.quick && (p.aside || p.fewer > 1), run: func(ctx context.Context) (sample, error) {
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
