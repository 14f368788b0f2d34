package conn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"

	"amqp-tutorials/internal/cli"
)

// dialError is a failed connection attempt. final marks those that trying again can't mend.
type dialError struct {
	failure
	final bool
}

type failure = cli.Error

func (e *dialError) Unwrap() error { return &e.failure }

func final(err error) bool {
	var d *dialError
	return !errors.As(err, &d) || d.final
}

// explainDial turns what went wrong between the socket and connection.open-ok into one line and, where the cause is
// known, a hint. socket is nil if there never was one.
func (n *node) explainDial(ctx context.Context, err error, socket net.Conn) error {
	err = cause(err, socket)
	e := &dialError{failure: failure{Status: cli.Unconnected, What: "connecting to " + n.address(), Why: err.Error()}}
	var refused *amqp.Error
	switch {
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		e.Why = "no answer within " + n.timeout.String()
		e.Hint = "is that an AMQP port, and does a firewall let it through? --connect-timeout waits longer"
	case ctx.Err() != nil:
		e.Why, e.final = "interrupted", true
		if cause := context.Cause(ctx); cause != context.Canceled {
			e.Why = cause.Error()
		}
	case socket == nil:
		n.explainTCP(e, err)
	case errors.As(err, &refused):
		n.explainRefusal(e, refused, socket)
	default:
		n.explainTLS(e, err)
	}
	return e
}

func (n *node) explainTCP(e *dialError, err error) {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Why = "no host has this name"
		e.Hint = "check --host or the URI"
	case errors.As(err, &dns):
		e.Why = "looking up the host: " + dns.Err
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Why = "connection refused: nothing listens there"
		e.Hint = "start a broker (from the project's folder: make broker), or say where one is with --url or AMQP_URL"
	default:
		e.Why = cli.Cause(err)
	}
}

// explainTLS: the errors are those of crypto/tls and crypto/x509.
func (n *node) explainTLS(e *dialError, err error) {
	var (
		authority    x509.UnknownAuthorityError
		name         x509.HostnameError
		invalid      x509.CertificateInvalidError
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &authority):
		e.Why = "the broker's certificate is signed by an authority that is not known here"
		e.Hint = "--cacert FILE names the certificate of the CA that signed it"
	case errors.As(err, &name):
		e.Why = "the broker's certificate is not for " + n.tls.ServerName + ": " + strings.TrimPrefix(name.Error(), "x509: ")
		e.Hint = "connect by a name that it carries, or expect one of them with --server-name"
	case errors.As(err, &invalid):
		e.Why = "the broker's certificate is not valid: " + strings.TrimPrefix(invalid.Error(), "x509: ")
	case errors.As(err, &verification):
		e.Why = "the broker's certificate can't be verified: " + strings.TrimPrefix(verification.Err.Error(), "x509: ")
	case errors.As(err, &record):
		e.Why, e.Hint = noTLS(record.RecordHeader[:])
	default:
		e.final = n.explainHandshake(e, err)
		return
	}
	e.final = true
}

// noTLS is about a port that answered the TLS handshake with these bytes.
func noTLS(first []byte) (why, hint string) {
	if what := foreign(first); what != "" && what != amqpServer {
		return "the port does not speak TLS: it is that of " + what, wrongPort
	}
	return "the port does not speak TLS", "leave out --tls (amqp:// instead of amqps://), or use the broker's TLS port, usually 5671"
}

// explainHandshake is about a handshake, TLS's or if there is none AMQP's, that the other side has ended. It says whether
// that is final.
func (n *node) explainHandshake(e *dialError, err error) (final bool) {
	text, protocol := err.Error(), "TLS"
	if n.tls == nil {
		protocol = "AMQP"
	}
	switch {
	case strings.Contains(text, remoteAlert):
		return explainAlert(e, alertOf(text))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		e.Why = "the other side hung up during the " + protocol + " handshake"
		e.Hint = "is that the broker's port for " + protocol + "? " + wrongPort
		return false
	}
	e.Why = protocol + " handshake: " + strings.TrimPrefix(cli.Cause(err), "tls: ")
	return strings.HasPrefix(cli.Cause(err), "tls: ")
}

// remoteAlert begins what crypto/tls says of an alert from the other side: in TLS 1.2 it comes during the handshake, in
// TLS 1.3 with the first bytes that are read, and so through the AMQP library, which keeps the text only.
const remoteAlert = "remote error: tls: "

// alertOf is the alert's name as it stands in the text.
func alertOf(text string) string {
	_, alert, _ := strings.Cut(text, remoteAlert)
	return alert
}

// explainAlert says what a TLS alert (RFC 8446, section 6.2, in crypto/tls's words) means. It says whether that is final.
func explainAlert(e *dialError, alert string) (final bool) {
	e.Why = "TLS refused by the broker: " + alert
	switch {
	case strings.Contains(alert, "certificate"), alert == "handshake failure", alert == "access denied":
		e.Hint = "does it ask for a client certificate (--cert, --key), and does it trust the CA that signed it?"
	case alert == "unrecognized name":
		e.Hint = "--server-name NAME asks for the name that its certificate carries"
	case strings.Contains(alert, "protocol version"):
		e.Hint = "TLS 1.2 is the oldest version that is spoken here"
	}
	return alert != "internal error" && alert != "user canceled"
}

// mostLogin is how many bytes of user and password fit surely into RabbitMQ's first frame, beside what a client says of
// itself.
const mostLogin = 3000

