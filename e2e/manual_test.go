package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// docs/manual.md is what the programs' --help says, no more and no less.
func TestManual(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../docs/manual.md")
	if err != nil {
		t.Fatalf("%v: run make manual", err)
	}
	intro, _, _ := strings.Cut(string(manual), "\n## ")
	var want strings.Builder
	want.WriteString(intro)
	for _, program := range []string{
		"send", "receive", "new_task", "worker", "emit_log",
		"receive_logs", "emit_log_direct", "emit_log_topic", "rpc_server", "rpc_client",
	} {
		cmd := exec.Command(filepath.Join(bin, program), "--help")
		cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
		help, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s --help: %v", program, err)
		}
		want.WriteString("\n## " + program + "\n\n```\n" + string(help) + "```\n")
	}
	if string(manual) != want.String() {
		t.Error("docs/manual.md is not what --help says: run make manual")
	}
}
