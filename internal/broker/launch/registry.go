package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// entry tells later calls of this program about a broker that runs. It is a file, locked for as long as the broker's
// launcher lives: what is not locked is left over from one that was killed.
type entry struct {
	Ports       []int    // for AMQP
	Management  string   // the URL of its API, without TLS
	Command     []string // its rabbitmqctl
	Environment []string // for Command; its own if empty
}

// registry is the folder of the entries.
func registry() (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "amqp-tutorials", "brokers"), err
}

// register makes the broker known until forget is called, which may be in any case.
func (b *broker) register() (forget func(), err error) {
	forget = func() {}
	dir, err := registry()
	if err != nil {
		return forget, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return forget, err
	}
	text, err := json.Marshal(b.entry)
	if err != nil {
		return forget, err
	}
	name := filepath.Join(dir, strconv.Itoa(b.entry.Ports[0]))
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return forget, err
	}
	forget = func() { _, _ = os.Remove(name), file.Close() }
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return forget, err
	}
	_, err = file.Write(text)
	return forget, err
}

// registered returns the brokers that run.
func registered() (entries []entry, err error) {
	dir, err := registry()
	if err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range names {
		if e, ok := read(name); ok {
			entries = append(entries, e)
		}
	}
	return entries, err
}

func read(name string) (e entry, ok bool) {
	file, err := os.Open(name)
	if err != nil {
		return e, false
	}
	defer file.Close()
	if syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		_ = os.Remove(name)
		return e, false
	}
	return e, json.NewDecoder(file).Decode(&e) == nil
}

// atPort finds the broker that listens there.
func atPort(port int) (entry, bool) {
	entries, _ := registered()
	i := slices.IndexFunc(entries, func(e entry) bool { return slices.Contains(e.Ports, port) })
	if i < 0 {
		return entry{}, false
	}
	return entries[i], true
}

// ctl becomes the broker's rabbitmqctl.
func ctl(args []string) int {
	e, err := chosen()
	if err != nil {
		say("ctl: %v", err)
		return failed
	}
	command, err := exec.LookPath(e.Command[0])
	if err != nil {
		say("ctl: %v", err)
		return failed
	}
	environment := e.Environment
	if len(environment) == 0 {
		environment = os.Environ()
	}
	err = syscall.Exec(command, append(slices.Clone(e.Command), args...), environment)
	say("ctl: %v", err)
	return failed
}

// chosen is the broker at AMQP_URL, if that was started here, or else the only one.
func chosen() (entry, error) {
	if url := os.Getenv("AMQP_URL"); url != "" {
		if _, port, err := hostPort(url); err == nil {
			if e, ok := atPort(port); ok {
				return e, nil
			}
		}
	}
	entries, err := registered()
	switch {
	case err != nil:
		return entry{}, err
	case len(entries) == 0:
		return entry{}, errors.New("no broker runs that was started by make broker or scripts/broker")
	case len(entries) == 1:
		return entries[0], nil
	}
	var ports []string
	for _, e := range entries {
		ports = append(ports, fmt.Sprint(e.Ports[0]))
	}
	return entry{}, fmt.Errorf("several brokers run, on ports %s: say which with AMQP_URL", ports)
}
