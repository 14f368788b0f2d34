package broker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
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

// makeCertificates writes two authorities, and a server's and a client's certificate signed by the first, to dir.
func makeCertificates(dir string) error {
	authority := func(name string) *x509.Certificate {
		return &x509.Certificate{
			Subject:               pkix.Name{CommonName: name},
			IsCA:                  true,
			BasicConstraintsValid: true,
			KeyUsage:              x509.KeyUsageCertSign,
		}
	}
	ca, err := issue(dir, "ca", authority("private CA"), nil)
	if err != nil {
		return err
	}
	_, errOther := issue(dir, "other-ca", authority("another CA"), nil)
	_, errServer := issue(dir, "server", &x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca)
	_, errClient := issue(dir, "alice", &x509.Certificate{
		Subject:     pkix.Name{CommonName: "alice"},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca)
	return errors.Join(errOther, errServer, errClient)
}

// issue completes and signs template, by itself if ca is nil, and writes name.pem and name.key to dir.
func issue(dir, name string, template *x509.Certificate, ca *certificate) (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template.SerialNumber = big.NewInt(now.UnixNano())
	template.NotBefore, template.NotAfter = now.Add(-time.Hour), now.Add(24*time.Hour)
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
