package conn

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
)

// node is one broker address with all that is needed to open a connection to it.
type node struct {
	host, port         string
	user, password     string
	vhost              string
	auth               string // the SASL mechanism: plain, amqplain or external
	timeout, heartbeat time.Duration
	channelMax         uint16
	tls                *tls.Config // nil: without TLS
	commonName         string      // of the client certificate
}

// address is the node's host and port, for dialling and for messages.
func (n *node) address() string { return net.JoinHostPort(n.host, n.port) }

// plainHost is a host as --host takes it: a name, or an address, one of IPv6 in brackets or without. What is more than
// that belongs to another flag, and is not quoted: it may hold a password.
func plainHost(text string) (string, error) {
	bare := text
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		bare = strings.TrimSuffix(inner, "]")
	}
	if address, err := netip.ParseAddr(bare); err == nil && (bare == text || address.Is6()) {
		return bare, nil
	}
	switch {
	case text == "":
		return "", cli.Usage("", "--host: the name is empty")
	case strings.ContainsAny(text, "@/"):
		return "", cli.Usage("--url takes a URI; --host a name or an address", "--host: that is no host's name")
	case strings.Contains(text, ":"):
		return "", cli.Usage("--host HOST --port PORT", "--host: the port goes to --port")
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "", cli.Usage("", "--host: a host's name has no spaces")
	}
	return text, nil
}

// newNode settles every setting of one node: the first layer that names it has the say.
func newNode(layers []parts) (node, error) {
	get := func(name string) string {
		for _, layer := range layers {
			if value, ok := layer[name]; ok {
				return value
			}
		}
		return ""
	}
	n := node{
		host: get("host"), port: get("port"), user: get("user"), password: get("password"),
		vhost: get("vhost"), auth: get("auth"),
	}
	if err := n.setTimes(get); err != nil {
		return n, err
	}
	if max := get("channel-max"); max != "" {
		channels, _ := strconv.ParseUint(max, 10, 16) // the library has checked it
		n.channelMax = uint16(channels)
	}
	if len(n.vhost) > 255 {
		return n, cli.Usage("", "--vhost: a vhost's name has at most 255 bytes, this one has %d", len(n.vhost))
	}
	if err := cli.OneOf("--auth", n.auth, mechanisms()...); err != nil {
		return n, err
	}
	if wantsTLS(layers) {
		if err := n.setTLS(get); err != nil {
			return n, err
		}
	}
	if n.auth == "external" && n.tls == nil {
		return n, cli.Usage("give --cert and --key", "--auth external logs in by a client certificate and needs TLS")
	}
	if n.port == "" {
		n.port = map[bool]string{false: "5672", true: "5671"}[n.tls != nil]
	}
	if port, err := strconv.ParseUint(n.port, 10, 16); err != nil || port == 0 {
		return n, cli.Usage("", "--port: the port is not from 1 to 65535")
	}
	return n, nil
}

func (n *node) setTimes(get func(string) string) (err error) {
	n.timeout, err = time.ParseDuration(get("connect-timeout"))
	if err != nil || n.timeout <= 0 {
		return cli.Usage("", "--connect-timeout: %s is not a duration of more than nothing", cli.Quote(get("connect-timeout")))
	}
	n.heartbeat, err = time.ParseDuration(get("heartbeat"))
	if err != nil || n.heartbeat < 0 || n.heartbeat%time.Second != 0 || n.heartbeat > 65535*time.Second {
		return cli.Usage("", "--heartbeat: %s is not a whole number of seconds from 0s to 65535s", cli.Quote(get("heartbeat")))
	}
	return nil
}

// mechanisms are those of SASL that there are, by --auth or in a URI.
func mechanisms() []string { return []string{"plain", "amqplain", "external"} }

// sasl returns what the node is told about who we are (https://www.rabbitmq.com/docs/access-control#mechanisms).
func (n *node) sasl() amqp.Authentication {
	switch n.auth {
	case "external":
		return &amqp.ExternalAuth{}
	case "amqplain":
		return &amqp.AMQPlainAuth{Username: n.user, Password: n.password}
	default:
		return &amqp.PlainAuth{Username: n.user, Password: n.password}
	}
}
