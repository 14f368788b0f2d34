package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
)

// The exit statuses of the ten programs.
const (
	OK          = 0 // done
	Failed      = 1 // failed after connecting
	WrongUsage  = 2 // nothing was sent
	Unconnected = 3 // could not connect
	Unroutable  = 4 // a message was returned
	TooLate     = 5 // nothing, or too little, came in time
	RPCError    = 6 // the RPC server answered with an error
)

// Error is a failure as the user sees it: one line that says what failed and why, perhaps one with a hint, and the
// exit status. The program's name is put before it by Program.Run.
type Error struct {
	Status int
	What   string // what failed: "connecting to localhost:5672"
	Why    string // the cause, in the broker's own words where it gave any
	Hint   string // what to do about it, where the cause is known
}

func (e *Error) Error() string {
	if e.Why == "" {
		return e.What
	}
	return e.What + ": " + e.Why
}

// Usage is the Error for a wrong command line: what is wrong with it, and what would be right.
func Usage(hint, format string, args ...any) *Error {
	return &Error{Status: WrongUsage, What: fmt.Sprintf(format, args...), Hint: hint}
}

// Cause is what the system says of an error, without the names of calls, files and addresses around it that Go adds:
// "no such file or directory".
func Cause(err error) string {
	var (
		path *fs.PathError
		call *os.SyscallError
		op   *net.OpError
	)
	for {
		switch {
		case errors.As(err, &path):
			err, path = path.Err, nil
		case errors.As(err, &op):
			err, op = op.Err, nil
		case errors.As(err, &call):
			err, call = call.Err, nil
		default:
			return err.Error()
		}
	}
}
