package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
)

// kind says what a row stands for.
type kind string

const (
	ours  kind = "ours"
	peer  kind = "peer"
	bound kind = "limit" // what is physically possible
)

// row is one way to do what a group is about.
type row struct {
	Name    string    `json:"name"`
	Kind    kind      `json:"kind"`
	Samples []*sample `json:"samples"` // by round; nil where the row was left out
	Failed  string    `json:"failed,omitempty"`

	first bool // only in the first round: it takes too long for more
	run   func(context.Context) (sample, error)
}

// group is a comparison.
type group struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Base   string `json:"base"` // the row that the others are compared with
	Rows   []*row `json:"rows"`
	rounds int
	warm   bool   // a first round doesn't count, because the broker loads its code with the first use
	metric metric // what the chart shows
	second metric // what it says besides, if anything
}

// metric takes a number out of a sample.
type metric struct {
	label string
	of    func(sample) float64
}

func perMessage(total func(sample) float64) func(sample) float64 {
	return func(s sample) float64 { return 1e6 * total(s) / float64(s.Messages) }
}

var (
	wall    = metric{"wall µs a message", perMessage(func(s sample) float64 { return s.Wall })}
	cpu     = metric{"client CPU µs a message", perMessage(func(s sample) float64 { return s.CPU })}
	others  = metric{"consumers' CPU µs a message", perMessage(func(s sample) float64 { return s.OtherCPU })}
	brokers = metric{"broker CPU µs a message", perMessage(func(s sample) float64 { return s.Broker })}
	rate    = metric{"messages a second", func(s sample) float64 { return float64(s.Messages) / s.Wall }}
	millis  = metric{"milliseconds, start to end of the process", func(s sample) float64 { return 1000 * s.Wall }}

	ownPeak   = metric{"MiB", func(s sample) float64 { return s.RSS }}
	otherPeak = metric{"MiB", func(s sample) float64 { return s.OtherRSS }}
	memory    = metric{"peak resident memory, MiB", func(s sample) float64 { return max(s.RSS, s.OtherRSS) }}
)

// measure runs the group's rows in alternating order, so that whatever else changes in the course of a run changes
// for all of them. Every other round goes backwards: what a row leaves behind in the broker, a large heap for example,
// makes a few percent of difference for the next one, and is not to be met by the same one each time.
func (g *group) measure(ctx context.Context) error {
	if g.row(g.Base) == nil { // not installed
		g.Base = g.Rows[0].Name
	}
	if g.warm {
		for _, r := range g.Rows {
			_, _ = r.run(ctx) // an error comes again
		}
	}
	for round := range g.rounds {
		fmt.Fprintf(os.Stderr, "%s: round %d of %d\n", g.Name, round+1, g.rounds)
		rows := slices.Clone(g.Rows)
		if round%2 == 1 {
			slices.Reverse(rows)
		}
		for _, r := range rows {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.Samples = append(r.Samples, nil)
			if r.Failed != "" || r.first && round > 0 {
				continue
			}
			s, err := r.run(ctx)
			if err != nil {
				r.Failed, _, _ = strings.Cut(err.Error(), "\n") // a traceback is for the terminal
				fmt.Fprintf(os.Stderr, "%s: %s: %s\n", g.Name, r.Name, err)
				continue
			}
			s.Each = 1e6 * s.Wall / float64(s.Messages)
			r.Samples[round] = &s
		}
	}
	return nil
}

func (g *group) row(name string) *row {
	for _, r := range g.Rows {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// values are a row's numbers, one for each of its rounds.
func (r *row) values(m metric) stats {
	var s stats
	for _, sample := range r.Samples {
		if sample != nil {
			s = append(s, m.of(*sample))
		}
	}
	slices.Sort(s)
	return s
}

// ratios compares two rows round by round.
func ratios(r, base *row, m metric) stats {
	var s stats
	for i := range r.Samples {
		if i < len(base.Samples) && r.Samples[i] != nil && base.Samples[i] != nil {
			s = append(s, m.of(*r.Samples[i])/m.of(*base.Samples[i]))
		}
	}
	slices.Sort(s)
	return s
}

// stats are sorted numbers.
type stats []float64

func (s stats) median() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func (s stats) low() float64 { return s[0] }

func (s stats) high() float64 { return s[len(s)-1] }
