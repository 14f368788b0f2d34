//go:build unix

package show

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// watchPipe waits for the error condition of a pipe that nobody reads from any more, which poll reports unasked.
func watchPipe(f *os.File, closed chan<- struct{}) {
	for {
		pipe := []unix.PollFd{{Fd: int32(f.Fd())}}
		_, err := unix.Poll(pipe, -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err == nil && pipe[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
			close(closed)
		}
		return
	}
}

// unread says that a write has failed because nobody reads the pipe any more.
func unread(err error) bool { return errors.Is(err, syscall.EPIPE) }

// closedAtStart says whether a program was started without standard output (receive >&-). Go's runtime then opens
// /dev/null in its place, for reading and writing, where a shell that throws the output away opens it for writing only.
// To write there would be to acknowledge what nobody has seen.
func closedAtStart(f *os.File) bool {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_ACCMODE != unix.O_RDWR || f != os.Stdout {
		return false
	}
	null, err := os.Stat(os.DevNull)
	if err != nil {
		return false
	}
	info, err := f.Stat()
	return err == nil && os.SameFile(null, info)
}
