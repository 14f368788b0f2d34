package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// machine is what the numbers depend on.
type machine struct {
	CPU    string            `json:"cpu"`
	Cores  int               `json:"cores"`
	System string            `json:"system"`
	Go     string            `json:"go"`
	Broker string            `json:"broker"`
	Erlang string            `json:"erlang"`
	Peers  map[string]string `json:"peers"`
	Absent []string          `json:"absent_peers,omitempty"`
}

func (l *lab) machine() machine {
	m := machine{CPU: "unknown CPU", Cores: runtime.NumCPU(), Go: runtime.Version(), Peers: l.found, Absent: l.absent}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if name := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindSubmatch(info); name != nil {
			m.CPU = string(name[1])
		}
	}
	if release, err := os.ReadFile("/etc/os-release"); err == nil {
		if name := regexp.MustCompile(`PRETTY_NAME="(.*)"`).FindSubmatch(release); name != nil {
			m.System = string(name[1]) + ", "
		}
	}
	m.System += runtime.GOOS + "/" + runtime.GOARCH
	var overview struct {
		RabbitMQ string `json:"rabbitmq_version"`
		Erlang   string `json:"erlang_version"`
	}
	if err := l.node.API("GET", "/overview", nil, &overview); err == nil {
		m.Broker, m.Erlang = "RabbitMQ "+overview.RabbitMQ, "Erlang "+overview.Erlang
	}
	return m
}

// lookForPeers finds out which other clients are installed.
func (l *lab) lookForPeers(ctx context.Context) {
	l.found = map[string]string{"amqp091-go": library()}
	look := func(name string, args ...string) bool {
		out, err := exec.CommandContext(ctx, args[0], args[1:]...).Output()
		if err == nil {
			l.found[name] = strings.TrimSpace(string(out))
		}
		return err == nil
	}
	if _, err := exec.LookPath("amqp-publish"); err == nil && !look("amqp-tools", "dpkg-query", "-W", "-f", "${Version}", "amqp-tools") {
		l.found["amqp-tools"] = "of unknown version"
	}
	if l.found["amqp-tools"] == "" {
		l.absent = append(l.absent, "amqp-tools")
	}
	l.runs = map[string]string{}
	for _, p := range []struct {
		name         string
		interpreters []string // the distribution's libraries are for its own interpreters
		version      []string
	}{
		{pika, []string{"/usr/bin/python3", "python3"}, []string{"-c", "import pika; print(pika.__version__)"}},
		{amqplib, []string{"node"}, []string{"-p", `require("` + l.peer("node_modules/amqplib/package.json") + `").version`}},
		{bunny, []string{"/usr/bin/ruby", "ruby"}, []string{"-e", "require 'bunny'; puts Bunny::VERSION"}},
		{phpAmqplib, []string{"php"}, []string{"-r", "require 'PhpAmqpLib/autoload.php'; echo PhpAmqpLib\\Package::VERSION;"}},
	} {
		for _, interpreter := range p.interpreters {
			if l.runs[p.name] == "" && look(p.name, append([]string{interpreter}, p.version...)...) {
				l.runs[p.name] = interpreter
			}
		}
		if l.runs[p.name] == "" {
			l.absent = append(l.absent, p.name)
		}
	}
}

// The peers that are libraries of other languages.
const (
	pika       = "pika"
	amqplib    = "amqplib"
	bunny      = "bunny"
	phpAmqplib = "php-amqplib"
)

// script is the command that runs one of our small programs in other languages, nil if the library is not installed.
func (l *lab) script(library, name string, args ...string) []string {
	if l.runs[library] == "" {
		return nil
	}
	return append([]string{l.runs[library], l.peer(name)}, args...)
}

// peer is the path of something in the folder of those programs.
func (l *lab) peer(name string) string { return filepath.Join(l.module, "bench", "peers", name) }

// library is the version of the AMQP library that the programs are built with.
func library() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/rabbitmq/amqp091-go" {
				return m.Version
			}
		}
	}
	return "of unknown version"
}

// brokerPID is the broker's process, 0 if it doesn't say.
func (l *lab) brokerPID() int {
	said, err := l.node.Ctl("eval", "os:getpid().")
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.Trim(strings.TrimSpace(said), `"`))
	return pid
}

// brokerCPU is the CPU time that the broker has used so far, in seconds; 0 where there is no /proc.
func (l *lab) brokerCPU() float64 {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(l.pid) + "/stat")
	if err != nil {
		return 0
	}
	// Behind the command's name in parentheses: state is field 3, utime 14, stime 15, in hundredths of a second.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}
