package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// RunLocal runs a shell command on the operator's machine, with additional environment variables.
// It kills the command and its children when ctx is done. An error has the last line of the output.
func RunLocal(ctx context.Context, command string, input []byte, env ...string) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	cmd.Stdin = bytes.NewReader(input)
	cmd.Env = append(os.Environ(), env...)
	output := &tail{}
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch last := output.last(); {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it may leave processes in the background
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case last != "":
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}
