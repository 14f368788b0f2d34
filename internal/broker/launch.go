package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"
)

// Settings say what a node for people is like. The zero value is a node for tests: on loopback, on ports that happen to
// be free, and with the users of the tests.
type Settings struct {
	User, Password string // the only user, an administrator; guest may log in over loopback only

	Address string // the IP address to listen on, or empty for 127.0.0.1
	TLS     bool   // listens there with TLS only, and without on loopback

	Port           int // for AMQP without TLS, or 0 for one that is free; so are the others
	TLSPort        int // for AMQP over TLS
	ManagementPort int // for the management page and API, with TLS if TLS is set

	Keep bool // leaves the folder and what is in it as it is at the end
}

// Launch starts a node for people, which writes everything to dir, and waits until it is ready or ctx is done. dir is
// an existing folder: an empty one, or one that a node with Keep has left, whose data it takes up again. Unless Keep is
// set it is removed after this process has ended, whatever ends it.
func Launch(ctx context.Context, dir string, settings Settings) (*Node, error) {
	if settings.forTests() {
		return nil, errors.New("a node for people needs a user")
	}
	c := &cluster{home: dir}
	if !settings.Keep {
		hold, err := removeAtTheEnd(dir)
		if err != nil {
			return nil, err
		}
		c.inherited = []*os.File{hold}
	}
	nodes, err := start(ctx, c, settings, ".")
	if err != nil {
		return nil, err
	}
	return nodes[0], nil
}

func (s Settings) forTests() bool { return s.User == "" }

func (s Settings) address() string {
	if s.Address == "" {
		return "127.0.0.1"
	}
	return s.Address
}

// plainAddress is where the listeners without TLS are.
func (s Settings) plainAddress() string {
	if s.TLS {
		return "127.0.0.1"
	}
	return s.address()
}

// names are what the node's certificate is for: the loopback, and where the node listens.
func (s Settings) names() []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	ip := net.ParseIP(s.address())
	if ip.IsLoopback() {
		return names
	}
	if host, err := os.Hostname(); err == nil && host != "localhost" {
		names = append(names, host)
	}
	if !ip.IsUnspecified() {
		return append(names, ip.String())
	}
	return append(names, ownAddresses()...)
}

// Host is how other machines call this one, if the node listens for them.
func (n *Node) Host() string {
	ip := net.ParseIP(n.settings.address())
	if !ip.IsUnspecified() {
		return ip.String()
	}
	if own := ownAddresses(); len(own) > 0 {
		return own[0]
	}
	return "localhost"
}

// ownAddresses are this machine's addresses for others, those of IPv4 first.
func ownAddresses() (four []string) {
	addresses, _ := net.InterfaceAddrs()
	var six []string
	for _, address := range addresses {
		network, ok := address.(*net.IPNet)
		switch {
		case !ok || !network.IP.IsGlobalUnicast():
		case network.IP.To4() != nil:
			four = append(four, network.IP.String())
		default:
			six = append(six, network.IP.String())
		}
	}
	return append(four, six...)
}

// User is the name of the node's administrator.
func (n *Node) User() string {
	if n.settings.forTests() {
		return "guest"
	}
	return n.settings.User
}

// Password is the administrator's.
func (n *Node) Password() string {
	if n.settings.forTests() {
		return "guest"
	}
	return n.settings.Password
}

// Name is the node's name in its cluster. Where data is kept it must be the same each time.
func (n *Node) Name() string {
	if n.settings.forTests() {
		return fmt.Sprintf("test%d@localhost", n.Port())
	}
	return "broker@localhost"
}

// port is the wanted one, or else that of the node's own with this offset.
func (n *Node) port(wanted, offset int) int {
	if wanted != 0 {
		return wanted
	}
	return n.base + offset
}

// Port is the port for AMQP without TLS.
func (n *Node) Port() int { return n.port(n.settings.Port, amqpPort) }

// TLSPort is the port for AMQP over TLS, where clients may also log in by certificate (SASL EXTERNAL).
func (n *Node) TLSPort() int { return n.port(n.settings.TLSPort, tlsPort) }

// ManagementPort is the port of the management HTTP API without TLS.
func (n *Node) ManagementPort() int {
	if n.settings.TLS {
		return n.base + managementPort
	}
	return n.port(n.settings.ManagementPort, managementPort)
}

func (n *Node) managementTLSPort() int { return n.port(n.settings.ManagementPort, managementTLSPort) }

func (n *Node) hasTLS() bool { return n.settings.forTests() || n.settings.TLS }

// URL is the address of vhost, a plain name, for the administrator on this machine, without TLS. It names the vhost "/" too:
// what ends in a slash is the vhost without a name to amqp-tools.
func (n *Node) URL(vhost string) string {
	return "amqp://" + url.UserPassword(n.User(), n.Password()).String() + "@" + n.amqp() + "/" + url.PathEscape(vhost)
}

// PublicURL is the address of the vhost "/" for other machines: with TLS if the node has it.
func (n *Node) PublicURL() string {
	scheme, port := "amqp", n.Port()
	if n.settings.TLS {
		scheme, port = "amqps", n.TLSPort()
	}
	return address(scheme, url.UserPassword(n.User(), n.Password()), net.JoinHostPort(n.Host(), strconv.Itoa(port)), "/")
}

// ManagementURL is the address of the management page.
func (n *Node) ManagementURL() string {
	if n.settings.TLS {
		return "https://" + net.JoinHostPort(n.Host(), strconv.Itoa(n.managementTLSPort())) + "/"
	}
	return "http://" + net.JoinHostPort(n.Host(), strconv.Itoa(n.ManagementPort())) + "/"
}

// LocalManagementURL is the address of the management API for this machine, without TLS.
func (n *Node) LocalManagementURL() string { return "http://" + n.management() + "/" }

func address(scheme string, user *url.Userinfo, host, vhost string) string {
	path := url.PathEscape(vhost)
	if vhost == "/" {
		path = "" // the same, and easier to read
	}
	return scheme + "://" + user.String() + "@" + host + "/" + path
}

// amqp is where this machine reaches the listener without TLS.
func (n *Node) amqp() string { return n.local(n.settings.plainAddress(), n.Port()) }

// management is where this machine reaches the management API.
func (n *Node) management() string { return n.local(n.settings.plainAddress(), n.ManagementPort()) }

// reachable is where this machine reaches a port of the public address.
func (n *Node) reachable(port int) string { return n.local(n.settings.address(), port) }

func (n *Node) local(address string, port int) string {
	if ip := net.ParseIP(address); ip.IsUnspecified() {
		address = "127.0.0.1"
		if ip.To4() == nil {
			address = "::1"
		}
	}
	return net.JoinHostPort(address, strconv.Itoa(port))
}

// Free tells whether nobody listens on a port of this address, so that a node may.
func Free(address string, port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	_ = l.Close()
	// Somebody may listen on all addresses, which does not keep us off this one.
	c, err := net.DialTimeout("tcp", loopback(port), time.Second)
	if err == nil {
		_ = c.Close()
	}
	return err != nil
}
