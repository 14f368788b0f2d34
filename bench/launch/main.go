// Launch runs a command and reports what it cost on file descriptor 3, in one line: wall time and CPU time in
// nanoseconds, peak resident memory in KiB, exit status.
//
// It exists because Linux counts the memory of a process from its fork on, when it still is its parent: the
// benchmark itself is larger than most of what it measures, this program is not.
package main

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

func main() {
	path, err := exec.LookPath(os.Args[1])
	if err != nil {
		fail(err)
	}
	began := time.Now()
	p, err := os.StartProcess(path, os.Args[1:], &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		fail(err)
	}
	state, err := p.Wait()
	if err != nil {
		fail(err)
	}
	wall := time.Since(began)
	cpu := state.UserTime() + state.SystemTime()
	line := strconv.FormatInt(int64(wall), 10) + " " + strconv.FormatInt(int64(cpu), 10) + " " +
		strconv.FormatInt(state.SysUsage().(*syscall.Rusage).Maxrss, 10) + " " + strconv.Itoa(state.ExitCode()) + "\n"
	if _, err := os.NewFile(3, "report").WriteString(line); err != nil {
		fail(err)
	}
}

func fail(err error) {
	os.Stderr.WriteString("launch: " + err.Error() + "\n")
	os.Exit(1)
}
