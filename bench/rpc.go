package main

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

const rpcQueue = "bench_rpc"

// served runs a case while an rpc_server answers.
func (l *lab) served(run func(context.Context) (sample, error)) func(context.Context) (sample, error) {
	return func(ctx context.Context) (sample, error) {
		args := []string{l.program("rpc_server"), "--url", l.node.URL("/"), "-q", rpcQueue, "--prefetch", "64", "--quiet"}
		c := command{args: args, ready: "Awaiting"}
		server, err := l.start(ctx, c)
		if err != nil {
			return sample{}, err
		}
		defer server.kill()
		if err := server.await(c.ready); err != nil {
			return sample{}, err
		}
		return run(ctx)
	}
}

// latencies is in rpc_client's summary.
var latencies = regexp.MustCompile(`in ([0-9.]+)s .* p50 (\S+), p99 (\S+)`)

// calls compares ways to make n calls.
func (l *lab) calls(title string, n int) *group {
	g := &group{Title: title, metric: metric{"calls a second", rate.of}}
	add := func(name string, k kind, n int, args ...string) {
		g.Rows = append(g.Rows, &row{Name: name, Kind: k, run: l.served(l.callRun(n, args))})
	}
	for _, way := range [][2]string{{"queue", "reply to a queue"}, {"direct", "direct reply-to"}} {
		for _, concurrency := range []int{1, 16, 64} {
			n := n
			if concurrency == 1 {
				n /= 4
			}
			add(fmt.Sprintf("%s, %d at once", way[1], concurrency), ours, n,
				l.program("rpc_client"), "--url", l.node.URL("/"), "-q", rpcQueue, "--quiet",
				"--reply-to", way[0], "--concurrency", fmt.Sprint(concurrency), "-n", fmt.Sprint(n), "5")
		}
	}
	n = max(n/10, 100)
	for _, concurrency := range []int{1, 16, 64} {
		if args := l.script(pika, "call.py", l.node.URL("/"), rpcQueue, fmt.Sprint(n), fmt.Sprint(concurrency), "5"); args != nil {
			add(fmt.Sprintf("pika, reply to a queue, %d at once", concurrency), peer, n, args...)
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