// errHungUp stands for a connection that ended without a word when the client had said who it is.
var errHungUp = &amqp.Error{Code: amqp.FrameError, Reason: "the broker hung up during the login"}

// explainRefusal: the socket was there and the AMQP handshake failed. The reasons are RabbitMQ's
// (https://www.rabbitmq.com/docs/access-control#loopback-users for guest).
func (n *node) explainRefusal(e *dialError, refused *amqp.Error, socket net.Conn) {
	e.Why = reason(refused)
	switch {
	case refused.Server && refused.Code == amqp.NotAllowed && strings.Contains(refused.Reason, "not found"):
		e.final = true
		e.Why = "there is no vhost " + n.vhost + " on this broker"
		e.Hint = "rabbitmqctl add_vhost creates one; --vhost takes the plain name, in a URI / is written %2F"
	case refused.Server && refused.Code == amqp.NotAllowed && strings.Contains(refused.Reason, "connection limit ("):
		e.Hint = "wait until others have gone (--wait), or let an administrator raise the limit (rabbitmqctl set_vhost_limits, set_user_limits)"
	case refused.Server && refused.Code == amqp.NotAllowed && strings.Contains(refused.Reason, "refused for user"):
		e.final = true
		e.Why = "user " + n.userIn(refused.Reason) + " has no access to vhost " + n.vhost
		e.Hint = "rabbitmqctl set_permissions -p VHOST USER CONFIGURE WRITE READ grants it"
	case errors.Is(refused, amqp.ErrSASL):
		e.final = true
		e.Why = "the broker does not offer SASL mechanism " + strings.ToUpper(n.auth)
		e.Hint = "EXTERNAL is offered on TLS ports with the plugin rabbitmq_auth_mechanism_ssl; try --auth plain"
	case errors.Is(refused, amqp.ErrCredentials), refused.Server && refused.Code == amqp.AccessRefused:
		e.final = true
		e.Why, e.Hint = n.explainLogin(socket)
	case refused == errHungUp && len(n.user)+len(n.password) > mostLogin:
		e.final = true
		e.Why += ", which is longer than RabbitMQ takes"
		e.Hint = "user and password have to fit into its first frame of 4 KiB"
	case errors.Is(refused, amqp.ErrVhost):
		e.Why = "the broker hung up when asked for vhost " + n.vhost
	case strings.Contains(refused.Reason, remoteAlert):
		e.final = explainAlert(e, alertOf(refused.Reason))
	case foreign(heard(socket)) != "", refused.Code == amqp.FrameError && strings.Contains(refused.Reason, "frame"):
		e.final = true
		e.Why, e.Hint = noAMQP(heard(socket))
	case hungUp(refused):
		e.Why = "the other side hung up during the AMQP handshake"
		e.Hint = "is that an AMQP 0-9-1 broker's port? " + wrongPort
	}
}

// hungUp says whether the connection just ended.
func hungUp(e *amqp.Error) bool {
	return errors.Is(e, amqp.ErrClosed) || strings.Contains(e.Reason, io.EOF.Error()) ||
		strings.Contains(e.Reason, syscall.ECONNRESET.Error()) || strings.Contains(e.Reason, syscall.EPIPE.Error())
}

// noAMQP is about a port whose first bytes, as far as they are known, are no AMQP 0-9-1.
func noAMQP(first []byte) (why, hint string) {
	switch what := foreign(first); {
	case what == tlsServer:
		return "the port does not speak plain AMQP 0-9-1: it wants TLS", "add --tls, or use amqps://"
	case what != "":
		return "the port does not speak AMQP 0-9-1: it is that of " + what, wrongPort
	case len(first) == 0:
		return "the port does not speak plain AMQP 0-9-1", wrongPort + "; if it is the broker's TLS port, add --tls (or use amqps://)"
	}
	return "the port does not speak AMQP 0-9-1", wrongPort
}

// userIn is the user whom the broker has refused, by the name that the broker knows: with a client certificate that is
// the certificate's common name, or what else the broker makes of it.
func (n *node) userIn(reason string) string {
	_, name, found := strings.Cut(reason, "refused for user '")
	if name, _, closed := strings.Cut(name, "'"); found && closed {
		return name
	}
	if n.auth == "external" {
		return n.commonName
	}
	return n.user
}

// explainLogin: RabbitMQ does not say why it refuses a login, and takes some seconds for it.
func (n *node) explainLogin(socket net.Conn) (why, hint string) {
	switch {
	case n.auth == "external" && n.commonName == "":
		return "login by client certificate refused: there is none, or it has no common name",
			"--cert and --key must name a certificate whose common name is a user of the broker"
	case n.auth == "external":
		return "login by client certificate refused for " + n.commonName,
			"--cert and --key must name a certificate whose common name is a user of the broker"
	case n.user == "guest" && !loopback(socket):
		return "login refused for user guest",
			"RabbitMQ lets guest log in only from the broker's own machine: create a user (rabbitmqctl add_user) and log in with --user and --password-file"
	case strings.Contains(n.user, ":"):
		return "login refused for the user that was given, who is not shown because it may hold a password",
			"--user takes the name alone, --password-file or AMQP_PASSWORD the password"
	default:
		return "login refused for user " + n.user + ": unknown user or wrong password",
			"--user and --password-file, AMQP_USER and AMQP_PASSWORD, or amqp://USER:PASSWORD@HOST say who logs in"
	}
}
