//go:build unix

package main

import (
	"context"
	"os/exec"
	"syscall"
)

// shell prepares a command line for sh. When ctx is done the command is killed with all that it has started.
func shell(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}
