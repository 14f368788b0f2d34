package conn

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
)

// socketTo is a connection of which only the address is asked.
type socketTo struct {
	net.Conn
	ip string
}

func (s socketTo) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(s.ip), Port: 5672} }

func fromBroker(code int, reason string) *amqp.Error {
	return &amqp.Error{Code: code, Reason: reason, Server: true}
}

// The errors that a test on loopback can't provoke, and the broker's texts in the versions that are not at hand.
func TestExplainDial(t *testing.T) {
	for _, test := range []struct {
		name, ip, user string
		err            error
		why, hint      string
		final          bool
	}{
		{"guest from afar", "192.0.2.1", "guest", amqp.ErrCredentials, "login refused for user guest", "only from the broker's own machine", true},
		{"guest at home", "127.0.0.1", "guest", amqp.ErrCredentials, "wrong password", "--password-file", true},
		{"another user", "192.0.2.1", "bob", amqp.ErrCredentials, "login refused for user bob", "--password-file", true},
		{"a user with a password", "127.0.0.1", "bob:my-secret", amqp.ErrCredentials, "refused for the user that was given", "--password-file", true},
		{"a login that is too long", "127.0.0.1", strings.Repeat("u", 4000), errHungUp, "longer than RabbitMQ takes", "4 KiB", true},
		{"told why", "192.0.2.1", "bob", fromBroker(403, "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN."), "user bob", "--user", true},
		{"no vhost", "127.0.0.1", "bob", fromBroker(530, "NOT_ALLOWED - vhost nope not found"), "no vhost v", "add_vhost", true},
		{"no access", "127.0.0.1", "bob", fromBroker(530, "NOT_ALLOWED - access to vhost 'v' refused for user 'bob'"), "user bob has no access to vhost v", "set_permissions", true},
		{"too many", "127.0.0.1", "bob", fromBroker(530, "NOT_ALLOWED - connection refused for user 'bob': user connection limit (1) is reached"), "user connection limit (1) is reached", "set_user_limits", false},
		{"vhost down", "127.0.0.1", "bob", fromBroker(541, "INTERNAL_ERROR - vhost 'v' is down"), "vhost 'v' is down", "", false},
		{"no such mechanism", "127.0.0.1", "bob", amqp.ErrSASL, "does not offer SASL mechanism PLAIN", "--auth plain", true},
		{"hung up", "127.0.0.1", "bob", &amqp.Error{Code: 501, Reason: "EOF"}, "hung up during the AMQP handshake", "AMQP 0-9-1", false},
		{"hung up at the login", "127.0.0.1", "bob", errHungUp, "hung up during the login", "", false},
		{"the library's wrapping", "127.0.0.1", "bob", &amqp.Error{Code: 501, Reason: amqp.ErrFrame.Error()}, "does not speak plain AMQP", "check --port", true},
		{"another's name", "127.0.0.1", "bob", fromBroker(530, "NOT_ALLOWED - access to vhost 'v' refused for user 'CN=alice'"), "user CN=alice has no access to vhost v", "set_permissions", true},
		{"a reset", "127.0.0.1", "bob", &amqp.Error{Code: 501, Reason: "read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer"}, "hung up during the AMQP handshake", "AMQP 0-9-1", false},
		{"a socket's error", "127.0.0.1", "bob", &net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.ENETDOWN)}, "AMQP handshake: network is down", "", false},
		{"a TLS port", "127.0.0.1", "bob", &amqp.Error{Code: 501, Reason: "frame size exceeds negotiated frame_max"}, "does not speak plain AMQP", "--tls", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := node{host: "h", port: "5672", user: test.user, vhost: "v", auth: "plain"}
			err := n.explainDial(context.Background(), test.err, socketTo{ip: test.ip})
			var e *cli.Error
			if !errors.As(err, &e) || e.Status != cli.Unconnected {
				t.Fatalf("got %v, want an error with status %d", err, cli.Unconnected)
			}
			if strings.Contains(e.Why+e.Hint, "secret") {
				t.Errorf("it shows a password: %s", e.Why)
			}
			if !strings.Contains(e.Why, test.why) || !strings.Contains(e.Hint, test.hint) || final(err) != test.final {
				t.Errorf("got %q, hint %q, final %v", e.Why, e.Hint, final(err))
			}
		})
	}
}

func TestClassify(t *testing.T) {
	for _, test := range []struct {
		name  string
		err   error
		again bool
		lost  bool
	}{
		{"socket closed", &amqp.Error{Code: 501, Reason: "EOF"}, false, true},
		{"write to a closed socket", &net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}, false, true},
		{"shutdown", fromBroker(320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"), false, true},
		{"node gone", fromBroker(541, "INTERNAL_ERROR - nodedown"), false, true},
		{"deprecated feature denied", fromBroker(541, "INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated."), false, false},
		{"home node down", fromBroker(404, "NOT_FOUND - home node 'n2@localhost' of durable queue 'q' in vhost '/' is down or inaccessible"), false, true},
		{"no answer from the queue", fromBroker(404, "NOT_FOUND - failed to perform operation on queue 'q' in vhost '/' due to timeout"), false, true},
		{"no queue", fromBroker(404, "NOT_FOUND - no queue 'q' in vhost '/'"), false, false},
		{"locked", fromBroker(405, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q'"), false, false},
		{"locked by our lost connection", fromBroker(405, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q'"), true, true},
		{"no permission", fromBroker(403, "ACCESS_REFUSED - configure access to queue 'q' in vhost '/' refused for user 'bob'"), false, false},
		{"our own mistake", &amqp.Error{Code: 501, Reason: "amqp: shortstr \"...\" exceeds 255 bytes"}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := classify(test.err, test.again)
			var gone *LostError
			var refused *cli.Error
			if errors.As(err, &gone) != test.lost || errors.As(err, &refused) == test.lost {
				t.Errorf("got %T %v", err, err)
			}
			if strings.Contains(err.Error(), "write:") {
				t.Errorf("it shows its insides: %v", err)
			}
		})
	}
}

// Who was connected before has failed after connecting.
func TestLostForGood(t *testing.T) {
	n := node{host: "h", port: "5672", user: "bob", vhost: "v", auth: "plain"}
	refused := n.explainDial(context.Background(), amqp.ErrCredentials, socketTo{ip: "127.0.0.1"})
	var e *cli.Error
	if err := lostForGood(context.Background(), refused); !errors.As(err, &e) || e.Status != cli.Failed || e.Hint == "" {
		t.Errorf("got %v, want status %d and the hint", err, cli.Failed)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := lostForGood(ctx, refused); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped by the user: %v", err)
	}
}
