package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	private "amqp-tutorials/internal/broker"
	"amqp-tutorials/internal/seed"
)

// asLauncher has the test binary be the program itself.
const asLauncher = "LAUNCH_TEST_AS_LAUNCHER"

// endLimit is how long the end may take after Ctrl-C, on a busy machine.
const endLimit = 10 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(asLauncher) != "" {
		main()
	}
	os.Exit(m.Run())
}

// launcher is the program as a process of its own.
type launcher struct {
	*exec.Cmd
	stdout, stderr *os.File // files: a process that is left over does not keep Wait waiting
	temporary      string   // its folder for temporary files
}

// newLauncher prepares a run. More variables for its environment override those it has.
func newLauncher(t *testing.T, variables []string, args ...string) *launcher {
	t.Helper()
	l := &launcher{Cmd: exec.Command(os.Args[0], args...), temporary: t.TempDir()}
	dir := t.TempDir()
	var errs [2]error
	l.stdout, errs[0] = os.Create(filepath.Join(dir, "stdout"))
	l.stderr, errs[1] = os.Create(filepath.Join(dir, "stderr"))
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	l.Stdout, l.Stderr = l.stdout, l.stderr
	l.Env = append(withoutSettings(os.Environ()), asLauncher+"=yes", "TMPDIR="+l.temporary, "BROKER="+os.Args[0])
	l.Env = append(l.Env, variables...)
	t.Cleanup(func() {
		if l.Process != nil && l.ProcessState == nil {
			_ = l.Process.Kill()
			_ = l.Wait()
		}
	})
	return l
}

func (l *launcher) start(t *testing.T) {
	t.Helper()
	if err := l.Start(); err != nil {
		t.Fatal(err)
	}
}

// end sends a signal, if it is not nil, and waits for the end and that nothing is left.
func (l *launcher) end(t *testing.T, s os.Signal) (status int) {
	t.Helper()
	if s != nil {
		_ = l.Process.Signal(s)
	}
	tooLong := time.AfterFunc(endLimit, func() { _ = l.Process.Kill() })
	_ = l.Wait()
	if !tooLong.Stop() {
		t.Fatalf("still there %v after %v; it said:\n%s", endLimit, s, text(l.stderr))
	}
	l.leavesNothing(t)
	return l.ProcessState.ExitCode()
}

// result runs it to its end.
func (l *launcher) result(t *testing.T) (status int, stdout, stderr string) {
	t.Helper()
	l.start(t)
	_ = l.Wait()
	l.leavesNothing(t)
	return l.ProcessState.ExitCode(), text(l.stdout), text(l.stderr)
}

// leavesNothing fails the test if processes of the broker, or files, are left.
func (l *launcher) leavesNothing(t *testing.T) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(endLimit); ; time.Sleep(10 * time.Millisecond) {
		left, _ = filepath.Glob(filepath.Join(l.temporary, "*"))
		environments, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, file := range environments {
			if b, err := os.ReadFile(file); err == nil && bytes.Contains(b, []byte("HOME="+l.temporary)) {
				left = append(left, file)
			}
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			break
		}
	}
	t.Errorf("left: %q", left)
}

// awaitGone fails the test if a process is left. Whoever adopts a dead one may be slow to notice.
func awaitGone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(endLimit); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("process %d, a child of the command, is left", pid)
			return
		}
	}
}

func text(f *os.File) string {
	b, err := os.ReadFile(f.Name())
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// await waits until the launcher, or its command, has written this.
func (l *launcher) await(t *testing.T, pattern string) (groups []string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if groups := re.FindStringSubmatch(text(l.stdout) + text(l.stderr)); groups != nil {
			return groups
		}
	}
	t.Fatalf("no %q in:\n%s%s", pattern, text(l.stdout), text(l.stderr))
	return nil
}

// brokerWithoutMind answers a protocol header, and does no more.
func brokerWithoutMind(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte{1})
			_, _ = io.ReadFull(c, make([]byte, 8))
			_ = c.Close()
		}
	}()
	return fmt.Sprintf("amqp://guest:secret@%s/", l.Addr())
}

