// Bench measures the programs beside what people would use instead, and beside what is physically possible, on one
// private RabbitMQ node on this machine.
//
//	go run ./bench [-quick] [-rounds N] [-case REGEXP] [-out FILE] [-charts DIR] [-scale N]
//
// Every case is a whole process with its start and end. The rows of a group are run in alternating order, every other
// round backwards (A B C, C B A, A B C …), and ratios are taken round by round, so that a machine that has other things
// to do disturbs all rows alike.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
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

const smallestScale, largestScale = 3, 8

func run(ctx context.Context) error {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "a tenth of the messages or fewer, and fewer rounds: under two minutes")
	flag.IntVar(&o.rounds, "rounds", 0, "so many `ROUNDS` (default 5, those of one-shot programs 50; quick 2, or 1 where no target depends on them)")
	flag.StringVar(&o.pattern, "case", "", "only groups whose names match `REGEXP`")
	flag.StringVar(&o.out, "out", "", "write the results to `FILE` (default bench/results/DATE.json, quick DATE-quick.json)")
	flag.StringVar(&o.charts, "charts", "", "draw a chart for each group in `FOLDER`")
	flag.IntVar(&o.scale, "scale", 6, "the scaling case goes up to 10^`N` lines, quick to 10^(N-2)")
	flag.Parse()
	l := &lab{quick: o.quick}
	cases, err := o.choose(l)
	if err != nil {
		return err
	}
	defer l.tearDown()
	if err := l.setUp(ctx); err != nil {
		return err
	}
	began := time.Now()
	r := &report{Date: began.Truncate(time.Second), began: began, Quick: o.quick, Machine: l.machine()}
	r.Machine.print(os.Stdout)
	if o.out == "" {
		o.out = filepath.Join(l.module, "bench", "results", o.fileName(r.Date))
	}
	for _, c := range cases {
		g := c.group()
		g.Name, g.rounds = c.name, o.roundsOf(c)
		if err := g.measure(ctx); err != nil {
			return err
		}
		if err := r.add(g, o.out, o.charts); err != nil {
			return err
		}
	}
	r.end(os.Stdout)
	return nil
}

// fileName is where the results of a day go.
func (o *options) fileName(date time.Time) string {
	if o.quick {
		return date.Format(time.DateOnly) + "-quick.json"
	}
	return date.Format(time.DateOnly) + ".json"
}

// choose checks the flags and returns the cases that are wanted.
func (o *options) choose(l *lab) (chosen []plan, err error) {
	if flag.NArg() > 0 {
		return nil, fmt.Errorf("superfluous argument %q", flag.Arg(0))
	}
	if o.rounds < 0 {
		return nil, fmt.Errorf("-rounds %d: must not be negative", o.rounds)
	}
	if o.scale < smallestScale || o.scale > largestScale {
		return nil, fmt.Errorf("-scale %d: must be %d to %d", o.scale, smallestScale, largestScale)
	}
	wanted, err := regexp.Compile(o.pattern)
	if err != nil {
		return nil, fmt.Errorf("-case: %w", err)
	}
	var names []string
	for _, c := range l.cases(o.scale) {
		names = append(names, c.name)
		if wanted.MatchString(c.name) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-case %s: matches none of %s", o.pattern, strings.Join(names, ", "))
	}
	if o.charts != "" {
		err = os.MkdirAll(o.charts, 0o755)
	}
	return chosen, err
}

// roundsOf is how many rounds a case gets.
func (o *options) roundsOf(c plan) int {
	switch {
	case o.rounds > 0:
		return o.rounds
	case o.quick:
		return c.quick
	}
	return c.full
}

// add prints a group, draws its chart and saves all results so far: a run that is interrupted was not in vain.
func (r *report) add(g *group, out, charts string) error {
	r.Groups = append(r.Groups, g)
	r.Targets = judge(r.Groups)
	r.Took = time.Since(r.began).Seconds()
	if err := g.print(os.Stdout); err != nil {
		return err
	}
	if err := r.save(out); err != nil || charts == "" {
		return err
	}
	return g.chart(charts)
}
