package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"time"

	"github.com/cenkalti/backoff/v5"
	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
	"amqp-tutorials/internal/wire"
)

// connect tries the nodes in turn, and again with growing pauses for as long as patience lasts; without patience it
// tries each once. It returns the reason of the last failure as the user shall see it.
func (s *Settings) connect(ctx context.Context, patience time.Duration, pause backoff.BackOff) (*connection, error) {
	deadline := time.Now().Add(patience)
	for told := patience == forever; ; told = true {
		c, err := s.tryNodes(ctx)
		if err == nil {
			return c, nil
		}
		left := time.Until(deadline)
		if ctx.Err() != nil || final(err) || left <= 0 {
			return nil, err
		}
		if !told {
			cli.Say("%v; trying for %s", err, patience)
		}
		if sleep(ctx, min(pause.NextBackOff(), left)) != nil {
			return nil, err
		}
	}
}

// tryNodes returns a connection to the first node that takes one.
func (s *Settings) tryNodes(ctx context.Context) (*connection, error) {
	var last error
	for i := range s.nodes {
		n := &s.nodes[i]
		c, err := s.dial(ctx, n)
		if err == nil {
			return c, nil
		}
		last = err
	}
	return nil, last
}

// dial opens one connection: TCP, TLS if asked for, and the AMQP handshake, all within the node's timeout. The
// library is handed an open socket and never a URL, so that passwords and vhosts may hold any character.
func (s *Settings) dial(ctx context.Context, n *node) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	socket, err := new(net.Dialer).DialContext(ctx, "tcp", n.address())
	if err != nil {
		return nil, n.explainDial(ctx, err, nil)
	}
	unwatch := context.AfterFunc(ctx, func() { socket.Close() })
	defer unwatch()
	stream := socket
	if n.tls != nil {
		secured := tls.Client(socket, n.tls)
		if err := secured.HandshakeContext(ctx); err != nil {
			socket.Close()
			return nil, n.explainDial(ctx, err, socket)
		}
		stream = secured
	}
	s.warn(n, socket)
	said := listen(stream)
	w := wire.New(said, socket, s.trace())
	opened, err := amqp.Open(w, s.config(n))
	if err != nil {
		w.Sever()
		if errors.Is(err, amqp.ErrCredentials) && offers(opened, tellsRefusal) {
			err = errHungUp // which the library takes for a refusal, but this broker says if it refuses
		}
		if broken := w.Violation(); broken != nil && startsAsAMQP(heard(said)) {
			return nil, &dialError{failure{Status: cli.Unconnected, What: "connecting to " + n.address(), Why: broken.Error()}, true}
		}
		return nil, n.explainDial(ctx, err, said)
	}
	if !unwatch() {
		return nil, n.explainDial(ctx, ctx.Err(), socket)
	}
	c := newConnection(opened, w, n)
	c.secured, _ = stream.(*tls.Conn)
	return c, nil
}

// config is what the handshake tells the broker. The library's default frame size is set here because it does so
// only when it dials by itself.
func (s *Settings) config(n *node) amqp.Config {
	properties := amqp.NewConnectionProperties()
	properties["product"] = "amqp-tutorials"
	if info, ok := debug.ReadBuildInfo(); ok {
		properties["version"] = info.Main.Version
	}
	properties.SetClientConnectionName(s.name)
	return amqp.Config{
		SASL:       []amqp.Authentication{&login{n.sasl(), properties}},
		Vhost:      n.vhost,
		ChannelMax: n.channelMax,
		FrameSize:  131072,
		Heartbeat:  n.heartbeat,
		Properties: properties,
		Locale:     "en_US",
	}
}

// tellsRefusal is the capability of a broker that answers a wrong login with a reason, if the client has it too, and
// does not just hang up (https://www.rabbitmq.com/docs/auth-notification). Without it a broker that dies during the
// handshake can't be told from one that refuses the login, which is not tried again.
const tellsRefusal = "authentication_failure_close"

// login is a SASL mechanism whose client has that capability. The library sets the client's capabilities itself, just
// before it asks for the response.
type login struct {
	amqp.Authentication
	client amqp.Table // the client's properties
}

func (l *login) Response() string {
	if capabilities, ok := l.client["capabilities"].(amqp.Table); ok {
		capabilities[tellsRefusal] = true
	}
	return l.Authentication.Response()
}

// offers says whether the broker has announced a capability.
func offers(c *amqp.Connection, capability string) bool {
	capabilities, _ := c.Properties["capabilities"].(amqp.Table)
	has, _ := capabilities[capability].(bool)
	return has
}

// warn tells once a run what the user should know about the connection's secrecy.
func (s *Settings) warn(n *node, socket net.Conn) {
	if s.warned {
		return
	}
	s.warned = true
	switch {
	case n.tls != nil && n.tls.InsecureSkipVerify:
		cli.Say("warning: --insecure: the broker's certificate is not verified; anyone on the way could read and change everything")
	case n.tls == nil && !loopback(socket):
		cli.Say("warning: the connection is not secured: the password goes to %s in clear text (--tls)", n.address())
	}
}

func loopback(socket net.Conn) bool {
	addr, ok := socket.RemoteAddr().(*net.TCPAddr)
	return !ok || addr.IP.IsLoopback()
}

// sleep waits for d or until ctx is done, whose error it then returns.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting: %w", ctx.Err())
	}
}
