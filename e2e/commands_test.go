package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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
//	fails STATUS PROGRAM [ARG...]  likewise, and besides its banner it must say nothing on stderr but one line
//	                               "PROGRAM: what failed: why" and at most one hint
//	start NAME PROGRAM [ARG...]    run it in the background, its output going to NAME.out and NAME.err
//	until FILE TEXT                wait until the file contains the text
//	signal NAME INT|TERM|HUP|KILL  send a signal to a program in the background
//	ended NAME STATUS              wait until it has ended; it must have exited with this status (a signal: -1)
//	lines FILE N                   the file (or stdout, or stderr) has so many lines
//	vhost NAME                     make a vhost of this plain name
//	api METHOD PATH [BODY]         call the broker's management API; its answer becomes stdout
//	pika                           put into $PYTHON a Python that has pika, the AMQP library of the Python tutorials
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"exits":  cmdExits,
	"fails":  cmdFails,
	"start":  cmdStart,
	"until":  cmdUntil,
	"signal": cmdSignal,
	"ended":  cmdEnded,
	"lines":  cmdLines,
	"vhost":  cmdVhost,
	"api":    cmdAPI,
	"pika":   cmdPika,
}

type key string

const background key = "background"

// process is a program in the background.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM [ARG...]")
	}
	command := args[1:]
	if !slices.ContainsFunc(command, readsInput) {
		// testscript always gives a pipe, which a publisher without a message remarks on.
		command = append([]string{"sh", "-c", `exec "$@" </dev/null`, "sh"}, command...)
	}
	if timeout, err := exec.LookPath("timeout"); err == nil { // of GNU: a program that hangs shows where
		command = append([]string{timeout, "-s", "QUIT", fmt.Sprint(patience.Seconds())}, command...)
	}
	err := ts.Exec(command[0], command[1:]...)
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

// readsInput says whether a program with this argument takes its messages from standard input.
func readsInput(arg string) bool {
	return slices.Contains([]string{"--lines", "-l", "--stdin", "--null", "--json"}, arg)
}

var (
	banner  = regexp.MustCompile(`^ \[[*x]\] (Waiting for (messages|logs)\. To exit press CTRL\+C|Awaiting RPC requests)$`)
	insides = regexp.MustCompile(`goroutine|runtime error|Exception \(|dial tcp|amqp091|<nil>|%!`)
)

func cmdFails(ts *testscript.TestScript, neg bool, args []string) {
	cmdExits(ts, neg, args)
	told := slices.Collect(strings.Lines(ts.ReadFile("stderr")))
	for len(told) > 0 && banner.MatchString(strings.TrimSuffix(told[0], "\n")) {
		told = told[1:]
	}
	switch {
	case len(told) == 0:
		ts.Fatalf("it does not say why")
	case len(told) > 2, len(told) == 2 && !strings.HasPrefix(told[1], "hint: "):
		ts.Fatalf("more than an error and a hint")
	case !strings.HasPrefix(told[0], args[1]+": "), args[0] != "2" && strings.Count(told[0], ": ") < 2:
		ts.Fatalf("its error is not of the form %s: what failed: why", args[1])
	case insides.MatchString(ts.ReadFile("stderr")):
		ts.Fatalf("the program shows its insides")
	case strings.Contains(ts.ReadFile("stderr"), "secret"):
		ts.Fatalf("the program shows a password") // the scripts' passwords all contain that word
	}
}

func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM [ARG...]")
	}
	program := args[1]
	if _, err := os.Stat(filepath.Join(bin, program)); err == nil {
		program = filepath.Join(bin, program)
	}
	cmd := exec.Command(program, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "GORACE", "PYTHONDONTWRITEBYTECODE", "AMQP_URL", "AMQP_USER", "AMQP_PASSWORD", "AMQP_VHOST",
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
	name := strings.TrimSuffix(strings.TrimSuffix(args[0], ".out"), ".err")
	p := ts.Value(background).(map[string]*process)[name]
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		over := time.Now().After(end) || p != nil && p.over()
		content, err := os.ReadFile(ts.MkAbs(args[0]))
		switch {
		case err == nil && strings.Contains(string(content), args[1]):
			return
		case over && p != nil:
			ts.Fatalf("%s does not contain %q, but:\n%s\nand on stderr:\n%s", args[0], args[1], content, ts.ReadFile(name+".err"))
		case over:
			ts.Fatalf("%s does not contain %q, but:\n%s", args[0], args[1], content)
		}
	}
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: signal NAME INT|TERM|HUP|KILL")
	}
	signals := map[string]syscall.Signal{
		"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL,
	}
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

func cmdVhost(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: vhost NAME")
	}
	ts.Check(node.AddVhost(args[0]))
}

func cmdAPI(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: api METHOD PATH [BODY]")
	}
	var body, answer any
	if len(args) == 3 {
		ts.Check(json.Unmarshal([]byte(args[2]), &body))
	}
	if args[0] != http.MethodGet {
		ts.Check(node.API(args[0], args[1], body, nil))
		return
	}
	ts.Check(node.API(args[0], args[1], body, &answer))
	text, err := json.Marshal(answer)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n", text)
}

func cmdPika(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: pika")
	}
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(python, "-c", "import pika").Run() == nil {
			ts.Setenv("PYTHON", python)
			return
		}
	}
	ts.Fatalf("there is no Python with pika: run scripts/install-test-tools")
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
