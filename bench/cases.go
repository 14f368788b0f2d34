package main

import "fmt"

// plan is a case to measure.
type plan struct {
	name        string
	full, quick int // rounds
	group       func() *group
}

// cases are all that there are. Their groups can be made when the brokers run.
func (l *lab) cases(scale int) []plan {
	n, n64k := l.scaled(200_000), l.scaled(4000)
	calls, deliveries, tasks, backlog := l.scaled(10_000), l.scaled(30_000), 80, l.scaled(2_000_000)
	if l.quick {
		scale = max(scale-2, smallestScale)
		tasks, backlog = 16, backlog/2
		deliveries = 10_000 // a thousand queues are to get more than a few each
	}
	title := func(n int, text string) string { return whole(n) + " " + text }
	persistent := func(n, size int, text string) func() *group {
		return func() *group {
			return l.publishing(title(n, "persistent messages of "+text+" to a durable queue"), n, size)
		}
	}
	return []plan{
		{"once-send", 50, 2, func() *group { return l.sendOnce("Sending one message") }},
		{"once-receive", 50, 2, func() *group { return l.receiveOnce("Receiving one message") }},
		{"once-call", 50, 2, func() *group { return l.callOnce("One remote procedure call") }},
		{"publish-100", 5, 2, persistent(n, 100, "100 bytes")},
		{"publish-1k", 5, 2, persistent(n, 1024, "1 KiB")},
		{"publish-64k", 5, 2, persistent(n64k, 64<<10, "64 KiB")},
		{"null-100", 5, 2, func() *group {
			return l.ceilings(title(n, "messages of 100 bytes to a broker that discards them"), n, 100)
		}},
		{"drain", 5, 2, func() *group { return l.draining(title(n, "messages of 100 bytes from a queue to a file"), n) }},
		{"rpc", 5, 1, func() *group { return l.calls(title(calls, "remote procedure calls"), calls) }},
		{"fan-out", 5, 1, func() *group { return l.fanOut(title(deliveries, "deliveries to several queues"), deliveries) }},
		{"slow-reader", 5, 1, func() *group {
			return l.slow(title(backlog, "messages in a queue, and a reader that takes 1,000 lines a second"), backlog)
		}},
		{"scaling", 5, 2, func() *group {
			return l.scaling(fmt.Sprintf("10^%d to 10^%d lines of 100 bytes through send and receive at once", smallestScale, scale), scale)
		}},
		{"work-queue", 5, 1, func() *group { return l.workQueue(title(tasks, "tasks of "+taskTime.String()), tasks) }},
	}
}
