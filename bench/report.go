package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what a run has found out.
type report struct {
	Date    time.Time `json:"date"`
	Quick   bool      `json:"quick"`
	Machine machine   `json:"machine"`
	Groups  []*group  `json:"groups"`
	Targets []target  `json:"targets"`
	Took    float64   `json:"took_s"` // so far, without building the programs

	began time.Time
}

func (m machine) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %d cores; %s; %s; %s on %s\n", m.CPU, m.Cores, m.System, m.Go, m.Broker, m.Erlang)
	var peers []string
	for name, version := range m.Peers {
		peers = append(peers, name+" "+version)
	}
	slices.Sort(peers)
	fmt.Fprintf(w, "beside %s\n", strings.Join(peers, ", "))
	if len(m.Absent) > 0 {
		fmt.Fprintf(w, "left out, not installed (make bench-peers): %s\n", strings.Join(m.Absent, ", "))
	}
}

// end writes which targets are met, and how long it all took.
func (r *report) end(w io.Writer) {
	fmt.Fprintln(w, "\nTargets")
	for _, t := range r.Targets {
		fmt.Fprintln(w, t)
	}
	fmt.Fprintf(w, "Measured in %s.\n", time.Since(r.began).Round(time.Second))
}

// print writes the group's table: medians, and ratios to the base row with their spread.
func (g *group) print(w io.Writer) error {
	fmt.Fprintf(w, "\n%s (%s)\n", g.Title, g.Name)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "messages\twall s\ta second\tµs each\tCPU µs each\tbroker µs each\tpeak MiB\tratio\tspread\t \n")
	for _, r := range g.Rows {
		if r.Failed != "" {
			fmt.Fprintf(t, "failed\t\t\t\t\t\t\t\t\t %s\n", r.Name)
			continue
		}
		messages := r.values(metric{of: func(s sample) float64 { return float64(s.Messages) }})
		seconds := r.values(metric{of: func(s sample) float64 { return s.Wall }})
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t", whole(int(messages.median())), number(seconds.median()),
			number(r.values(rate).median()), number(r.values(wall).median()),
			r.bothEnds(cpu, others), number(r.values(brokers).median()), r.bothEnds(ownPeak, otherPeak))
		if base := g.row(g.Base); base != nil && len(ratios(r, base, wall)) > 0 {
			s := ratios(r, base, wall)
			fmt.Fprintf(t, "%.2f\t%.2f-%.2f\t", s.median(), s.low(), s.high())
		} else {
			fmt.Fprint(t, "\t\t")
		}
		fmt.Fprintf(t, " %s%s\n", r.Name, r.latency())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "ratio: wall time a message, that of %q = 1\n", g.Base)
	return err
}

// bothEnds is what the client takes, and where there are consumers besides, what these do.
func (r *row) bothEnds(client, consumers metric) string {
	text := number(r.values(client).median())
	if m := r.values(consumers).median(); m > 0 {
		text += "+" + number(m)
	}
	return text
}

func (r *row) latency() string {
	p50 := r.values(metric{of: func(s sample) float64 { return s.P50 }}).median()
	p99 := r.values(metric{of: func(s sample) float64 { return s.P99 }}).median()
	if !(p50 > 0) {
		return ""
	}
	return fmt.Sprintf(" (p50 %.2f ms, p99 %.2f ms)", p50, p99)
}

// number writes three significant digits.
func number(f float64) string {
	switch digits := 2 - int(math.Floor(math.Log10(math.Abs(f)))); {
	case f == 0 || math.IsNaN(f):
		return "-"
	case digits > 0:
		return fmt.Sprintf("%.*f", min(digits, 4), f)
	default:
		return whole(int(math.Round(f)))
	}
}

// whole writes all digits.
func whole(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// save writes the report as JSON.
func (r *report) save(name string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, append(text, '\n'), 0o644)
}
