package conn

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"time"

	"amqp-tutorials/internal/show"
)

// Instead is --check: it connects, says to whom, and takes the place of the run, so that nothing is declared, published or
// consumed. It makes Settings a cli.Instead.
func (s *Settings) Instead(ctx context.Context) (done bool, err error) {
	if !s.check {
		return false, nil
	}
	c, err := s.connect(ctx, s.wait, s.pauses(0))
	if err != nil {
		return true, err
	}
	out := show.NewOutput(os.Stdout)
	g := NewGuard(ctx, out)
	defer g.Close()
	defer c.close(g)
	for _, line := range c.about(time.Now()) {
		if err := out.Printf("%s: %s\n", line[0], show.Escape(line[1])); err != nil {
			return true, err
		}
	}
	return true, out.Flush()
}

// about says, as names and values, what a connection leads to.
func (c *connection) about(now time.Time) [][2]string {
	text := func(property string) string {
		value, _ := c.Properties[property].(string)
		return value
	}
	server := fmt.Sprintf("%s %s at %s", text("product"), text("version"), c.node.address())
	if cluster := text("cluster_name"); cluster != "" {
		server += ", cluster " + cluster
	}
	user := c.node.user
	if c.node.auth == "external" {
		user = c.node.commonName + ", by client certificate"
	}
	lines := [][2]string{{"server", server}, {"vhost", c.node.vhost}, {"user", user}}
	stream := c.wire.Conn
	if l, ok := stream.(*listened); ok {
		stream = l.Conn
	}
	secured, ok := stream.(*tls.Conn)
	if !ok {
		return append(lines, [2]string{"TLS", "none"})
	}
	state := secured.ConnectionState()
	broker := state.PeerCertificates[0] // there is one: no broker's TLS is without
	verified := ""
	if c.node.tls.InsecureSkipVerify {
		verified = ", not verified"
	}
	days := int(broker.NotAfter.Sub(now).Hours()) / 24
	return append(lines,
		[2]string{"TLS", tls.VersionName(state.Version) + ", " + tls.CipherSuiteName(state.CipherSuite)},
		[2]string{"certificate", broker.Subject.String() + verified},
		[2]string{"issuer", broker.Issuer.String()},
		[2]string{"expires", fmt.Sprintf("%s, in %d days", broker.NotAfter.UTC().Format(time.DateOnly), days)})
}
