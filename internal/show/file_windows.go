package show

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// watchPipe does nothing: the end of a pipe is seen by the next write.
func watchPipe(*os.File, chan<- struct{}) {}

// The errors of Windows for a pipe that nobody reads from any more: ERROR_BROKEN_PIPE and ERROR_NO_DATA.
const (
	brokenPipe = syscall.Errno(109)
	noData     = syscall.Errno(232)
)

// unread says that a write has failed because nobody reads the pipe any more.
func unread(err error) bool {
	return errors.Is(err, brokenPipe) || errors.Is(err, noData) || errors.Is(err, fs.ErrClosed)
}

// closedAtStart: a program without standard output gets an error from its first write.
func closedAtStart(*os.File) bool { return false }
