package conn

import (
	"bytes"
	"net"
	"strings"
	"sync"
)

// listened is a connection that keeps the first bytes which the other side has sent: they tell what listens there, if it
// is no broker. It also keeps the error that ended it: the library hides a TLS alert, which it reads, if it is just about
// to write. Both may be asked for while the library's reader goes on.
type listened struct {
	net.Conn
	mu    sync.Mutex
	first []byte
	ended error
}

// enough is as long as AMQP's protocol header, and longer than any other sign by which foreign knows a server.
const enough = 8

func (l *listened) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	if missing := enough - len(l.first); missing > 0 {
		l.first = append(l.first, p[:min(n, missing)]...)
	}
	if l.ended == nil {
		l.ended = err
	}
	return n, err
}

// startsAsAMQP says whether a server has begun with a method frame on channel 0, as connection.start is.
func startsAsAMQP(first []byte) bool { return bytes.HasPrefix(first, []byte{1, 0, 0}) }

// listen returns the connection with its first bytes kept.
func listen(c net.Conn) net.Conn { return &listened{Conn: c} }

// heard is what the other side said first, as far as it is known.
func heard(c net.Conn) []byte {
	if l, ok := c.(*listened); ok {
		l.mu.Lock()
		defer l.mu.Unlock()
		return bytes.Clone(l.first)
	}
	return nil
}

// cause is the TLS alert that the other side has ended the connection with, if it has, and else err.
func cause(err error, c net.Conn) error {
	l, ok := c.(*listened)
	if !ok {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended != nil && strings.Contains(l.ended.Error(), remoteAlert) {
		return l.ended
	}
	return err
}

// What foreign knows.
const (
	tlsServer  = "a TLS server"
	amqpServer = "an AMQP server of another version"
)

// foreign says what kind of server begins like this, empty if it is not known.
func foreign(first []byte) string {
	for _, known := range []struct{ sign, what string }{
		{"\x15\x03", tlsServer}, // an alert (RFC 8446, section 5.1): it was spoken to without TLS
		{"\x16\x03", tlsServer}, // a handshake
		{"AMQP", amqpServer},    // the answer to a protocol header that is not its own
		{"HTTP", "an HTTP server"},
		{"SSH-", "an SSH server"},
		{"220 ", "a mail or FTP server"},
		{"220-", "a mail or FTP server"},
		{"+OK", "a mail or Redis server"},
		{"-ERR", "a mail or Redis server"},
		{"* OK", "a mail server"},
	} {
		if bytes.HasPrefix(first, []byte(known.sign)) {
			return known.what
		}
	}
	return ""
}

// wrongPort is the hint for a port that is somebody else's.
const wrongPort = "check --port: a broker's AMQP port is usually 5672, 5671 with TLS; 15672 is that of RabbitMQ's management page"
