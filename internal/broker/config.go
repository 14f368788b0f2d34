package broker

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Passwords of the users beside guest, whose password is "guest".
const (
	AlicePassword = "alice-secret"
	BobPassword   = "bob-secret"
)

// A node's ports follow each other. They lie below the range from which systems take the ports of outgoing
// connections: a client that dials a broker that is down must not get its port, or even be connected to itself.
const (
	firstPort = 20000
	lastPort  = 30000
	perNode   = 8
)

// Offsets from Node.base.
const (
	guardPort = iota
	amqpPort
	tlsPort
	managementPort
	distributionPort
	epmdPort // the first node's is the cluster's
	managementTLSPort
)

// reserve finds free ports for a node. The listener on the first of them belongs to the test process, as long as the
// node may be restarted: tests of several packages run at once, and none takes ports of another's dead node.
func reserve() (guard net.Listener, base int, err error) {
	const blocks = (lastPort - firstPort) / perNode
	start := mathrand.IntN(blocks)
	for i := range blocks {
		base = firstPort + (start+i)%blocks*perNode
		guard, err = net.Listen("tcp", loopback(base+guardPort))
		if err != nil {
			continue
		}
		if allFree(base+amqpPort, base+managementTLSPort) {
			return guard, base, nil
		}
		_ = guard.Close()
	}
	return nil, 0, errors.Join(errors.New("no free ports for a broker"), err)
}

