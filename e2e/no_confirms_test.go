package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
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
