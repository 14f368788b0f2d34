package main

import (
	"context"
	"fmt"
	"time"
)

// Cases in which several of our programs work together.

// lostAfter is how long a consumer waits for what should come: it fails then, for a message has been lost.
const lostAfter = "20s"

// fanOut has one emit_log reach several queues, with the same number of deliveries in all. A thousand processes would
// measure the operating system: that many queues belong to one process of the benchmark's own, and a hundred both to
// as many receive_logs and to such a process, so that the two can be compared.
func (l *lab) fanOut(title string, deliveries int) *group {
	g := &group{Title: title, metric: metric{"deliveries a second", rate.of}}
	add := func(name string, queues, consumers int, done string, args ...string) {
		consumer := command{args: args, ready: "Waiting", done: done}
		g.Rows = append(g.Rows, &row{Name: name, Kind: ours, run: func(ctx context.Context) (sample, error) {
			return l.fanOutRun(ctx, consumer, consumers, queues, deliveries/queues)
		}})
	}
	url := l.node.URL("/")
	for _, queues := range []int{1, 10, 100} {
		add(fmt.Sprintf("emit_log to %d × receive_logs", queues), queues, queues, "",
			l.program("receive_logs"), "--url", url, "-n", fmt.Sprint(deliveries/queues), "--idle-timeout", lostAfter)
	}
	for _, queues := range []int{100, 1000} {
		add(fmt.Sprintf("emit_log to %s queues of one process", whole(queues)), queues, 1, "Received",
			l.program("client"), "listen", url, "logs", fmt.Sprint(queues), fmt.Sprint(deliveries/queues), lostAfter)
	}
	g.Base = g.Rows[0].Name
	return g
}

// fanOutRun publishes n messages to as many queues. Consumers fail unless each queue gets them all.
func (l *lab) fanOutRun(ctx context.Context, consumer command, consumers, queues, n int) (sample, error) {
	input, err := l.lines(n, 100)
	if err != nil {
		return sample{}, err
	}
	emit := command{args: []string{l.program("emit_log"), "--url", l.node.URL("/"), "--lines", "--quiet"}, stdin: input}
	s, err := l.pipeline(ctx, consumer, consumers, emit)
	s.Messages = queues * n
	return s, err
}

// pipeline starts consumers and then a publisher, and waits for all. The wall time is from the publisher's start to
// the last consumer's end, or until it says that it is done; CPU and memory are the publisher's, OtherCPU is that of
// all consumers and OtherRSS the largest one's.
func (l *lab) pipeline(ctx context.Context, consumer command, consumers int, publisher command) (sample, error) {
	running, err := l.startAll(ctx, consumer, consumers)
	defer running.kill()
	if err != nil {
		return sample{}, err
	}
	before := l.brokerCPU()
	began := time.Now()
	s, _, err := l.measure(ctx, publisher)
	if err != nil {
		return s, err
	}
	stop := func() { s.Wall, s.Broker = time.Since(began).Seconds(), l.brokerCPU()-before }
	if consumer.done != "" {
		err = running.await(consumer.done)
		stop()
	}
	if err == nil {
		s.OtherCPU, s.OtherRSS, err = running.wait()
	}
	if consumer.done == "" {
		stop()
	}
	return s, err
}

// scaling sends 10^3 to 10^largest lines through send and receive.
func (l *lab) scaling(title string, largest int) *group {
	g := &group{Title: title, metric: memory, second: wall}
	for n, power := 1000, smallestScale; power <= largest; n, power = 10*n, power+1 {
		g.Rows = append(g.Rows, &row{
			Name: fmt.Sprintf("send | receive, %s lines", whole(n)), Kind: ours, first: n >= 1_000_000,
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
	receive := append([]string{l.program("receive"), "-n", fmt.Sprint(n), "--format", "raw", "--idle-timeout", lostAfter}, common...)
	send := append([]string{l.program("send"), "--lines", "--quiet"}, common...)
	s, err := l.pipeline(ctx, command{args: receive, ready: "Waiting"}, 1, command{args: send, stdin: input})
	s.Messages = n
	return s, err
}

// taskTime is how long one task takes in the work queue's cases.
const taskTime = 25 * time.Millisecond

// workQueue has workers share n tasks.
func (l *lab) workQueue(title string, n int) *group {
	g := &group{Title: title, metric: metric{"tasks a second", rate.of}}
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
