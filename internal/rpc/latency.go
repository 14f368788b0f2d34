package rpc

import (
	"slices"
	"time"
)

// latencies collects how long each call took.
type latencies []time.Duration

func (l *latencies) add(d time.Duration) { *l = append(*l, d) }

// percentile returns the latency that p of 100 calls did not exceed.
func (l latencies) percentile(p int) time.Duration {
	sorted := slices.Sorted(slices.Values(l))
	return sorted[(len(sorted)-1)*p/100].Round(10 * time.Microsecond)
}
