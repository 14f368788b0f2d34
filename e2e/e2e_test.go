// Package e2e tests the contract of the ten programs as their users meet it: as scripts that run the real binaries,
// built with the race detector, against a real broker. There is one script for each tutorial and each promise.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"amqp-tutorials/internal/broker"
)

// Of the whole run: where the programs are, and the broker. Each script has a vhost of its own.
var (
	bin  string
	node *broker.Node
)

func TestMain(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		_ = parallel.Value.Set(strconv.Itoa(2 * runtime.GOMAXPROCS(0))) // scripts wait more than they compute
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	bin = filepath.Join(dir, "bin")
	build := exec.Command("go", "build", "-race", "-o", bin+"/", "../cmd/...")
	if output, err := build.CombinedOutput(); err != nil {
		return fail(fmt.Errorf("%s: %w\n%s", build, err, output))
	}
	data := filepath.Join(dir, "broker")
	if err := os.Mkdir(data, 0o700); err != nil {
		return fail(err)
	}
	node, err = broker.Start(data)
	if err != nil {
		return fail(err)
	}
	defer node.Stop()
	return m.Run()
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		Setup:               setup,
		Cmds:                commands,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// setup gives a script its environment: the programs on the PATH, its own vhost, the broker's ports and certificates.
func setup(env *testscript.Env) error {
	vhost := filepath.Base(filepath.Dir(env.WorkDir)) + "-" + filepath.Base(env.WorkDir)
	if err := node.AddVhost(vhost); err != nil {
		return err
	}
	env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
	env.Setenv("GORACE", "atexit_sleep_ms=0")
	env.Setenv("PYTHONDONTWRITEBYTECODE", "1")
	env.Setenv("VHOST", vhost)
	env.Setenv("AMQP_URL", node.URL(vhost))
	env.Setenv("PORT", fmt.Sprint(node.Port()))
	env.Setenv("TLSPORT", fmt.Sprint(node.TLSPort()))
	env.Setenv("HTTPPORT", fmt.Sprint(node.ManagementPort()))
	env.Setenv("CA", node.CAFile())
	env.Setenv("OTHERCA", node.OtherCAFile())
	env.Setenv("CERT", node.CertFile())
	env.Setenv("KEY", node.KeyFile())
	env.Setenv("ALICEPASSWORD", broker.AlicePassword)
	env.Setenv("BOBPASSWORD", broker.BobPassword)
	peers, err := filepath.Abs("testdata/peers")
	if err != nil {
		return err
	}
	env.Setenv("PEERS", peers)
	env.Values[background] = map[string]*process{}
	env.Defer(func() { killAll(env.Values[background].(map[string]*process)) })
	return nil
}
