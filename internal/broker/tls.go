package broker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// CAFile is the certificate of the authority that signed the node's certificate and alice's. A cluster has one set of certificates.
func (n *Node) CAFile() string { return n.cluster.file("ca.pem") }

// OtherCAFile is the certificate of an authority that signed neither.
func (n *Node) OtherCAFile() string { return n.cluster.file("other-ca.pem") }

// CertFile is a client certificate whose common name is alice: what SASL EXTERNAL logs her in with.
func (n *Node) CertFile() string { return n.cluster.file("alice.pem") }

// KeyFile is the private key of CertFile.
func (n *Node) KeyFile() string { return n.cluster.file("alice.key") }

// certificate is a certificate with the key that belongs to it.
type certificate struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

// validFor is long enough for a course.
const validFor = 365 * 24 * time.Hour

// makeCertificates writes an authority, and a server's certificate signed by it for these names and addresses, to dir.
// The authority is kept if it is there already and has some time left: others have its certificate.
func makeCertificates(dir string, names []string) error {
	ca, err := load(dir, "ca")
	if err != nil || time.Until(ca.NotAfter) < validFor/12 {
		ca, err = issue(dir, "ca", authority("private CA"), nil)
	}
	if err != nil {
		return err
	}
	server := &x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, name)
		}
	}
	_, err = issue(dir, "server", server, ca)
	return err
}

// makeTestCertificates adds a client's certificate, and an authority that has signed nothing.
func makeTestCertificates(dir string) error {
	ca, err := load(dir, "ca")
	if err != nil {
		return err
	}
	_, errOther := issue(dir, "other-ca", authority("another CA"), nil)
	_, errClient := issue(dir, "alice", &x509.Certificate{
		Subject:     pkix.Name{CommonName: "alice"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca)
	return errors.Join(errOther, errClient)
}

func authority(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
}

// load reads what issue has written.
func load(dir, name string) (*certificate, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key"))
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s.key: not a key of ours", name)
	}
	return &certificate{pair.Leaf, key}, nil
}

// issue completes and signs template, by itself if ca is nil, and writes name.pem and name.key to dir.
func issue(dir, name string, template *x509.Certificate, ca *certificate) (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template.SerialNumber = big.NewInt(now.UnixNano())
	template.NotBefore, template.NotAfter = now.Add(-time.Hour), now.Add(validFor)
	if ca == nil {
		ca = &certificate{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Certificate, &key.PublicKey, ca.key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &certificate{cert, key}, errors.Join(
		err,
		writePEM(filepath.Join(dir, name+".pem"), "CERTIFICATE", der),
		writePEM(filepath.Join(dir, name+".key"), "PRIVATE KEY", keyDER),
	)
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
