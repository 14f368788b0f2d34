package broker

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// abandonIn names the folder in which the test binary, started once more, abandons a node.
const abandonIn = "BROKER_ABANDON_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(abandonIn); dir != "" {
		if _, err := Start(dir); err != nil {
			panic(err)
		}
		fmt.Println("ready")
		time.Sleep(time.Minute) // the parent kills this process long before
	}
	m.Run()
}

func TestNode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n, err := Start(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop()

	t.Run("guest", func(t *testing.T) { channel(t, n.URL("/"), amqp.Config{}) })
	t.Run("users", func(t *testing.T) { testUsers(t, n) })
	t.Run("TLS", func(t *testing.T) { testTLS(t, n) })
	t.Run("vhost", func(t *testing.T) { testAddVhost(t, n) })
	t.Run("ctl", func(t *testing.T) {
		if out, err := n.Ctl("list_vhosts", "--silent"); err != nil || !strings.Contains(out, "domain1\n") {
			t.Errorf("got %q, %v", out, err)
		}
	})
	t.Run("kill and restart", func(t *testing.T) { testRestart(t, n) })

	n.Stop()
	n.Stop()
	awaitNone(t, dir)
	if err := n.Restart(); err == nil {
		t.Error("Restart after Stop succeeded")
	}
}

// A node ends with the process that started it, even if that has no time to say goodbye.
func TestAbandoned(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("looks for processes in /proc")
	}
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), abandonIn+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	if len(processes(dir)) == 0 {
		t.Error("the node's processes are not to be found")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	awaitNone(t, dir)
}

// The nodes of a cluster share their queues; each can be killed and come back.
func TestCluster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	nodes, err := StartCluster(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		for _, n := range nodes {
			n.Stop()
		}
		awaitNone(t, dir)
	}()
	ch := channel(t, nodes[0].URL("/"), amqp.Config{})
	if _, err := ch.QueueDeclare("q", true, false, false, false, amqp.Table{"x-queue-type": "quorum"}); err != nil {
		t.Fatal(err)
	}
	ch = channel(t, nodes[1].URL("/"), amqp.Config{})
	publish(t, ch, "q", amqp.Publishing{Body: []byte("before")})
	if err := nodes[0].Kill(); err != nil {
		t.Fatal(err)
	}
	publish(t, ch, "q", amqp.Publishing{Body: []byte("after")})
	if err := nodes[0].Restart(); err != nil {
		t.Fatal(err)
	}
	ch = channel(t, nodes[0].URL("/"), amqp.Config{})
	for _, want := range []string{"before", "after"} {
		if got, ok, err := ch.Get("q", true); err != nil || !ok || string(got.Body) != want {
			t.Errorf("got %q, %v, %v, want %q", got.Body, ok, err, want)
		}
	}
}

func testUsers(t *testing.T, n *Node) {
	alice, bob := login("alice", AlicePassword), login("bob", BobPassword)
	ch := channel(t, n.URL("domain1"), alice)
	if _, err := ch.QueueDeclare("q", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	ch = channel(t, n.URL("domain1"), bob)
	if _, err := ch.QueueDeclarePassive("q", true, false, false, false, nil); err != nil {
		t.Errorf("bob may not look: %v", err)
	}
	_, err := ch.QueueDeclare("q2", true, false, false, false, nil)
	var refused *amqp.Error
	if !errors.As(err, &refused) || refused.Code != amqp.AccessRefused {
		t.Errorf("bob declares: got %v, want 403", err)
	}
}

func testTLS(t *testing.T, n *Node) {
	url := fmt.Sprintf("amqps://localhost:%d/", n.TLSPort())
	alice := login("alice", AlicePassword)
	alice.TLSClientConfig = trust(t, n.CAFile())
	channel(t, url, alice)

	external := amqp.Config{SASL: []amqp.Authentication{&amqp.ExternalAuth{}}, TLSClientConfig: trust(t, n.CAFile())}
	pair, err := tls.LoadX509KeyPair(n.CertFile(), n.KeyFile())
	if err != nil {
		t.Fatal(err)
	}
	external.TLSClientConfig.Certificates = []tls.Certificate{pair}
	// The broker refuses a message whose user_id is not the user who logged in.
	publish(t, channel(t, url, external), "nowhere", amqp.Publishing{UserId: "alice"})

	alice.TLSClientConfig = trust(t, n.OtherCAFile())
	var unknown x509.UnknownAuthorityError
	if _, err := amqp.DialConfig(url, alice); !errors.As(err, &unknown) {
		t.Errorf("with the other CA: got %v", err)
	}
}

func testAddVhost(t *testing.T, n *Node) {
	const name = "50%/ü #1"
	if err := n.AddVhost(name); err != nil {
		t.Fatal(err)
	}
	for _, config := range []amqp.Config{{}, login("alice", AlicePassword), login("bob", BobPassword)} {
		channel(t, n.URL(name), config)
	}
}

func testRestart(t *testing.T, n *Node) {
	ch := channel(t, n.URL("/"), amqp.Config{})
	if _, err := ch.QueueDeclare("kept", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	publish(t, ch, "kept", amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte("hello")})
	if err := n.Kill(); err != nil {
		t.Fatal(err)
	}
	if Greets(n.amqp()) {
		t.Error("answers after Kill")
	}
	if err := n.Restart(); err != nil {
		t.Fatal(err)
	}
	got, ok, err := channel(t, n.URL("/"), amqp.Config{}).Get("kept", true)
	if err != nil || !ok || string(got.Body) != "hello" {
		t.Errorf("after the restart: %q, %v, %v", got.Body, ok, err)
	}
}

func login(user, password string) amqp.Config {
	return amqp.Config{SASL: []amqp.Authentication{&amqp.PlainAuth{Username: user, Password: password}}}
}

func trust(t *testing.T, file string) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: pool}
}

// channel opens a channel on a connection of its own, which ends with the test.
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

// publish sends a message to queue and waits until the broker has confirmed it.
func publish(t *testing.T, ch *amqp.Channel, queue string, message amqp.Publishing) {
	t.Helper()
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	confirm, err := ch.PublishWithDeferredConfirm("", queue, false, false, message)
	if err != nil {
		t.Fatal(err)
	}
	if acked, err := confirm.WaitContext(t.Context()); err != nil || !acked {
		t.Fatalf("confirmed %v, %v", acked, err)
	}
}

// awaitNone fails the test if processes of the node in dir are left, once they have had time to end, also on a busy machine.
func awaitNone(t *testing.T, dir string) {
	t.Helper()
	left := processes(dir)
	for deadline := time.Now().Add(20 * time.Second); len(left) > 0 && time.Now().Before(deadline); left = processes(dir) {
		time.Sleep(10 * time.Millisecond)
	}
	if len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// processes returns the command lines of the processes whose environment names dir: the node's, in whatever process
// group or session. Where there is no /proc it finds none.
func processes(dir string) (found []string) {
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range environments {
		if env, err := os.ReadFile(file); err == nil && bytes.Contains(env, []byte("HOME="+dir+"\x00")) {
			cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			found = append(found, string(bytes.ReplaceAll(cmdline, []byte{0}, []byte(" "))))
		}
	}
	return found
}