// A command with a private broker has it in AMQP_URL, with nothing beside it that leads elsewhere; its exit status is
// handed on; ctl and queues know the broker.
func TestRun(t *testing.T) {
	t.Parallel()
	script := `test -z "$AMQP_VHOST" && "$BROKER" ctl add_vhost other && "$BROKER" ctl list_vhosts --silent && "$BROKER" queues; exit 7`
	l := newLauncher(t, []string{"AMQP_VHOST=elsewhere", "XDG_CACHE_HOME=" + t.TempDir()}, "run", "sh", "-c", script)
	status, stdout, stderr := l.result(t)
	if status != 7 || !strings.Contains(stdout, "\nother\n") || !strings.Contains(stdout, "unacknowledged") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

// A launcher that is killed leaves neither its broker nor its files.
func TestKilled(t *testing.T) {
	t.Parallel()
	l := newLauncher(t, nil, "run", "sh", "-c", "echo ready; read x")
	stdin, err := l.StdinPipe() // the command ends with the test
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	l.start(t)
	l.await(t, "ready")
	_ = l.Process.Kill()
	_ = l.Wait()
	l.leavesNothing(t)
}

// With a limit a command ends in time, with all it has started.
func TestLimit(t *testing.T) {
	t.Parallel()
	url := brokerWithoutMind(t)
	l := newLauncher(t, []string{"AMQP_URL=" + url}, "run", "--limit", "200ms", "sh", "-c", `sh -c 'echo $$; exec sleep 100'; true`)
	status, stdout, stderr := l.result(t) // which waits for the end, that is for a hundred seconds without the limit
	if status != timedOut || !strings.Contains(stderr, "has not ended in 200ms") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if strings.Contains(stderr, "secret") {
		t.Errorf("shows the password: %s", stderr)
	}
	var pid int
	if _, err := fmt.Sscan(stdout, &pid); err != nil {
		t.Fatalf("%q: %v", stdout, err)
	}
	awaitGone(t, pid)
}

// Ctrl-C ends the launcher whenever it comes. Most of these runs start a server that is never ready and deaf to every
// signal that can be ignored, a few start RabbitMQ.
func TestInterruptedAtAnyTime(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	deaf := "#!/bin/sh\ntrap '' HUP INT TERM\nwhile true; do sleep 100; done\n"
	for _, name := range []string{"rabbitmq-server", "epmd"} {
		if err := os.WriteFile(filepath.Join(path, name), []byte(deaf), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	random := seed.Random(t)
	for i := range 50 {
		variables, upTo := []string{"PATH=" + path + ":" + os.Getenv("PATH")}, 200*time.Millisecond
		if i%10 == 9 {
			variables, upTo = nil, 6*time.Second
		}
		args := []string{"--port", fmt.Sprint(freePort(t))}
		if i%2 == 1 {
			args = []string{"run", "sleep", "100"}
		}
		l := newLauncher(t, append(variables, "XDG_CACHE_HOME="+t.TempDir()), args...)
		after := 20*time.Millisecond + time.Duration(random.Int64N(int64(upTo)))
		l.start(t)
		time.Sleep(after) // the moment is the point
		l.end(t, os.Interrupt)
		if t.Failed() {
			t.Fatalf("%q, interrupted after %v", args, after)
		}
	}
}

// A command that does not listen to Ctrl-C is killed at the second, with all it has started.
func TestDeafCommand(t *testing.T) {
	t.Parallel()
	url := brokerWithoutMind(t)
	l := newLauncher(t, []string{"AMQP_URL=" + url}, "run", "sh", "-c", `trap '' INT TERM; sh -c 'echo pid $$; exec sleep 100'; true`)
	l.start(t)
	var pid int
	_, _ = fmt.Sscan(l.await(t, `pid (\d+)`)[1], &pid)
	_ = l.Process.Signal(os.Interrupt)
	time.Sleep(100 * time.Millisecond) // two signals at once would be one
	if status := l.end(t, os.Interrupt); status != 130 {
		t.Errorf("status %d", status)
	}
	awaitGone(t, pid)
}

// What is in a broker with --data is there again the next time, and nobody else may use the folder meanwhile.
func TestData(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for i := range 2 {
		l := newLauncher(t, []string{"XDG_CACHE_HOME=" + t.TempDir()}, "--port", fmt.Sprint(freePort(t)), "--data", data)
		l.start(t)
		url := l.await(t, `AMQP_URL=(\S+)`)[1]
		ch := channel(t, url, amqp.Config{})
		q, err := ch.QueueDeclare("kept", true, false, false, false, nil)
		if err != nil || q.Messages != i {
			t.Errorf("run %d: %d messages, %v", i, q.Messages, err)
		}
		publish(t, ch, "kept")
		if i == 0 {
			second := newLauncher(t, nil, "--port", fmt.Sprint(freePort(t)), "--data", data)
			if status, _, stderr := second.result(t); status != failed || !strings.Contains(stderr, "another broker uses this folder") {
				t.Errorf("two at once: %d, %s", status, stderr)
			}
		}
		_ = l.Process.Signal(os.Interrupt)
		if err := l.Wait(); err != nil {
			t.Errorf("run %d: %v", i, err)
		}
		l.leavesNothing(t)
	}
	if err := os.Remove(filepath.Join(data, "login.json")); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := newLauncher(t, nil, "--data", data).result(t); status != failed || !strings.Contains(stderr, "no broker's data") {
		t.Errorf("somebody's folder: %d, %s", status, stderr)
	}
}

// With --tls the broker's certificate is for its address, and signed by the CA that is named.
func TestTLS(t *testing.T) {
	t.Parallel()
	l := newLauncher(t, []string{"XDG_CACHE_HOME=" + t.TempDir()}, "--port", fmt.Sprint(freePort(t)), "--tls")
	l.start(t)
	url := l.await(t, `AMQP_URL=(amqps://\S+)`)[1]
	pem, err := os.ReadFile(l.await(t, `AMQP_CACERT=(\S+)`)[1])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: pool}
	channel(t, url, amqp.Config{TLSClientConfig: config})
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	if page, err := client.Get(l.await(t, `page is (https://\S+)`)[1]); err != nil || page.StatusCode != http.StatusOK {
		t.Errorf("the management page: %v, %v", page, err)
	}
	client.CloseIdleConnections()
	l.end(t, os.Interrupt)
}

// Where others may listen there is no password that everybody knows.
func TestPasswordForOthers(t *testing.T) {
	for address, want := range map[string]string{"127.0.0.1": "guest", "::1": "guest", "0.0.0.0": "class", "10.1.2.3": "class"} {
		s := settingsFor(options{}, net.ParseIP(address))
		if s.User != want || want == "class" && len(s.Password) < 20 {
			t.Errorf("%s: %+v", address, s)
		}
	}
}

// A command that wants queues for itself gets a vhost of its own, or is sure that there are none of these names yet;
// afterwards nothing is left of it.
func TestFresh(t *testing.T) {
	n, err := private.Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	guest := n.URL("/")
	alice := strings.Replace(guest, "guest:guest", "alice:"+private.AlicePassword, 1)
	cache := t.TempDir()
	// The launcher knows the API of brokers that were started by it; this one has been started here.
	b := broker{entry: entry{Ports: []int{n.Port()}, Management: n.LocalManagementURL()}}
	t.Setenv("XDG_CACHE_HOME", cache)
	forget, err := b.register()
	if err != nil {
		t.Fatal(err)
	}
	defer forget()
	try := func(url string) (status int, stdout, stderr string) {
		t.Helper()
		return newLauncher(t, []string{"AMQP_URL=" + url}, "run", "--fresh", "one,two", "sh", "-c", "echo in $AMQP_VHOST").result(t)
	}

	status, stdout, stderr := try(guest)
	if status != 0 || !strings.HasPrefix(stdout, "in demo-") {
		t.Errorf("guest: %d, %q, %q", status, stdout, stderr)
	}
	var vhosts []struct{ Name string }
	if err := n.API(http.MethodGet, "/vhosts", nil, &vhosts); err != nil || len(vhosts) != 2 {
		t.Errorf("left: %v, %v", vhosts, err)
	}
	if status, stdout, stderr := try(alice); status != 0 || stdout != "in /\n" {
		t.Errorf("alice: %d, %q, %q", status, stdout, stderr)
	}
	ch := channel(t, guest, amqp.Config{})
	if err := ch.ExchangeDeclare("two", "fanout", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if status, stdout, stderr := try(alice); status != failed || stdout != "" || !strings.Contains(stderr, "there are already: two.") {
		t.Errorf("alice, with an exchange there: %d, %q, %q", status, stdout, stderr)
	}
	if err := ch.ExchangeDeclarePassive("two", "fanout", true, false, false, false, nil); err != nil {
		t.Errorf("what was there is gone: %v", err)
	}
}

// What a command leaves in a vhost that is not its own is removed, but not what somebody uses.
func TestRemove(t *testing.T) {
	t.Parallel()
	n, err := private.Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop()
	ch := channel(t, n.URL("/"), amqp.Config{})
	for _, name := range []string{"one", "two"} {
		if _, err := ch.QueueDeclare(name, true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	// An exchange with a queue that is to go, too.
	if err := errors.Join(ch.ExchangeDeclare("zero", "fanout", true, false, false, false, nil), ch.QueueBind("one", "", "zero", false, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.Consume("two", "", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	uri, err := amqp.ParseURI(n.URL("/"))
	if err != nil {
		t.Fatal(err)
	}
	p := &place{uri: uri}
	if err := p.remove([]string{"zero", "one", "two", "three"}); err != nil {
		t.Fatal(err)
	}
	if left, err := p.taken([]string{"zero", "one", "two", "three"}); err != nil || fmt.Sprint(left) != "[two]" {
		t.Errorf("left: %q, %v", left, err)
	}
}

// A broker in a container is made, awaited, known to ctl, and removed. Docker is a script here.
func TestContainer(t *testing.T) {
	url := brokerWithoutMind(t)
	_, port, err := hostPort(url)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	docker := fmt.Sprintf("#!/bin/sh\necho \"$@\" >>%[1]s/calls\ncase $1 in wait) exec sleep 100;; esac\n", dir)
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(docker), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if !containersRun(ctx) {
		t.Fatal("no docker")
	}
	remove, err := removeAtTheEnd("it")
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{stop: remove, log: func() string { return "" }, ended: make(chan struct{})}
	if err := awaitAnswer(ctx, b, fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
		t.Error(err)
	}
	b.stop()
	calls, err := os.ReadFile(filepath.Join(dir, "calls"))
	if want := "info\nrm --force --volumes it\n"; err != nil || string(calls) != want {
		t.Errorf("docker was called so: %q, %v", calls, err)
	}
}

func TestMisuse(t *testing.T) {
	for _, args := range [][]string{{"fooo"}, {"run"}, {"--prot", "1"}, {"start", "now"}, {"--port", "x"}} {
		if status := program(args); status != misused {
			t.Errorf("%q: status %d", args, status)
		}
	}
	if got := withoutPassword("amqp://me:p@ss@host:1/v"); got != "amqp://me:***@host:1/v" {
		t.Error(got)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	for {
		port := 30000 + rand.IntN(2000)
		if private.Free("127.0.0.1", port) {
			return port
		}
	}
}

func channel(t *testing.T, url string, config amqp.Config) *amqp.Channel {
	t.Helper()
	conn, err := amqp.DialConfig(url, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func publish(t *testing.T, ch *amqp.Channel, queue string) {
	t.Helper()
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	confirm, err := ch.PublishWithDeferredConfirm("", queue, false, false, amqp.Publishing{DeliveryMode: amqp.Persistent})
	if err != nil {
		t.Fatal(err)
	}
	if acked, err := confirm.WaitContext(t.Context()); err != nil || !acked {
		t.Fatalf("confirmed %v, %v", acked, err)
	}
}
