package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	prefetch     = 500 // receive's
	receiveText  = "receive"
	libraryLoop  = "amqp091-go loop, same prefetch and acks"
	amqpConsume  = "amqp-consume cat"
	drainMessage = 100 // bytes
)

// draining compares consumers on a queue of n messages, whose bodies they write to a file.
func (l *lab) draining(title string, n int) *group {
	url, client := l.node.URL("/"), l.program("client")
	receive := func(more ...string) []string {
		return append([]string{l.program("receive"), "--url", url, "-q", queue}, more...)
	}
	count := fmt.Sprint(n)
	g := &group{Title: title, Base: libraryLoop, metric: rate}
	aside := false
	add := func(name string, k kind, n int, args ...string) {
		g.Rows = append(g.Rows, &row{Name: name, Kind: k, first: l.quick && aside, run: l.drainRun(n, args)})
	}
	add(libraryLoop, peer, n, client, "plain-drain", url, queue, count, fmt.Sprint(prefetch), fmt.Sprint(prefetch/2))
	add(receiveText, ours, n, receive("-n", count)...)
	aside, n = true, n/asideFewer
	count = fmt.Sprint(n)
	add("raw socket, auto-ack", bound, n, client, "raw-drain", url, queue, count, "0")
	add("raw socket, same prefetch and acks", bound, n, client, "raw-drain", url, queue, count, fmt.Sprint(prefetch))
	add("receive --format raw", ours, n, receive("-n", count, "--format", "raw")...)
	add("receive --format json", ours, n, receive("-n", count, "--format", "json")...)
	add("receive --auto-ack", ours, n, receive("--auto-ack", "--until-empty")...)
	add("amqp091-go loop, an ack each", peer, n, client, "plain-drain", url, queue, count, fmt.Sprint(prefetch), "1")
	for _, s := range [][2]string{{pika, "drain.py"}, {bunny, "drain.rb"}, {phpAmqplib, "drain.php"}} {
		if args := l.script(s[0], s[1], url, queue, count, fmt.Sprint(prefetch)); args != nil {
			add(s[0]+", same prefetch and acks", peer, n, args...)
		}
	}
	if l.found["amqp-tools"] != "" {
		n = max(n/10, 200)
		add(amqpConsume, peer, n, "amqp-consume", "-u", url, "-q", queue, "-c", fmt.Sprint(n), "-p", fmt.Sprint(prefetch), "cat")
	}
	return g
}

// drainRun has n messages drained to a file.
func (l *lab) drainRun(n int, args []string) func(context.Context) (sample, error) {
	return func(ctx context.Context) (sample, error) {
		if err := l.fill(ctx, n, drainMessage, 2, "none"); err != nil {
			return sample{}, err
		}
		out, err := os.Create(l.program("drained"))
		if err != nil {
			return sample{}, err
		}
		defer out.Close()
		s, _, err := l.measure(ctx, command{args: args, stdout: out})
		s.Messages = n
		if info, statErr := out.Stat(); err == nil && (statErr != nil || info.Size() < int64(n*drainMessage)) {
			err = fmt.Errorf("not all was written: %d bytes", info.Size())
		}
		return s, err
	}
}

const (
	slowReader = "receive, 1,000 lines a second taken"
	slowTime   = 5 * time.Second // of each round
)

// slow has receive's output read slowly, with n messages in the queue: what the broker has must stay there. A round
// takes so few that the queue is filled only once.
func (l *lab) slow(title string, n int) *group {
	r := &row{Name: slowReader, Kind: ours, run: func(ctx context.Context) (sample, error) {
		q, err := l.admin.QueueDeclarePassive(queue, true, false, false, false, nil)
		if err == nil && q.Messages < n*9/10 {
			fmt.Fprintln(os.Stderr, "slow-reader: filling the queue")
			err = l.fill(ctx, n, 16, 4, "transient")
		}
		if err != nil {
			return sample{}, err
		}
		return l.slowRun(ctx)
	}}
	return &group{Title: title, Base: slowReader, Rows: []*row{r}, metric: memory}
}

func (l *lab) slowRun(ctx context.Context) (sample, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return sample{}, err
	}
	defer reader.Close()
	p, err := l.start(ctx, command{args: []string{l.program("receive"), "--url", l.node.URL("/"), "-q", queue}, stdout: writer})
	writer.Close()
	if err != nil {
		return sample{}, err
	}
	taken := takeSlowly(reader)
	reader.Close() // receive ends quietly then
	s, err := p.wait()
	s.Messages = taken
	return s, err
}

// takeSlowly reads 1,000 lines a second for a while and says how many these were.
func takeSlowly(r io.Reader) int {
	lines := bufio.NewReader(r)
	begin, taken := time.Now(), 0
	for ; time.Since(begin) < slowTime; taken++ {
		if _, err := lines.ReadSlice('\n'); err != nil {
			break
		}
		time.Sleep(time.Until(begin.Add(time.Duration(taken) * time.Millisecond)))
	}
	return taken
}
