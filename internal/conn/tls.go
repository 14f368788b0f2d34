package conn

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"

	"amqp-tutorials/internal/cli"
)

// wantsTLS says whether one of the layers asks for TLS before another says that there shall be none: by --tls, by
// any of the TLS settings, or by the scheme amqps. A plain amqp:// under --url is an answer too: certificates named
// in the environment do not overrule it.
func wantsTLS(layers []parts) bool {
	for _, layer := range layers {
		if explicit, ok := layer["tls"]; ok {
			return explicit == "true"
		}
		for _, name := range []string{"cacert", "cert", "key", "server-name", "insecure"} {
			if layer[name] != "" && layer[name] != "false" {
				return true
			}
		}
		if scheme, ok := layer["scheme"]; ok {
			return scheme == "amqps"
		}
	}
	return false
}

// setTLS prepares the node's TLS: version 1.2 at least, and the broker's certificate verified unless the user has
// said otherwise (https://www.rabbitmq.com/docs/ssl).
func (n *node) setTLS(get func(string) string) error {
	n.tls = &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         get("server-name"),
		InsecureSkipVerify: get("insecure") == "true",
	}
	if n.tls.ServerName == "" {
		n.tls.ServerName = n.host
	}
	if file := get("cacert"); file != "" {
		authority, err := pemFile("--cacert", file)
		if err != nil {
			return err
		}
		n.tls.RootCAs = x509.NewCertPool()
		if !n.tls.RootCAs.AppendCertsFromPEM(authority) {
			return cli.Usage("", "--cacert: %s holds no PEM certificate", cli.Quote(file))
		}
	}
	return n.setCertificate(get("cert"), get("key"))
}

func (n *node) setCertificate(cert, key string) error {
	if cert == "" && key == "" {
		return nil
	}
	if cert == "" || key == "" {
		return cli.Usage("", "--cert and --key go together: a client certificate and its private key")
	}
	certificate, err := pemFile("--cert", cert)
	if err != nil {
		return err
	}
	private, err := pemFile("--key", key)
	if err != nil {
		return err
	}
	if encrypted(private) {
		return cli.Usage("openssl pkey -in FILE -out OTHERFILE asks for its passphrase, and writes it without one",
			"--key: %s holds an encrypted key, which can't be used", cli.Quote(key))
	}
	pair, err := tls.X509KeyPair(certificate, private)
	if err != nil {
		return cli.Usage("", "--cert, --key: %s", strings.TrimPrefix(err.Error(), "tls: "))
	}
	n.commonName = pair.Leaf.Subject.CommonName
	// Certificates would be withheld if the broker's list of CAs lacked theirs, and the broker would complain of a
	// missing certificate instead of saying what is wrong with this one.
	n.tls.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return nil
}

func pemFile(flag, file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, cli.Usage("", "%s: %s: %s", flag, cli.Quote(file), cli.Cause(err))
	}
	return text, nil
}

// encrypted says whether a key wants a passphrase, in either of the forms in which openssl writes one.
func encrypted(text []byte) bool {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return false
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return true
		}
		text = rest
	}
}
