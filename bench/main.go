// Bench measures the programs beside what people would use instead, and beside what is physically possible, on one
// private RabbitMQ node on this machine.
//
//	go run ./bench [-quick] [-rounds N] [-case REGEXP] [-out FILE] [-charts DIR] [-scale N]
//
// Every case is a whole process with its start and end. The rows of a group are run in alternating order (A B C A B
// C …), and ratios are taken round by round, so that a machine that has other things to do disturbs all rows alike.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	quick       bool
	rounds      int
	pattern     string
	out, charts string
	scale       int
}

func run(ctx context.Context) error {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "a tenth of the messages and two rounds: under two minutes")
	flag.IntVar(&o.rounds, "rounds", 0, "so many `ROUNDS` (default 5, quick 2; those of one-shot programs 15)")
	flag.StringVar(&o.pattern, "case", "", "only groups whose names match `REGEXP`")
	flag.StringVar(&o.out, "out", "", "write the results to `FILE` (default bench/results/DATE.json, quick DATE-quick.json)")
	flag.StringVar(&o.charts, "charts", "", "draw a chart for each group in `FOLDER`")
	flag.IntVar(&o.scale, "scale", 6, "the scaling case goes up to 10^`N` lines, quick to 10^(N-1)")
	flag.Parse()
	wanted, err := regexp.Compile(o.pattern)
	if err != nil {
		return err
	}
	l := &lab{quick: o.quick}
	defer l.tearDown()
	if err := l.setUp(ctx); err != nil {
		return err
	}
	r := &report{Date: time.Now().Truncate(time.Second), Quick: o.quick, Machine: l.machine()}
	r.Machine.print(os.Stdout)
	if o.out == "" {
		o.out = filepath.Join(l.module, "bench", "results", r.Date.Format(time.DateOnly))
		if o.quick {
			o.out += "-quick"
		}
		o.out += ".json"
	}
	return l.measureAll(ctx, &o, wanted, r)
}

func (l *lab) measureAll(ctx context.Context, o *options, wanted *regexp.Regexp, r *report) error {
	for _, g := range l.groups(o.scale) {
		if !wanted.MatchString(g.Name) {
			continue
		}
		g.rounds = l.rounds(g.rounds, o.rounds)
		if err := g.measure(ctx); err != nil {
			return err
		}
		if err := r.add(g, o.out, o.charts); err != nil {
			return err
		}
	}
	fmt.Println("\nTargets")
	for _, t := range r.Targets {
		fmt.Println(t)
	}
	return nil
}

// rounds is how many rounds a group gets that has its own idea of it or, with 0, none.
func (l *lab) rounds(own, asked int) int {
	switch {
	case asked > 0:
		return asked
	case l.quick:
		return 2
	case own > 0:
		return own
	}
	return 5
}

// groups are all cases.
func (l *lab) groups(scale int) []*group {
	n, large := l.scaled(200_000), l.scaled(4000)
	if l.quick {
		scale--
	}
	title := func(n int, text string) string { return number(float64(n)) + " " + text }
	calls, deliveries, tasks := l.scaled(20_000), l.scaled(100_000), l.scaled(160)
	all := []*group{
		l.sendOnce("once-send", "Sending one message"),
		l.receiveOnce("once-receive", "Receiving one message"),
		l.callOnce("once-call", "One remote procedure call"),
		l.publishing("publish-100", title(n, "persistent messages of 100 bytes to a durable queue"), n, 100, false),
		l.publishing("publish-1k", title(n, "persistent messages of 1 KiB to a durable queue"), n, 1024, true),
		l.publishing("publish-64k", title(large, "persistent messages of 64 KiB to a durable queue"), large, 64<<10, false),
		l.ceilings("null-100", title(n, "messages of 100 bytes to a broker that discards them"), n, 100),
		l.draining("drain", title(n, "messages of 100 bytes from a queue to a file"), n),
		l.slow("slow-reader", title(n, "messages, and a reader that takes its time"), n),
		l.calls("rpc", title(calls, "remote procedure calls (a quarter if one at a time)"), calls),
		l.fanOut("fan-out", title(deliveries, "deliveries to several queues"), deliveries),
		l.scaling("scaling", "Lines of 100 bytes through send and receive at once", scale),
		l.workQueue("work-queue", title(tasks, "tasks of "+taskTime.String()), tasks),
	}
	for _, g := range all {
		switch g.Name {
		case "rpc", "fan-out", "work-queue":
			g.rounds = 3
		case "scaling":
			g.rounds = 1
		}
	}
	return all
}

// add prints a group, draws its chart and saves all results so far: a run that is interrupted was not in vain.
func (r *report) add(g *group, out, charts string) error {
	r.Groups = append(r.Groups, g)
	r.Targets = judge(r.Groups)
	if err := g.print(os.Stdout); err != nil {
		return err
	}
	if err := r.save(out); err != nil || charts == "" {
		return err
	}
	return g.chart(charts)
}
