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
func (l *lab) draining(name, title string, n int) *group {
	url, client := l.node.URL("/"), l.program("client")
	receive := func(more ...string) []string {
		return append([]string{l.program("receive"), "--url", url, "-q", queue}, more...)
	}
	count := fmt.Sprint(n)
	g := &group{Name: name, Title: title, Base: libraryLoop, metric: rate}
	add := func(name string, k kind, seldom bool, n int, args ...string) {
		g.Rows = append(g.Rows, &row{Name: name, Kind: k, seldom: seldom, run: l.drainRun(n, args)})
	}
	add("raw socket, auto-ack", bound, true, n, client, "raw-drain", url, queue, count, "0")
	add("raw socket, same prefetch and acks", bound, true, n, client, "raw-drain", url, queue, count, fmt.Sprint(prefetch))
	add(libraryLoop, peer, false, n, client, "plain-drain", url, queue, count, fmt.Sprint(prefetch), fmt.Sprint(prefetch/2))
	add(receiveText, ours, false, n, receive("-n", count)...)
	add("receive --format raw", ours, true, n, receive("-n", count, "--format", "raw")...)
	add("receive --format json", ours, true, n, receive("-n", count, "--format", "json")...)
	add("receive --auto-ack", ours, true, n, receive("--auto-ack", "--until-empty")...)
	add("amqp091-go loop, an ack each", peer, true, n, client, "plain-drain", url, queue, count, fmt.Sprint(prefetch), "1")
	if l.python != "" {
		add("pika, same prefetch and acks", peer, true, n, l.python, l.peer("drain.py"), url, queue, count, fmt.Sprint(prefetch))
	}
	if l.found["amqp-tools"] != "" {
		fewer := max(n/100, 200)
		add(amqpConsume, peer, false, fewer, "amqp-consume", "-u", url, "-q", queue, "-c", fmt.Sprint(fewer), "-p", fmt.Sprint(prefetch), "cat")
	}
	return g
}

// drainRun has n messages drained to a file.
func (l *lab) drainRun(n int, args []string) func(context.Context) (sample, error) {
	return func(ctx context.Context) (sample, error) {
		if err := l.fill(ctx, n, drainMessage); err != nil {
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

const slowReader = "receive, 1,000 lines a second taken"

// slow has receive's output read slowly: what the broker has must stay there.
func (l *lab) slow(name, title string, n int) *group {
	r := &row{Name: slowReader, Kind: ours, run: func(ctx context.Context) (sample, error) {
		if err := l.fill(ctx, n, drainMessage); err != nil {
			return sample{}, err
		}
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
	}}
	return &group{Name: name, Title: title, Base: slowReader, Rows: []*row{r}, rounds: 1, metric: memory}
}

// takeSlowly reads 1,000 lines a second for five seconds and says how many these were.
func takeSlowly(r io.Reader) int {
	lines := bufio.NewReader(r)
	begin, taken := time.Now(), 0
	for ; time.Since(begin) < 5*time.Second; taken++ {
		if _, err := lines.ReadSlice('\n'); err != nil {
			break
		}
		time.Sleep(time.Until(begin.Add(time.Duration(taken) * time.Millisecond)))
	}
	return taken
}
