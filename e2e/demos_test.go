package e2e

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// demoRounds is how often each demo is run: what goes wrong in a shell script goes wrong now and then.
const demoRounds = 2

// ofTheShell are lines that come from the shell and its commands, not from the programs or the demo.
var ofTheShell = regexp.MustCompile(`(?m)^.*(: line \d+: |No such file|Broken pipe|Terminated|\d+ Killed|syntax error).*$`)

// Each demo runs to its end by itself, beside busy neighbours; it checks what it shows. Nothing of the shell's own is
// to be seen, no line of the demo's is wider than a terminal, and on the broker nothing is left.
func TestDemos(t *testing.T) {
	demos, err := filepath.Glob("../demos/[0-9]*.sh")
	if err != nil || len(demos) == 0 {
		t.Fatalf("no demos: %v", err)
	}
	root := demoRoot(t)
	var idle atomic.Bool
	t.Cleanup(func() { idle.Store(true) })
	for range 2 {
		go func() {
			for !idle.Load() {
				runtime.Gosched()
			}
		}()
	}
	for _, demo := range demos {
		name := strings.TrimSuffix(filepath.Base(demo), ".sh")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vhost := "demo-" + name
			if err := node.AddVhost(vhost); err != nil {
				t.Fatal(err)
			}
			for range demoRounds {
				testDemo(t, filepath.Join(root, "demos", name+".sh"), vhost)
			}
		})
	}
}

func testDemo(t *testing.T, file, vhost string) {
	var stdout, stderr bytes.Buffer
	cmd := demo(t, file, node.URL(vhost))
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("%v:\n%s%s", err, &stdout, &stderr)
	}
	// What the programs say is on stdout, marked as theirs; on stderr there is only what scripts/broker says.
	for line := range strings.Lines(stderr.String()) {
		if !strings.HasPrefix(line, "broker: ") {
			t.Errorf("on stderr: %s", line)
		}
	}
	if line := ofTheShell.FindString(stdout.String()); line != "" {
		t.Errorf("of the shell's own: %s", line)
	}
	var left []struct{ Name string }
	for _, kind := range []string{"queues", "exchanges"} {
		if err := node.API(http.MethodGet, "/"+kind+"/"+url.PathEscape(vhost), nil, &left); err != nil {
			t.Error(err)
		}
		for _, one := range left {
			if one.Name != "" && !strings.HasPrefix(one.Name, "amq.") {
				t.Errorf("left on the broker: %s", one.Name)
			}
		}
	}
}

// A demo does not run where one of its queues is already, and takes no message from it.
func TestDemoLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	const vhost = "demo-others"
	if err := node.AddVhost(vhost); err != nil {
		t.Fatal(err)
	}
	conn, err := amqp.Dial(node.URL(vhost))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	// Not a queue that this demo would use: the demos share one place.
	q, err := ch.QueueDeclare("task_queue", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.PublishWithContext(t.Context(), "", q.Name, false, false, amqp.Publishing{}); err != nil {
		t.Fatal(err)
	}
	output, err := demo(t, filepath.Join(demoRoot(t), "demos", "01-hello-world.sh"), node.URL(vhost)).CombinedOutput()
	if err == nil || !strings.Contains(string(output), "there are already: task_queue") {
		t.Errorf("%v: %s", err, output)
	}
	if q, err := ch.QueueDeclarePassive(q.Name, true, false, false, false, nil); err != nil || q.Messages != 1 {
		t.Errorf("%d messages left, %v", q.Messages, err)
	}
}

// The drawings and what the demos say fit into 80 columns.
func TestDemosFitTheScreen(t *testing.T) {
	demos, err := filepath.Glob("../demos/[0-9]*.sh")
	if err != nil {
		t.Fatal(err)
	}
	spoken := regexp.MustCompile(`(?s)\bsay "(.*?[^\\])"`)
	drawn := regexp.MustCompile(`(?m)^# (.*)$`)
	for _, demo := range demos {
		script, err := os.ReadFile(demo)
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range append(drawn.FindAllSubmatch(script, -1), spoken.FindAllSubmatch(script, -1)...) {
			for line := range strings.Lines(string(shown[1])) {
				if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
					t.Errorf("%s: %d columns: %s", filepath.Base(demo), n, line)
				}
			}
		}
	}
}

// demo is the command that runs a demo with the broker at this URL.
func demo(t *testing.T, file, url string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "bash", file)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Env = append(os.Environ(), "AMQP_URL="+url, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// demoRoot is a folder that holds the demos, and beside them what they use.
func demoRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, target := range map[string]string{"bin": bin, "demos": "../demos", "scripts": "../scripts"} {
		target, err := filepath.Abs(target)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
