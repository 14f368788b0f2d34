package main

import (
	"fmt"
	"math"
)

// target is what a row has to reach.
type target struct {
	Text   string  `json:"target"`
	Result float64 `json:"result"` // a ratio, or MiB
	Met    bool    `json:"met"`

	group, row, base string // without a base the median itself counts
	metric           metric
	titled           bool // the group's title says how much has been measured
	bound            float64
	least            bool // the result must be at least the bound; else at most
}

// targets are those of the publishers (issue 3), the consumers (4) and the benchmark itself (5).
func targets() []target {
	const none, async = "send --confirm none", "send --confirm async"
	all := []target{}
	for _, g := range []string{"publish-100", "publish-1k"} {
		all = append(all,
			target{Text: "publishers, " + g + ": unconfirmed send, wall time of amqp-publish -l", group: g, row: none, base: amqpPublish, metric: wall, bound: 1},
			target{Text: "publishers, " + g + ": unconfirmed send, CPU time of amqp-publish -l", group: g, row: none, base: amqpPublish, metric: cpu, bound: 1},
			target{Text: "publishers, " + g + ": confirmed send, wall time of confirmed raw frames", group: g, row: async, base: rawConfirmed, metric: wall, bound: 1.05},
			target{Text: "publishers, " + g + ": the same beside frames with the properties that send gives its messages", group: g, row: async, base: rawAsSend, metric: wall, bound: 1.05},
		)
	}
	return append(all,
		target{Text: "publishers, null broker: unconfirmed send, messages a second of amqp-publish -l", group: "null-100", row: none, base: amqpPublish, metric: rate, bound: 3, least: true},
		target{Text: "publishers, null broker: confirmed send, messages a second of amqp-publish -l", group: "null-100", row: async, base: amqpPublish, metric: rate, bound: 3, least: true},
		target{Text: "publishers, scaling (issue: up to 10^7 lines): MiB at most, send and receive", group: "scaling", row: "", metric: memory, bound: 40, titled: true},
		target{Text: "consumers: receive, wall time of the plain library loop", group: "drain", row: receiveText, base: libraryLoop, metric: wall, bound: 1.1},
		target{Text: "consumers: amqp-consume cat, wall time of receive", group: "drain", row: amqpConsume, base: receiveText, metric: wall, bound: 50, least: true},
		target{Text: "consumers, slow reader (issue: a queue of 2,000,000): MiB", group: "slow-reader", row: slowReader, metric: memory, bound: 40, titled: true},
		target{Text: "one-shot: confirmed send, wall time of amqp-publish (unconfirmed)", group: "once-send", row: sendOnce, base: cSend, metric: wall, bound: 1.2},
		target{Text: "one-shot: confirmed send, wall time of the official send.go as go build makes it", group: "once-send", row: sendOnce, base: goSend, metric: wall, bound: 1},
		target{Text: "one-shot: confirmed send, CPU time of the official send.go as go build makes it", group: "once-send", row: sendOnce, base: goSend, metric: cpu, bound: 1},
	)
}

// judge fills in the results of those targets whose rows have been measured.
func judge(groups []*group) (judged []target) {
	for _, t := range targets() {
		t.Result = math.NaN()
		for _, g := range groups {
			if g.Name == t.group {
				t.Result = t.result(g)
				if t.titled {
					t.Text += "; measured: " + g.Title
				}
			}
		}
		if math.IsNaN(t.Result) {
			continue
		}
		t.Met = t.Result <= t.bound
		if t.least {
			t.Met = t.Result >= t.bound
		}
		judged = append(judged, t)
	}
	return judged
}

func (t *target) result(g *group) float64 {
	if t.row == "" { // the worst of all
		worst := math.NaN()
		for _, r := range g.Rows {
			if m := r.values(t.metric).median(); !(m <= worst) {
				worst = m
			}
		}
		return worst
	}
	r := g.row(t.row)
	if r == nil {
		return math.NaN()
	}
	if t.base == "" {
		return r.values(t.metric).median()
	}
	base := g.row(t.base)
	if base == nil {
		return math.NaN()
	}
	return ratios(r, base, t.metric).median()
}

func (t target) String() string {
	verdict, sign := "not met", "≤"
	if t.Met {
		verdict = "met"
	}
	if t.least {
		sign = "≥"
	}
	return fmt.Sprintf("%-8s %6.2f (%s %g)  %s", verdict, t.Result, sign, t.bound, t.Text)
}
