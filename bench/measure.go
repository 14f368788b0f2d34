package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// limit is how long any one process may take.
const limit = 15 * time.Minute

// sample is what one run of a case has cost.
type sample struct {
	Messages int     `json:"messages"`
	Wall     float64 `json:"wall_s"`
	CPU      float64 `json:"cpu_s"`        // of the client, user and system
	Broker   float64 `json:"broker_cpu_s"` // of the broker meanwhile
	RSS      float64 `json:"peak_mib"`     // of the client
	OtherCPU float64 `json:"cpu_s_consumers,omitempty"`
	OtherRSS float64 `json:"peak_mib_consumer,omitempty"` // of the largest
	Each     float64 `json:"wall_us_each"`                // the wall time of one message, in microseconds
	P50      float64 `json:"p50_ms,omitempty"`
	P99      float64 `json:"p99_ms,omitempty"`
}

// command is a process to measure.
type command struct {
	args   []string
	stdin  string // file; empty: nothing
	stdout *os.File
	ready  string // what the process says on standard error when it is ready
	done   string // and when it has done what is measured, if that is not its end
}

// process is a command that runs.
type process struct {
	cmd    *exec.Cmd
	report *os.File
	stderr *stderr
	cancel context.CancelFunc
}

// start starts a process under the launcher.
func (l *lab) start(ctx context.Context, c command) (*process, error) {
	report, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	ctx, cancel := context.WithTimeout(ctx, limit)
	cmd := exec.CommandContext(ctx, l.program("launch"), c.args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.ExtraFiles = []*os.File{w}
	if c.stdout != nil {
		cmd.Stdout = c.stdout
	}
	p := &process{cmd: cmd, report: report, stderr: newStderr(c.ready, c.done), cancel: cancel}
	cmd.Stderr = p.stderr
	if c.stdin != "" {
		in, err := os.Open(c.stdin)
		if err != nil {
			cancel()
			return nil, err
		}
		defer in.Close()
		cmd.Stdin = in
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	return p, nil
}

// await waits until the process has said something.
func (p *process) await(text string) error {
	if text == "" {
		return nil
	}
	select {
	case <-p.stderr.said(text):
		return nil
	case <-time.After(time.Minute):
		return fmt.Errorf("%s: has not said %q", p.cmd.Args[1], text)
	}
}

// kill ends a process and its launcher, unless they have ended.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Cancel()
		_, _ = p.wait()
	}
}

// wait waits for the end of a process and takes its report.
func (p *process) wait() (sample, error) {
	defer p.cancel()
	defer p.report.Close()
	err := p.cmd.Wait()
	line, readErr := io.ReadAll(p.report)
	if err = errors.Join(err, readErr); err != nil {
		return sample{}, fmt.Errorf("%s: %w: %s", p.cmd.Args[1], err, p.stderr)
	}
	var wall, cpu time.Duration
	var kib float64
	var status int
	if _, err := fmt.Sscan(string(line), (*int64)(&wall), (*int64)(&cpu), &kib, &status); err != nil {
		return sample{}, fmt.Errorf("%s: report %q: %w", p.cmd.Args[1], line, err)
	}
	if status != 0 {
		return sample{}, fmt.Errorf("%s: exit status %d: %s", filepath.Base(p.cmd.Args[1]), status, p.stderr)
	}
	return sample{Wall: wall.Seconds(), CPU: cpu.Seconds(), RSS: kib / 1024}, nil
}

// measure runs a process to its end. It takes the broker's CPU time too.
func (l *lab) measure(ctx context.Context, c command) (sample, string, error) {
	before := l.brokerCPU()
	p, err := l.start(ctx, c)
	if err != nil {
		return sample{}, "", err
	}
	s, err := p.wait()
	s.Broker = l.brokerCPU() - before
	return s, p.stderr.String(), err
}

// crowd is several processes of the same kind.
type crowd []*process

// startAll starts n processes and waits until all are ready. The caller calls kill in any case.
func (l *lab) startAll(ctx context.Context, c command, n int) (started crowd, err error) {
	for range n {
		p, err := l.start(ctx, c)
		if err != nil {
			return started, err
		}
		started = append(started, p)
	}
	return started, started.await(c.ready)
}

func (c crowd) await(text string) error {
	for _, p := range c {
		if err := p.await(text); err != nil {
			return err
		}
	}
	return nil
}

// wait waits for the end of all, and returns their CPU time and the peak memory of the largest.
func (c crowd) wait() (cpu, peak float64, err error) {
	for _, p := range c {
		s, err := p.wait()
		if err != nil {
			return cpu, peak, err
		}
		cpu, peak = cpu+s.CPU, max(peak, s.RSS)
	}
	return cpu, peak, nil
}

func (c crowd) kill() {
	for _, p := range c {
		p.kill()
	}
}

// stderr collects what a process says, and tells when it has said what is waited for.
type stderr struct {
	buf   bytes.Buffer
	marks []*mark
}

// mark is a text that is waited for. Its channel is closed when it has come.
type mark struct {
	text string
	seen bool
	said chan struct{}
}

func newStderr(texts ...string) *stderr {
	s := &stderr{}
	for _, text := range texts {
		s.marks = append(s.marks, &mark{text: text, said: make(chan struct{})})
	}
	return s
}

// Write is called from one goroutine.
func (s *stderr) Write(p []byte) (int, error) {
	s.buf.Write(p)
	for _, m := range s.marks {
		if !m.seen && bytes.Contains(s.buf.Bytes(), []byte(m.text)) {
			m.seen = true
			close(m.said)
		}
	}
	return len(p), nil
}

func (s *stderr) said(text string) <-chan struct{} {
	for _, m := range s.marks {
		if m.text == text {
			return m.said
		}
	}
	return nil
}

func (s *stderr) String() string { return strings.TrimSpace(s.buf.String()) }
