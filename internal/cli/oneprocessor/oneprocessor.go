// Package oneprocessor lets a program use one processor, unless the environment variable GOMAXPROCS says otherwise. Package
// cli imports it, and says why (Program.Run); nobody else does.
//
// It is the one package here with an init function, and needs no other that has anything to initialise, so that it comes
// first when a program starts, before there are threads and caches for a second processor to give up again. The same call at
// the beginning of Program.Run costs 50 page faults more, which makes a send of one message 3 to 9 % slower.
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
