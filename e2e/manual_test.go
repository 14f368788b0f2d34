package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// programs are the ten, in the order of the tutorials.
func programs() []string {
	return []string{
		"send", "receive", "new_task", "worker", "emit_log",
		"receive_logs", "emit_log_direct", "emit_log_topic", "rpc_server", "rpc_client",
	}
}

// output is what a program prints for a terminal of so many columns.
func output(t *testing.T, columns, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, program), args...)
	cmd.Env = append(os.Environ(), "COLUMNS="+columns, "GORACE=atexit_sleep_ms=0")
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v", program, args, err)
	}
	return string(text)
}

// -h has room on one screen, and shows every flag that the program counts to its lesson. No line of --help is longer than
// the terminal is wide.
func TestScreens(t *testing.T) {
	t.Parallel()
	lesson := regexp.MustCompile(`Lesson: +\[\]string\{(.*)\}`)
	for _, program := range programs() {
		screen := output(t, "200", program, "-h")
		if n := strings.Count(screen, "\n"); n > 24 {
			t.Errorf("%s -h has %d lines", program, n)
		}
		for line := range strings.Lines(screen + output(t, "80", program, "--help")) {
			if utf8.RuneCountInString(line) > 81 {
				t.Errorf("%s: more than 80 columns: %s", program, line)
			}
		}
		source, err := os.ReadFile(filepath.Join("../cmd", program, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		names := lesson.FindStringSubmatch(string(source))
		if names == nil {
			t.Fatalf("%s names no flags of its lesson", program)
		}
		for name := range strings.SplitSeq(names[1], ", ") {
			if flag := "--" + strings.Trim(name, `"`) + " "; !strings.Contains(screen, flag) {
				t.Errorf("%s -h lacks %s", program, flag)
			}
		}
	}
}

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
	for _, program := range programs() {
		want.WriteString("\n## " + program + "\n\n```\n" + output(t, "100", program, "--help") + "```\n")
	}
	if string(manual) != want.String() {
		t.Error("docs/manual.md is not what --help says: run make manual")
	}
}
