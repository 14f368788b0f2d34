package main

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

// Cases in which several of our programs work together.

const rpcQueue = "bench_rpc"

// served runs a case while an rpc_server answers.
func (l *lab) served(run func(context.Context) (sample, error)) func(context.Context) (sample, error) {
	return func(ctx context.Context) (sample, error) {
		args := []string{l.program("rpc_server"), "--url", l.node.URL("/"), "-q", rpcQueue, "--prefetch", "64", "--quiet"}
		server, err := l.start(ctx, command{args: args, ready: "Awaiting"})
		if err != nil {
			return sample{}, err
		}
		defer server.kill()
		return run(ctx)
	}
}

// latencies is in rpc_client's summary.
var latencies = regexp.MustCompile(`in ([0-9.]+)s .* p50 (\S+), p99 (\S+)`)

// calls compares ways to make n calls.
func (l *lab) calls(name, title string, n int) *group {
	g := &group{Name: name, Title: title, metric: metric{"calls a second", rate.of}}
	for _, replyTo := range []string{"queue", "direct"} {
		for _, concurrency := range []int{1, 16, 64} {
			n := n
			if concurrency == 1 {
				n /= 4
			}
			args := []string{
				l.program("rpc_client"), "--url", l.node.URL("/"), "-q", rpcQueue, "--quiet",
				"--reply-to", replyTo, "--concurrency", fmt.Sprint(concurrency), "-n", fmt.Sprint(n), "5",
			}
			g.Rows = append(g.Rows, &row{
				Name: fmt.Sprintf("reply to a %s, %d at once", replyTo, concurrency), Kind: ours,
				run: l.served(l.callRun(n, args)),
			})
		}
	}
	g.Base = g.Rows[0].Name
	return g
}

// callRun makes n calls and takes the latencies from the client's summary.
func (l *lab) callRun(n int, args []string) func(context.Context) (sample, error) {
	return func(ctx context.Context) (sample, error) {
		s, said, err := l.measure(ctx, command{args: args})
		s.Messages = n
		if err != nil {
			return s, err
		}
		found := latencies.FindStringSubmatch(said)
		if found == nil {
			return s, fmt.Errorf("no latencies in %q", said)
		}
		for i, into := range []*float64{&s.P50, &s.P99} {
			d, err := time.ParseDuration(found[2+i])
			if err != nil {
				return s, err
			}
			*into = float64(d) / float64(time.Millisecond)
		}
		return s, nil
	}
}

// fanOut has one emit_log reach several receive_logs, with the same number of deliveries in all.
func (l *lab) fanOut(name, title string, deliveries int) *group {
	g := &group{Name: name, Title: title, metric: metric{"deliveries a second", rate.of}}
	for _, receivers := range []int{1, 10, 100} {
		g.Rows = append(g.Rows, &row{
			Name: fmt.Sprintf("emit_log to %d × receive_logs", receivers), Kind: ours,
			run: func(ctx context.Context) (sample, error) { return l.fanOutRun(ctx, receivers, deliveries/receivers) },
		})
	}
	g.Base = g.Rows[0].Name
	return g
}

func (l *lab) fanOutRun(ctx context.Context, receivers, n int) (sample, error) {
	url := l.node.URL("/")
	input, err := l.lines(n, 100)
	if err != nil {
		return sample{}, err
	}
	receive := command{
		args:  []string{l.program("receive_logs"), "--url", url, "-n", fmt.Sprint(n)},
		ready: "Waiting",
	}
	emit := command{args: []string{l.program("emit_log"), "--url", url, "--lines", "--quiet"}, stdin: input}
	s, err := l.pipeline(ctx, receive, receivers, emit)
	s.Messages = receivers * n
	return s, err
}

// pipeline starts consumers and then a publisher, and waits for all. The wall time is from the publisher's start to
// the last consumer's end; CPU and memory are the publisher's, and OtherRSS the largest consumer's.
func (l *lab) pipeline(ctx context.Context, consumer command, consumers int, publisher command) (sample, error) {
	var running []*process
	defer func() {
		for _, p := range running {
			p.kill()
		}
	}()
	for range consumers {
		p, err := l.start(ctx, consumer)
		if err != nil {
			return sample{}, err
		}
		running = append(running, p)
	}
	before := l.brokerCPU()
	began := time.Now()
	s, _, err := l.measure(ctx, publisher)
	if err != nil {
		return s, err
	}
	for len(running) > 0 {
		p := running[0]
		running = running[1:]
		c, err := p.wait()
		if err != nil {
			return s, err
		}
		s.OtherRSS = max(s.OtherRSS, c.RSS)
	}
	s.Wall = time.Since(began).Seconds()
	s.Broker = l.brokerCPU() - before
	return s, nil
}

// scaling sends 10^3 to 10^largest lines through send and receive.
func (l *lab) scaling(name, title string, largest int) *group {
	g := &group{Name: name, Title: title, metric: memory}
	for n, power := 1000, 3; power <= largest; n, power = 10*n, power+1 {
		g.Rows = append(g.Rows, &row{
			Name: fmt.Sprintf("send | receive, %d lines", n), Kind: ours,
			run: func(ctx context.Context) (sample, error) { return l.scalingRun(ctx, n) },
		})
	}
	g.Base = g.Rows[0].Name
	return g
}

func (l *lab) scalingRun(ctx context.Context, n int) (sample, error) {
	input, err := l.lines(n, 100)
	if err == nil {
		err = l.purge()
	}
	if err != nil {
		return sample{}, err
	}
	common := []string{"--url", l.node.URL("/"), "-q", queue}
	receive := append([]string{l.program("receive"), "-n", fmt.Sprint(n), "--format", "raw"}, common...)
	send := append([]string{l.program("send"), "--lines", "--quiet"}, common...)
	s, err := l.pipeline(ctx, command{args: receive, ready: "Waiting"}, 1, command{args: send, stdin: input})
	s.Messages = n
	return s, err
}

// taskTime is how long one task takes in the work queue's cases.
const taskTime = 25 * time.Millisecond

// workQueue has workers share n tasks.
func (l *lab) workQueue(name, title string, n int) *group {
	g := &group{Name: name, Title: title, metric: metric{"tasks a second", rate.of}}
	for _, workers := range []int{1, 2, 4, 8} {
		g.Rows = append(g.Rows, &row{
			Name: fmt.Sprintf("%d × worker", workers), Kind: ours,
			run: func(ctx context.Context) (sample, error) { return l.workRun(ctx, workers, n) },
		})
	}
	g.Base = g.Rows[0].Name
	return g
}

func (l *lab) workRun(ctx context.Context, workers, n int) (sample, error) {
	if err := l.purge(); err != nil {
		return sample{}, err
	}
	common := []string{"--url", l.node.URL("/"), "-q", queue, "--quiet"}
	task := append([]string{l.program("new_task"), "-n", fmt.Sprint(n), "."}, common...)
	if _, _, err := l.measure(ctx, command{args: task}); err != nil {
		return sample{}, err
	}
	work := append([]string{l.program("worker"), "--until-empty", "--unit", taskTime.String()}, common...)
	began := time.Now()
	// One of the workers stands in the publisher's place: it is the one whose CPU and memory are shown.
	s, err := l.pipeline(ctx, command{args: work}, workers-1, command{args: work})
	s.Wall = time.Since(began).Seconds()
	s.Messages = n
	return s, err
}
