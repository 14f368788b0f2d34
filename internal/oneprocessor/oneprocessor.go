// Package oneprocessor lets a program that imports it use one processor, unless the environment variable GOMAXPROCS says
// otherwise. Nine of the ten do: passing messages on is one goroutine's work, with a little beside it in others. On
// several processors Go's runtime hands that little back and forth between threads, once for each message, which costs
// half as much again as the work itself and is not faster. Only rpc_server computes.
//
// A package of its own, which needs no other that has anything to initialise, comes first when a program starts, before
// there are threads and caches for a second processor to give up again.
package oneprocessor

import (
	"runtime"
	"syscall"
)

func init() {
	if value, _ := syscall.Getenv("GOMAXPROCS"); value == "" {
		runtime.GOMAXPROCS(1)
	}
}
