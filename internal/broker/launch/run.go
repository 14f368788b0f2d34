package main

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// grace is the time for a command to end by itself after a signal.
const grace = 10 * time.Second

// run runs a command with a broker.
func run(o options, command []string) int {
	signals := listenToSignals()
	if urls := os.Getenv("AMQP_URL"); urls != "" {
		url, ok := answering(urls)
		switch {
		case ok && o.fresh == nil:
			say("using the broker at %s", withoutPassword(url))
			return execute(command, os.Environ(), o.limit, nil, signals)
		case ok:
			return runApart(o, url, command, signals)
		}
		say("nothing answers at %s (AMQP_URL)", withoutPassword(url))
	}
	if o.port == 0 {
		o.port = -1 // any that is free
	}
	b, status := launched(o, signals)
	if b == nil {
		return status
	}
	defer func() { stop(b, signals) }()
	forget, err := b.register()
	if err != nil {
		say("scripts/broker ctl will not know this broker: %v", err)
	}
	defer forget()
	return execute(command, append(withoutSettings(os.Environ()), "AMQP_URL="+b.url), o.limit, b.ended, signals)
}

// withoutSettings leaves out what would lead a program away from the broker at AMQP_URL.
func withoutSettings(environment []string) []string {
	return without(environment, "AMQP_URL", "AMQP_USER", "AMQP_PASSWORD", "AMQP_VHOST",
		"AMQP_CACERT", "AMQP_CERT", "AMQP_KEY", "AMQP_SERVER_NAME")
}

func without(environment []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(environment), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(names, name)
	})
}

// execute runs a command to its end and returns its exit status. A signal is passed on; if the command does not end in
// spite of that, or at a second signal, it is killed with all that it has started, and so it is after the limit.
func execute(command, environment []string, limit time.Duration, brokerEnded <-chan struct{}, signals <-chan os.Signal) int {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = environment
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		say("run: %v", err)
		return 127
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var timeUp, graceUp <-chan time.Time
	if limit > 0 {
		timeUp = time.After(limit)
	}
	for {
		select {
		case err := <-ended:
			return exitStatus(err)
		case s := <-signals:
			if graceUp != nil {
				end(cmd.Process.Pid, ended, 0)
				return status(s)
			}
			graceUp = time.After(grace)
			if s != os.Interrupt || !inForeground() {
				_ = cmd.Process.Signal(s)
			}
		case <-graceUp:
			say("run: %s did not end: killing it", command[0])
			end(cmd.Process.Pid, ended, 0)
			return 128 + int(syscall.SIGKILL)
		case <-timeUp:
			say("run: %s has not ended in %v: stopping it", command[0], limit)
			end(cmd.Process.Pid, ended, grace/2)
			return timedOut
		case <-brokerEnded:
			say("the broker has ended by itself")
			brokerEnded = nil
		}
	}
}

// inForeground tells whether the terminal sends its Ctrl-C to this process and its command alike.
func inForeground() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == syscall.Getpgrp()
}

// end asks a command and all that it has started to end, and kills what is still there after patience.
func end(pid int, ended <-chan error, patience time.Duration) {
	all := tree(pid)
	if patience > 0 {
		signalAll(all, syscall.SIGTERM)
		deadline := time.Now().Add(patience)
		for alive(all) && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
		all = append(all, tree(pid)...)
	}
	signalAll(all, syscall.SIGKILL)
	<-ended
}

func signalAll(pids []int, s syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, s)
	}
}

func alive(pids []int) bool {
	return slices.ContainsFunc(pids, func(pid int) bool { return syscall.Kill(pid, 0) == nil })
}

// tree is a process with its children, their children, and so on.
func tree(pid int) []int {
	table, _ := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	children := map[int][]int{}
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) == 2 {
			child, _ := strconv.Atoi(fields[0])
			parent, _ := strconv.Atoi(fields[1])
			children[parent] = append(children[parent], child)
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

func exitStatus(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		say("run: %v", err)
		return failed
	}
	if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return 128 + int(s.Signal())
	}
	return exit.ExitCode()
}
