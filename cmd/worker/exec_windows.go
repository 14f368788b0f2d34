package main

import (
	"context"
	"os/exec"
	"syscall"
)

// shell prepares a command line for sh if there is one, else for cmd. When ctx is done the command is killed. It is in a
// process group of its own, so that Ctrl-C does not reach it.
func shell(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "cmd", "/C", line)
	if sh, err := exec.LookPath("sh"); err == nil {
		cmd = exec.CommandContext(ctx, sh, "-c", line)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
	return cmd
}
