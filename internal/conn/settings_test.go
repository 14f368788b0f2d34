package conn

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"amqp-tutorials/internal/cli"
)

// settings parses a command line and returns the nodes it leads to. The environment is that of the test.
func settings(args ...string) ([]node, error) {
	s, p := &Settings{}, &cli.Program{Name: "test"}
	s.Flags(p)
	all := pflag.NewFlagSet("all", pflag.ContinueOnError)
	all.AddFlagSet(s.flags)
	all.AddFlagSet(s.tls)
	if err := all.Parse(args); err != nil {
		return nil, err
	}
	err := s.Check()
	return s.nodes, err
}

func clearEnvironment(t *testing.T) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AMQP_") {
			t.Setenv(name, "")
		}
	}
}

func TestPrecedence(t *testing.T) {
	type env map[string]string
	for _, test := range []struct {
		name string
		env  env
		args []string
		want string // USER:PASSWORD@HOST:PORT VHOST [tls]
	}{
		{"defaults", nil, nil, "guest:guest@localhost:5672 /"},
		{"AMQP_URL", env{"AMQP_URL": "amqp://a:b@h:1/v"}, nil, "a:b@h:1 v"},
		{"environment before AMQP_URL", env{"AMQP_URL": "amqp://a:b@h:1/v", "AMQP_USER": "u", "AMQP_VHOST": "e"}, nil, "u:b@h:1 e"},
		{"--url before the environment", env{"AMQP_USER": "u", "AMQP_VHOST": "e"}, []string{"--url", "amqp://a:b@h/v"}, "a:b@h:5672 v"},
		{"what --url leaves out", env{"AMQP_USER": "u", "AMQP_PASSWORD": "p", "AMQP_VHOST": "e"}, []string{"--url", "amqp://h"}, "u:p@h:5672 e"},
		{"a slash is the vhost /", env{"AMQP_VHOST": "e"}, []string{"--url", "amqp://h/"}, "guest:guest@h:5672 /"},
		{"--url hides AMQP_URL", env{"AMQP_URL": "amqp://a:b@h:1/v"}, []string{"--url", "amqp://other"}, "guest:guest@other:5672 /"},
		{
			"flags before all",
			env{"AMQP_USER": "u"},
			[]string{"--url", "amqp://a:b@h:1/v", "--host", "H", "--port", "2", "--user", "U", "--password", "P", "--vhost", "V"},
			"U:P@H:2 V",
		},
		{"percent-encoding ends in the URI", nil, []string{"--url", "amqp://us%40er:p%2Fw@h/%2Fv%25"}, "us@er:p/w@h:5672 /v%"},
		{"flags are taken as they are", nil, []string{"--vhost", "a/b%2F#", "--password", "p@:/%41"}, "guest:p@:/%41@localhost:5672 a/b%2F#"},
		{"a slash at the end is the vhost /", env{"AMQP_VHOST": "e"}, []string{"--url", "amqp://u:p@h:1/"}, "u:p@h:1 /"},
		{"in AMQP_URL too", env{"AMQP_URL": "amqp://h/"}, nil, "guest:guest@h:5672 /"},
		{"capital letters", nil, []string{"--url", "AMQP://h"}, "guest:guest@h:5672 /"},
		{"IPv6", nil, []string{"--url", "amqp://[::1]"}, "guest:guest@::1:5672 /"},
		{"IPv6 as a host", nil, []string{"--host", "::1"}, "guest:guest@::1:5672 /"},
		{"in brackets", nil, []string{"--host", "[::1]"}, "guest:guest@::1:5672 /"},
		{"IPv4", nil, []string{"--host", "127.0.0.2"}, "guest:guest@127.0.0.2:5672 /"},
		{"a name", nil, []string{"--host", "my_host.example."}, "guest:guest@my_host.example.:5672 /"},
		{"at the end of a path", nil, []string{"--url", "amqp://u:p@h/a@b"}, "u:p@h:5672 a@b"},
		{"amqps", nil, []string{"--url", "amqps://h"}, "guest:guest@h:5671 / tls"},
		{"--tls", nil, []string{"--tls"}, "guest:guest@localhost:5671 / tls"},
		{"a TLS flag implies TLS", nil, []string{"--server-name", "x"}, "guest:guest@localhost:5671 / tls"},
		{"a TLS variable implies TLS", env{"AMQP_SERVER_NAME": "x"}, nil, "guest:guest@localhost:5671 / tls"},
		{"but not against --url amqp://", env{"AMQP_SERVER_NAME": "x"}, []string{"--url", "amqp://h"}, "guest:guest@h:5672 /"},
		{"--tls=false", nil, []string{"--url", "amqps://h", "--tls=false"}, "guest:guest@h:5672 /"},
		{"a port given stays", nil, []string{"--url", "amqp://h:5672", "--tls"}, "guest:guest@h:5672 / tls"},
	} {
		t.Run(test.name, func(t *testing.T) {
			clearEnvironment(t)
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			nodes, err := settings(test.args...)
			if err != nil {
				t.Fatal(err)
			}
			n := nodes[0]
			got := n.user + ":" + n.password + "@" + n.host + ":" + n.port + " " + n.vhost
			if n.tls != nil {
				got += " tls"
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestSeveralURLs(t *testing.T) {
	clearEnvironment(t)
	nodes, err := settings("--url", "amqp://a,amqp://u:with,comma@b", "--url", "amqps://c", "--vhost", "v")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range nodes {
		got = append(got, n.password+"@"+n.address()+" "+n.vhost)
	}
	if want := "guest@a:5672 v; with,comma@b:5672 v; guest@c:5671 v"; strings.Join(got, "; ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, "; "), want)
	}
}

func TestQueryParameters(t *testing.T) {
	clearEnvironment(t)
	nodes, err := settings("--url", "amqp://h?heartbeat=5&connection_timeout=2500&channel_max=7&auth_mechanism=AMQPLAIN")
	if err != nil {
		t.Fatal(err)
	}
	if n := nodes[0]; n.heartbeat != 5*time.Second || n.timeout != 2500*time.Millisecond || n.channelMax != 7 || n.auth != "amqplain" {
		t.Errorf("got %+v", n)
	}
}

func TestPasswordFile(t *testing.T) {
	clearEnvironment(t)
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("s p@ce\r\nsecond line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	nodes, err := settings("--password-file", file)
	if err != nil || nodes[0].password != "s p@ce" {
		t.Errorf("got %+v, %v", nodes, err)
	}
}

// Wrong settings are usage errors, and no piece of a password is in them.
func TestWrongSettings(t *testing.T) {
	clearEnvironment(t)
	for _, args := range [][]string{
		{"--url", "http://user:topsecret@h"},
		{"--url", "amqp://user:topsecret/topsecret@h"},
		{"--url", "amqp://user:%zztopsecret@h"},
		{"--url", "amqp://user:top secret@h"},
		{"--url", "amqp://user:topsecret@h:port"},
		{"--url", "amqp://user:topsecret@h?heartbeat=x"},
		{"--url", "amqp://user:topsecret@h?surprise=1"},
		{"--url", "topsecret://user:topsecret@h:5672"},
		{"--url", ""},
		{"--url", "amqp:user:topsecret@h/x"},
		{"--url", "amqp:/user:topsecret@h"},
		{"--url", "AMQPS:user:topsecret@h"},
		{"--url", "user:top://secret@h"},
		{"--url", "user:topsecret@h"},
		{"--url", "h:5672"},
		{"--url", "localhost"},
		{"--url", "amqp://user:12/topsecret@h"},
		{"--url", "amqp://user:12?topsecret@h"},
		{"--url", "amqp://user:12?topsecret=@h"},
		{"--url", "amqp://user:12#topsecret@h"},
		{"--url", "amqp://h?verify=topsecret"},
		{"--url", "amqp://h:0"},
		{"--url", "amqp://h:70000"},
		{"--host", "amqp://user:topsecret@h"},
		{"--host", "amqp:/user:topsecret@h"},
		{"--host", "user:topsecret@h"},
		{"--host", "user:topsecret"},
		{"--host", "[::1]:5672"},
		{"--host", "[topsecret]:1"},
		{"--host", "[127.0.0.1]:5672"},
		{"--host", "h/x"},
		{"--host", "top secret"},
		{"--host", ""},
		{"--port", "0"},
		{"--auth", "user:topsecret@h"},
		{"--wait", "-1s"},
		{"--connection-name", strings.Repeat("n", 256)},
		{"--vhost", strings.Repeat("v", 256)},
		{"--password-file", "topsecret"},
		{"--password-file", "/does/not/exist"},
		{"--cacert", "/does/not/exist"},
		{"--cert", "only.pem"},
		{"--heartbeat", "1500ms"},
		{"--connect-timeout", "0s"},
		{"--auth", "magic"},
		{"--auth", "external"},
	} {
		_, err := settings(args...)
		var usage *cli.Error
		if !errors.As(err, &usage) || usage.Status != cli.WrongUsage {
			t.Errorf("%q: got %v, want a usage error", args, err)
			continue
		}
		if all := usage.Error() + usage.Hint; strings.Contains(all, "secret") {
			t.Errorf("%q: the error shows the password: %s", args, all)
		}
	}
}

func FuzzParseURI(f *testing.F) {
	f.Add("amqp://user:secret@host:5672/vhost?heartbeat=10")
	f.Add("amqps://[::1]:1/%2F?cacertfile=a")
	f.Fuzz(func(t *testing.T, text string) {
		parts, err := parseURI(text)
		if err == nil && parts["scheme"] != "amqp" && parts["scheme"] != "amqps" {
			t.Errorf("parseURI(%q) has the scheme %q", text, parts["scheme"])
		}
	})
}
