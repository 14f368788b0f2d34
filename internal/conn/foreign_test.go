package conn

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
)

// serve answers each connection in its way and returns the node that leads to it.
func serve(t *testing.T, answer func(net.Conn)) *node {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				answer(c)
			}()
		}
	}()
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return &node{host: host, port: port, user: "bob", vhost: "v", auth: "plain", timeout: 10 * time.Second}
}

// says answers the first bytes with a text, as servers of many protocols would.
func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := c.Read(make([]byte, 512)); err != nil {
			return
		}
		if _, err := c.Write([]byte(text)); err != nil {
			return
		}
		_, _ = bufio.NewReader(c).ReadByte() // wait for the client to go, or the answer may be lost
	}
}

// A port that is another server's is told by what it says, and --tls is proposed for TLS only.
func TestForeign(t *testing.T) {
	for _, test := range []struct{ name, text, why, hint string }{
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "it is that of an HTTP server", "15672"},
		{"SSH", "SSH-2.0-OpenSSH_9.6\r\n", "it is that of an SSH server", "check --port"},
		{"SMTP", "220 mail.example ESMTP\r\n", "it is that of a mail or FTP server", "check --port"},
		{"TLS alert", "\x15\x03\x03\x00\x02\x02\x46", "it wants TLS", "add --tls"},
		{"AMQP 1.0", "AMQP\x00\x01\x00\x00", "an AMQP server of another version", "check --port"},
		{"anything", "hello, this is no known protocol", "does not speak AMQP 0-9-1", "check --port"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := serve(t, says(test.text))
			socket, err := net.Dial("tcp", n.address())
			if err != nil {
				t.Fatal(err)
			}
			socket = listen(socket)
			_, err = amqp.Open(socket, new(Settings).config(n))
			expect(t, n.explainDial(context.Background(), err, socket), test.why, test.hint, true)
		})
	}
}

// The same with --tls, where crypto/tls has the first bytes.
func TestForeignTLS(t *testing.T) {
	for _, test := range []struct{ name, text, why, hint string }{
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS: it is that of an HTTP server", "check --port"},
		{"SSH", "SSH-2.0-OpenSSH_9.6\r\n", "it is that of an SSH server", "check --port"},
		{"AMQP", "AMQP\x00\x00\x09\x01", "the port does not speak TLS", "leave out --tls"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := serve(t, says(test.text))
			n.tls = &tls.Config{ServerName: n.host}
			_, err := new(Settings).dial(context.Background(), n)
			expect(t, err, test.why, test.hint, true)
		})
	}
}

func TestHungUpInTLS(t *testing.T) {
	n := serve(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) })
	n.tls = &tls.Config{ServerName: n.host}
	_, err := new(Settings).dial(context.Background(), n)
	expect(t, err, "the other side hung up during the TLS handshake", "TLS", false)
}

// A broker that asks for a client certificate refuses in the handshake with TLS 1.2, after it with TLS 1.3. Both are
// told alike, and neither is tried again.
func TestNoClientCertificate(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			config := &tls.Config{
				Certificates: []tls.Certificate{selfSigned(t)}, ClientAuth: tls.RequireAndVerifyClientCert, MaxVersion: version,
			}
			n := serve(t, func(c net.Conn) {
				_ = tls.Server(c, config).Handshake() // which fails
				_, _ = bufio.NewReader(c).ReadByte()
			})
			n.tls = &tls.Config{InsecureSkipVerify: true}
			expect(t, refusal(t, n), "TLS refused by the broker: ", "--cert, --key", true)
		})
	}
}

// A version that is too old is no matter of certificates.
func TestTLSVersion(t *testing.T) {
	n := serve(t, func(c net.Conn) {
		_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}, MinVersion: tls.VersionTLS13}).Handshake()
		_, _ = bufio.NewReader(c).ReadByte()
	})
	n.tls = &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}
	_, err := new(Settings).dial(context.Background(), n)
	expect(t, err, "TLS refused by the broker: protocol version", "TLS 1.2 is the oldest", true)
}

// refusal is why a node with TLS can't be reached.
func refusal(t *testing.T, n *node) error {
	t.Helper()
	socket, err := net.Dial("tcp", n.address())
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	secured := tls.Client(socket, n.tls)
	if err := secured.Handshake(); err != nil {
		return n.explainDial(context.Background(), err, socket)
	}
	said := listen(secured)
	_, err = amqp.Open(said, new(Settings).config(n))
	return n.explainDial(context.Background(), err, said)
}

func expect(t *testing.T, err error, why, hint string, isFinal bool) {
	t.Helper()
	var e *cli.Error
	if !errors.As(err, &e) || !strings.Contains(e.Why, why) || !strings.Contains(e.Hint, hint) || final(err) != isFinal {
		t.Fatalf("got %v, want %q, hint %q, final %v", err, why, hint, isFinal)
	}
	if strings.Contains(e.Hint, "--tls") && !strings.Contains(hint, "--tls") {
		t.Errorf("it proposes --tls: %s", e.Hint)
	}
	for _, inside := range []string{"Exception (", "EOF", "tcp", "tls:", "remote error"} {
		if strings.Contains(e.Why, inside) {
			t.Errorf("it shows its insides: %s", e.Why)
		}
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
