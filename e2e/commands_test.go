package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for an event before it fails.
const patience = 20 * time.Second

// commands are what the scripts know besides testscript's own:
//
//	exits STATUS PROGRAM [ARG...]  run a program to its end; it must exit with this status
//	start NAME PROGRAM [ARG...]    run it in the background, its output going to NAME.out and NAME.err
//	until FILE TEXT                wait until the file contains the text
//	signal NAME INT|TERM|KILL      send a signal to a program in the background
//	ended NAME STATUS              wait until it has ended; it must have exited with this status (a signal: -1)
//	lines FILE N                   the file has so many lines
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"exits":  cmdExits,
	"start":  cmdStart,
	"until":  cmdUntil,
	"signal": cmdSignal,
	"ended":  cmdEnded,
	"lines":  cmdLines,
}

type key string

const background key = "background"

// process is a program in the background.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if want := number(ts, args[0]); status != want {
		ts.Fatalf("exit status %d, not %d", status, want)
	}
}

func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM [ARG...]")
	}
	program := args[1]
	if !strings.Contains(program, "/") {
		program = filepath.Join(bin, program)
	}
	cmd := exec.Command(program, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "GORACE", "AMQP_URL", "AMQP_USER", "AMQP_PASSWORD", "AMQP_VHOST",
		"AMQP_CACERT", "AMQP_CERT", "AMQP_KEY", "AMQP_SERVER_NAME",
	} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	out, err := os.Create(ts.MkAbs(args[0] + ".out"))
	ts.Check(err)
	defer out.Close()
	errs, err := os.Create(ts.MkAbs(args[0] + ".err"))
	ts.Check(err)
	defer errs.Close()
	cmd.Stdout, cmd.Stderr = out, errs
	ts.Check(cmd.Start())
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		cmd.Wait() // its result is in cmd.ProcessState
		close(p.ended)
	}()
	ts.Value(background).(map[string]*process)[args[0]] = p
}

func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: until FILE TEXT")
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		content, err := os.ReadFile(ts.MkAbs(args[0]))
		switch {
		case err == nil && strings.Contains(string(content), args[1]):
			return
		case time.Now().After(end):
			ts.Fatalf("%s does not contain %q, but:\n%s", args[0], args[1], content)
		}
	}
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signal NAME INT|TERM|KILL")
	}
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	signal, ok := signals[args[1]]
	if !ok {
		ts.Fatalf("unknown signal %s", args[1])
	}
	ts.Check(find(ts, args[0]).cmd.Process.Signal(signal))
}

func cmdEnded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ended NAME STATUS")
	}
	p := find(ts, args[0])
	select {
	case <-p.ended:
	case <-time.After(patience):
		ts.Fatalf("%s is still running", args[0])
	}
	if status, want := p.cmd.ProcessState.ExitCode(), number(ts, args[1]); status != want {
		ts.Fatalf("%s ended with status %d, not %d:\n%s", args[0], status, want, ts.ReadFile(args[0]+".err"))
	}
}

func cmdLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines FILE N")
	}
	if n := strings.Count(ts.ReadFile(args[0]), "\n"); n != number(ts, args[1]) {
		ts.Fatalf("%s has %d lines, not %s", args[0], n, args[1])
	}
}

func find(ts *testscript.TestScript, name string) *process {
	p := ts.Value(background).(map[string]*process)[name]
	if p == nil {
		ts.Fatalf("nothing was started as %s", name)
	}
	return p
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

// killAll ends what a script has left behind.
func killAll(processes map[string]*process) {
	for _, p := range processes {
		p.cmd.Process.Kill()
		<-p.ended
	}
}
