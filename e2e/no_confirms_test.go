package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// withoutConfirms is the address of a proxy to the broker that hides one capability: publisher confirms, which AMQP
// 0-9-1 itself doesn't have. The name is misspelt on the wire, in connection.start.
func withoutConfirms(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go hideConfirms(client)
		}
	}()
	return l.Addr().String()
}

func hideConfirms(client net.Conn) {
	defer client.Close()
	broker, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", node.Port()))
	if err != nil {
		return
	}
	defer broker.Close()
	go io.Copy(broker, client)
	// connection.start is the first that comes, in one piece: RabbitMQ writes whole frames.
	start := make([]byte, 64<<10)
	n, err := broker.Read(start)
	if err != nil {
		return
	}
	hidden := bytes.Replace(start[:n], []byte("publisher_confirms"), []byte("publisher_nothings"), 1)
	if _, err := client.Write(hidden); err != nil {
		return
	}
	io.Copy(client, broker)
}

// With a broker that has no publisher confirms, messages go out without, and the user is told; who insists on
// confirms gets an error instead, and transactions always work.
func TestBrokerWithoutConfirms(t *testing.T) {
	if err := node.AddVhost("no-confirms"); err != nil {
		t.Fatal(err)
	}
	url := "amqp://" + withoutConfirms(t) + "/no-confirms"
	for _, test := range []struct {
		args   []string
		status int
		stderr string
	}{
		{[]string{"-n", "3", "plain"}, 0, "send: note: this broker has no publisher confirms: messages are sent without (--confirm tx uses transactions)\nPublished 3 messages without confirms in "},
		{[]string{"--confirm", "async", "no"}, 1, "send: --confirm async: this broker has no publisher confirms\nhint: --confirm tx "},
		{[]string{"-n", "3", "--confirm", "tx", "safe"}, 0, "Published 3 messages in transactions in "},
		{[]string{"--confirm", "none", "plain"}, 0, ""},
		{[]string{"--confirm", "none", "-e", "missing", "no"}, 1, "send: refused by the broker: NOT_FOUND - no exchange 'missing'"},
	} {
		cmd := program(url, "send", test.args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		cmd.Run() // the exit status tells
		if status := cmd.ProcessState.ExitCode(); status != test.status || !strings.HasPrefix(stderr.String(), test.stderr) {
			t.Errorf("send %s: exit status %d and\n%s", strings.Join(test.args, " "), status, &stderr)
		}
	}
	bodies, _ := kept(t, node.URL("no-confirms"), "hello")
	if got := strings.Join(bodies, " "); got != "plain plain plain safe safe safe plain" {
		t.Errorf("in the queue: %s", got)
	}
}

// Without confirms nobody knows what a lost connection has cost. The publisher says so, and goes on, unless it is not to.
func TestLostWithoutConfirms(t *testing.T) {
	b := behindProxy(t, node)
	send, stderr := startCareless(t, b)
	b.cut()
	for _, text := range []string{"lost", "connected again", "without confirms nobody knows which"} {
		awaitLine(t, stderr, text)
	}
	send.Process.Signal(syscall.SIGTERM)
	awaitLine(t, stderr, "Published")
	if err := send.Wait(); err != nil {
		t.Error(err)
	}

	send, stderr = startCareless(t, b, "--no-reconnect")
	b.cut()
	awaitLine(t, stderr, "messages were sent without confirms, message ")
	if send.Wait(); send.ProcessState.ExitCode() != 1 {
		t.Errorf("status %d", send.ProcessState.ExitCode())
	}
}

// startCareless starts a publisher without confirms and waits for its first message.
func startCareless(t *testing.T, b *faultyBroker, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	send := program(b.url(), "send", append(args, "-q", t.Name(), "--count", "0", "--interval", "10ms", "--confirm", "none", "tick")...)
	stdout, err := send.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := send.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := send.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { send.Process.Kill() })
	awaitLine(t, bufio.NewScanner(stdout), "Sent tick")
	go io.Copy(io.Discard, stdout)
	return send, bufio.NewScanner(stderr)
}
