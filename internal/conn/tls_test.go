package conn

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The name in the client certificate is who logs in, and keys that can't be used are called what they are.
func TestClientCertificate(t *testing.T) {
	clearEnvironment(t)
	pair := selfSigned(t)
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, block *pem.Block) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert := file("cert", &pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	good := file("key", &pem.Block{Type: "PRIVATE KEY", Bytes: key})
	nodes, err := settings("--auth", "external", "--cert", cert, "--key", good)
	if err != nil || nodes[0].commonName != "localhost" || nodes[0].userIn("NOT_ALLOWED") != "localhost" {
		t.Errorf("got %+v, %v", nodes, err)
	}
	for _, wrong := range []struct{ cert, key, want string }{
		{cert, file("pkcs8", &pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: key}), "holds an encrypted key"},
		{cert, file("old", &pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}, Bytes: key}), "holds an encrypted key"},
		{cert, filepath.Join(dir, "missing"), "--key: \"" + filepath.Join(dir, "missing") + "\": no such file or directory"},
		{dir, good, "--cert: \"" + dir + "\": is a directory"},
		{good, cert, "PEM inputs may have been switched"},
	} {
		_, err := settings("--cert", wrong.cert, "--key", wrong.key)
		if err == nil || !strings.Contains(err.Error(), wrong.want) || strings.Contains(err.Error(), "tls:") {
			t.Errorf("got %v, want %s", err, wrong.want)
		}
	}
}
