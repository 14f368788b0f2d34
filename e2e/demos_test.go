package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Each demo runs to its end by itself; it checks what it shows.
func TestDemos(t *testing.T) {
	demos, err := filepath.Glob("../demos/[0-9]*.sh")
	if err != nil || len(demos) == 0 {
		t.Fatalf("no demos: %v", err)
	}
	root := t.TempDir() // the demos take the programs from bin beside their own folder
	folder, err := filepath.Abs("../demos")
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"bin": bin, "demos": folder} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, demo := range demos {
		name := strings.TrimSuffix(filepath.Base(demo), ".sh")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vhost := "demo-" + name
			if err := node.AddVhost(vhost); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("bash", filepath.Join(root, "demos", name+".sh"))
			cmd.Env = append(os.Environ(), "AMQP_URL="+node.URL(vhost), "GORACE=atexit_sleep_ms=0")
			if output, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v:\n%s", err, output)
			}
		})
	}
}
