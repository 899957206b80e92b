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

// runHere runs a shell command of the operator's on this machine. It ends with its children when ctx does.
func RunLocal(ctx context.Context, command string, input []byte, env ...string) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command)
	cmd.Stdin = bytes.NewReader(input)
	cmd.Env = append(os.Environ(), env...)
	output := &said{}
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch last := output.last(); {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // it has ended, and what it left in the background is its own affair
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case last != "":
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}