func allFree(from, to int) bool {
	for port := from; port <= to; port++ {
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (n *Node) file(name string) string { return filepath.Join(n.dir, name) }

// Installed tells whether there is a RabbitMQ on this machine that Start and Launch can use.
func Installed() bool {
	_, _, err := find()
	return err == nil
}

// find returns the commands rabbitmq-server and epmd.
func find() (server, epmd string, err error) {
	path := filepath.SplitList(os.Getenv("PATH"))
	// Outside of a user's PATH on Debian and Fedora, and on macOS.
	path = append(path, "/usr/lib/rabbitmq/bin", "/usr/local/sbin", "/opt/homebrew/sbin")
	for _, dir := range path {
		command, err := exec.LookPath(filepath.Join(dir, "rabbitmq-server"))
		if err != nil {
			continue
		}
		// The distributions' wrapper insists on the user rabbitmq and the system's folders.
		if file, err := filepath.EvalSymlinks(command); err == nil && filepath.Base(file) != "rabbitmq-script-wrapper" {
			server = command
			break
		}
	}
	if server == "" {
		return "", "", errors.New("no RabbitMQ on this machine: run scripts/install-rabbitmq (or: make test, which does)")
	}
	if epmd, err = exec.LookPath("epmd"); err == nil {
		return server, epmd, nil
	}
	erl, err := exec.LookPath("erl")
	if err != nil {
		return "", "", fmt.Errorf("RabbitMQ's Erlang: %w", err)
	}
	if erl, err = filepath.EvalSymlinks(erl); err != nil {
		return "", "", fmt.Errorf("RabbitMQ's Erlang: %w", err)
	}
	return server, filepath.Join(filepath.Dir(erl), "epmd"), nil
}

// environment is all that the node and rabbitmqctl see of the world: nothing that a system-wide RabbitMQ, or the
// user's own settings, could change.
func (n *Node) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + n.cluster.home, // Erlang's cookie
		"LANG=C.UTF-8",
		"ERL_CRASH_DUMP=" + n.file("crash"), // not in the working directory
		"ERL_EPMD_ADDRESS=127.0.0.1",
		"ERL_EPMD_PORT=" + strconv.Itoa(n.cluster.epmdPort()),
		"RABBITMQ_NODENAME=" + n.Name(),
		"RABBITMQ_CONF_ENV_FILE=" + n.file("none"), // not /etc/rabbitmq's
		"RABBITMQ_CONFIG_FILE=" + n.file("rabbitmq.conf"),
		"RABBITMQ_CONFIG_FILES=" + n.file("none"),
		"RABBITMQ_ADVANCED_CONFIG_FILE=" + n.file("none"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + n.file("plugins"),
		"RABBITMQ_MNESIA_BASE=" + n.file("data"),
		"RABBITMQ_LOG_BASE=" + n.file("logs"),
		"RABBITMQ_LOGS=-", // standard output: see spawn
		"RABBITMQ_PID_FILE=" + n.file("pid"),
		"RABBITMQ_DIST_PORT=" + strconv.Itoa(n.base+distributionPort),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
		"RABBITMQ_CTL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
	}
}

// writeConfig writes the files that the node reads at its start. The keys are the same in RabbitMQ 3.10 and 4.
func (n *Node) writeConfig() error {
	definitions, err := n.definitions()
	return errors.Join(
		err,
		os.WriteFile(n.file("rabbitmq.conf"), []byte(n.config()), 0o600),
		os.WriteFile(n.file("plugins"), []byte("[rabbitmq_management,rabbitmq_auth_mechanism_ssl].\n"), 0o600),
		os.WriteFile(n.file("definitions.json"), definitions, 0o600),
	)
}

func (n *Node) config() string {
	plain := n.settings.plainAddress()
	conf := fmt.Sprintf(`listeners.tcp.default = %s:%d
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = AMQPLAIN
auth_mechanisms.3 = EXTERNAL
management.tcp.ip = %s
management.tcp.port = %d
load_definitions = %s
# The management API's numbers are at most this old (ms).
collect_statistics_interval = 500
# The machine may be short of disk space.
disk_free_limit.absolute = 1MB
# As in RabbitMQ 3; 4 takes 16 MiB unless told otherwise.
max_message_size = 134217728
`, plain, n.Port(), plain, n.ManagementPort(), n.file("definitions.json"))
	if n.hasTLS() {
		conf += fmt.Sprintf(`listeners.ssl.default = %s:%d
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
ssl_cert_login_from = common_name
`, n.settings.address(), n.TLSPort()) + n.certificates("ssl_options")
	}
	if n.settings.TLS {
		conf += fmt.Sprintf("management.ssl.ip = %s\nmanagement.ssl.port = %d\n", n.settings.address(), n.managementTLSPort()) +
			n.certificates("management.ssl")
	}
	return conf + n.cluster.formation(n)
}

// certificates are the lines that name the node's certificate, for one kind of listener.
func (n *Node) certificates(listener string) string {
	return fmt.Sprintf("%[1]s.cacertfile = %[2]s\n%[1]s.certfile = %[3]s\n%[1]s.keyfile = %[4]s\n",
		listener, n.CAFile(), n.cluster.file("server.pem"), n.cluster.file("server.key"))
}

type object = map[string]any

func (n *Node) definitions() ([]byte, error) {
	permission := func(vhost, user, all, read string) object {
		return object{"vhost": vhost, "user": user, "configure": all, "write": all, "read": read}
	}
	vhosts := []object{{"name": "/"}}
	users := []object{user(n.User(), n.Password(), "administrator")}
	permissions := []object{permission("/", n.User(), ".*", ".*")}
	if n.settings.forTests() {
		vhosts = append(vhosts, object{"name": "domain1"})
		users = append(users, user("alice", AlicePassword, ""), user("bob", BobPassword, ""))
		permissions = append(permissions,
			permission("domain1", "guest", ".*", ".*"),
			permission("/", "alice", ".*", ".*"),
			permission("domain1", "alice", ".*", ".*"),
			permission("domain1", "bob", "", ".*"),
		)
	}
	return json.Marshal(object{"vhosts": vhosts, "users": users, "permissions": permissions})
}

// user has its password hashed as RabbitMQ does it: four random bytes, then the SHA-256 of these and the password.
func user(name, password, tags string) object {
	hash := make([]byte, 4, 4+sha256.Size)
	_, _ = rand.Read(hash) // never fails
	sum := sha256.Sum256(append(hash, password...))
	return object{
		"name":              name,
		"password_hash":     base64.StdEncoding.EncodeToString(append(hash, sum[:]...)),
		"hashing_algorithm": "rabbit_password_hashing_sha256",
		"tags":              tags,
	}
}
