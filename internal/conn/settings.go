// Package conn is the one way by which the ten programs reach a broker: where it is and who they are (flags,
// environment, AMQP URIs), TLS, dialling, what the broker's refusals mean, and keeping a session alive over lost
// connections.
package conn

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/spf13/pflag"

	"amqp-tutorials/internal/cli"
)

// Settings say which broker to connect to, as whom, and how. Each single setting is taken from its flag, else from
// the URI given by --url, else from the environment, else from the URI in AMQP_URL, else from the default
// amqp://guest:guest@localhost:5672/.
type Settings struct {
	urls        []string
	wait        time.Duration
	noReconnect bool
	verbose     int // how many -v
	check       bool
	name        string

	flags *pflag.FlagSet // of the group "Connection"
	tls   *pflag.FlagSet // of the group "TLS"
	nodes []node         // where to connect, found by Check: the nodes of one cluster

	warned bool
	pause  backoff.BackOff // between attempts to connect; nil: see pauses
}

// Flags adds the flags that all ten programs share.
func (s *Settings) Flags(p *cli.Program) {
	f := p.LastGroup("Connection")
	f.StringArrayVarP(&s.urls, "url", "u", nil, "connect to the broker at this AMQP `URI`; several, or a comma-separated list, are the nodes of one cluster [AMQP_URL]\n(default amqp://guest:guest@localhost:5672/)")
	f.String("host", "", "connect to this host, by `NAME` or address")
	f.Uint16("port", 0, "connect to this `PORT` (default 5672, with TLS 5671)")
	f.String("user", "", "log in as `NAME` [AMQP_USER] (default guest)")
	f.String("password", "", "log in with `PASSWORD`, which ps shows to the machine's other users [AMQP_PASSWORD]")
	f.String("password-file", "", "log in with the first line of `FILE` as the password")
	f.String("vhost", "", "use the virtual host `NAME`, which is never percent-encoded [AMQP_VHOST] (default /)")
	f.Var(cli.NewChoice(new(string), mechanisms()...), "auth", "log in by this SASL `MECHANISM`; external is by client certificate (default plain)")
	f.Duration("connect-timeout", 0, "give up one attempt to connect after `DURATION` (default 10s)")
	f.Duration("heartbeat", 0, "exchange heartbeats every `DURATION`, in whole seconds; 0: as the broker has it (default 10s)")
	f.DurationVar(&s.wait, "wait", 0, "keep trying the first connection for `DURATION`")
	f.BoolVar(&s.check, "check", false, "only connect and log in, and say to which broker, vhost and TLS; exit status 0, or 3 if that fails")
	f.BoolVar(&s.noReconnect, "no-reconnect", false, "exit 1 when the connection is lost instead of connecting again")
	host, _ := os.Hostname()
	f.StringVar(&s.name, "connection-name", fmt.Sprintf("%s@%s:%d", p.Name, host, os.Getpid()), "be called `NAME` on the broker's management page")
	f.Lookup("connection-name").DefValue = "PROGRAM@HOST:PID"
	p.Exclusive("password", "password-file")
	f.CountVarP(&s.verbose, "verbose", "v", "tell each AMQP method on standard error; sent (->) or received (<-); -vv the handshake, heartbeats, channels and times too, and values in full")
	s.flags = f

	t := p.LastGroup("TLS")
	t.Bool("tls", false, "connect by TLS; amqps:// and every other flag of this group imply it")
	t.String("cacert", "", "trust the CA in this PEM `FILE` to sign the broker's certificate [AMQP_CACERT] (default the system's CAs)")
	t.String("cert", "", "show the broker the client certificate in this PEM `FILE` [AMQP_CERT]")
	t.String("key", "", "read its private key from this PEM `FILE` [AMQP_KEY]")
	t.String("server-name", "", "expect `NAME` in the broker's certificate [AMQP_SERVER_NAME] (default the host)")
	t.Bool("insecure", false, "do not verify the broker's certificate")
	s.tls = t
}

// Cluster says whether the user has named several nodes.
func (s *Settings) Cluster() bool { return len(s.nodes) > 1 }

// mostName is how long a connection's name may be. RabbitMQ hangs up on a client that says more of itself than fits
// into 4 KiB, its login included.
const mostName = 255

// mostPassword is more than any broker takes, and less than what a device such as /dev/zero holds.
const mostPassword = 1 << 20

// Check works out the nodes to connect to.
func (s *Settings) Check() error {
	switch {
	case s.wait < 0:
		return cli.Usage("", "--wait: %s is less than nothing", s.wait)
	case s.flags.Changed("url") && len(splitURLs(s.urls...)) == 0:
		return cli.Usage("", "--url: the URI is empty") // that of an unset variable, which is not to lead to this machine
	case len(s.name) > mostName:
		return cli.Usage("", "--connection-name: at most %d bytes, not %d", mostName, len(s.name))
	}
	flags, err := s.given()
	if err != nil {
		return err
	}
	env := environment()
	urls, fromFlag := splitURLs(s.urls...), true
	if len(urls) == 0 {
		urls, fromFlag = splitURLs(os.Getenv("AMQP_URL")), false
	}
	if len(urls) == 0 {
		urls = []string{"amqp://"}
	}
	for _, text := range urls {
		uri, err := parseURI(text)
		if err != nil {
			return err
		}
		layers := []parts{flags, env, uri, defaults()}
		if fromFlag {
			layers = []parts{flags, uri, env, defaults()}
		}
		n, err := newNode(layers)
		if err != nil {
			return err
		}
		s.nodes = append(s.nodes, n)
	}
	return nil
}

// given collects the settings named on the command line.
func (s *Settings) given() (parts, error) {
	p := parts{}
	collect := func(flag *pflag.Flag) {
		if flag.Changed {
			p[flag.Name] = flag.Value.String()
		}
	}
	s.flags.VisitAll(collect)
	s.tls.VisitAll(collect)
	if host, ok := p["host"]; ok {
		plain, err := plainHost(host)
		if err != nil {
			return nil, err
		}
		p["host"] = plain
	}
	if file, ok := p["password-file"]; ok {
		password, err := firstLine(file)
		if err != nil { // whose path may be a password that was meant for --password
			return nil, cli.Usage("the file's first line is the password", "--password-file: the file can't be read: %s", cli.Cause(err))
		}
		p["password"] = password
	}
	return p, nil
}

func environment() parts {
	p := parts{}
	for _, name := range []struct{ variable, setting string }{
		{"AMQP_USER", "user"},
		{"AMQP_PASSWORD", "password"},
		{"AMQP_VHOST", "vhost"},
		{"AMQP_CACERT", "cacert"},
		{"AMQP_CERT", "cert"},
		{"AMQP_KEY", "key"},
		{"AMQP_SERVER_NAME", "server-name"},
	} {
		if value := os.Getenv(name.variable); value != "" {
			p[name.setting] = value
		}
	}
	return p
}

// defaults are those of the tutorials: RabbitMQ as it is after installation, on this machine.
func defaults() parts {
	return parts{
		"host": "localhost", "user": "guest", "password": "guest", "vhost": "/", "auth": "plain",
		"connect-timeout": "10s", "heartbeat": "10s",
	}
}

func firstLine(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	line, err := bufio.NewReader(io.LimitReader(f, mostPassword)).ReadString('\n')
	if err == io.EOF {
		err = nil // a last line needs no end
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), err
}
