package broker

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// keeper runs a command and is the leader of its process group. Its standard input is a pipe whose other end only
// this process holds: at end of file, that is when this process is gone for whatever reason, it kills the group. It ends
// with the command, too.
//
// The helpers that Erlang starts (erl_child_setup and its children) are in sessions of their own; they end with Erlang.
const keeper = `
("$@"; kill -KILL 0) </dev/null &
read -r _
kill -KILL 0
`

// process is one run of a command that does not outlive this process.
type process struct {
	group int           // process group, led by the keeper
	hold  *os.File      // the pipe that the keeper reads from
	alive *os.File      // a pipe that the whole group could write to: at end of file none of it is left
	ended chan struct{} // closed when the keeper has ended
}

// spawn starts a command in this environment, its output added to the file log. What it starts in turn inherits the
// open files as well.
func spawn(environment []string, log string, files []*os.File, command ...string) (*process, error) {
	output, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	stdin, hold, err := os.Pipe() // closed on exec: no other child of this process holds the pipe open
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	alive, life, err := os.Pipe()
	if err != nil {
		_ = hold.Close()
		return nil, err
	}
	defer life.Close()
	cmd := exec.Command("/bin/sh", append([]string{"-c", keeper, "keeper"}, command...)...)
	cmd.Env = environment
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, output, output
	cmd.ExtraFiles = append([]*os.File{life}, files...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		_, _ = hold.Close(), alive.Close()
		return nil, err
	}
	p := &process{group: cmd.Process.Pid, hold: hold, alive: alive, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// kill ends the whole group and waits until it is gone.
func (p *process) kill() error {
	err := syscall.Kill(-p.group, syscall.SIGKILL)
	_ = p.hold.Close()
	<-p.ended
	// The others were children of the keeper: whoever adopts them may be slow to notice that they are dead, so that the
	// process group would still be there for a while.
	_ = p.alive.SetReadDeadline(time.Now().Add(stopTimeout))
	_, _ = p.alive.Read(make([]byte, 1))
	_ = p.alive.Close()
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// janitor removes a folder as soon as its standard input is at end of file.
const janitor = `
read -r _
rm -rf "$1"
`

// removeAtTheEnd has dir removed when this process is gone, for whatever reason, and so are all others that hold the
// returned file open.
func removeAtTheEnd(dir string) (hold *os.File, err error) {
	stdin, hold, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	cmd := exec.Command("/bin/sh", "-c", janitor, "janitor", dir)
	cmd.Stdin = stdin
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // out of reach of the terminal's Ctrl-C
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, hold.Close())
	}
	return hold, nil
}
