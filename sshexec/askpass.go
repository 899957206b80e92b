package sshexec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// askpassProgram returns the program that prompts for secrets instead of the terminal, or "". The
// rules are those of read_passphrase in readpass.c: SSH_ASKPASS_REQUIRE decides; without it, the
// program is used if there is no terminal, but a display.
func (o *Options) askpassProgram() string {
	program := o.Getenv("SSH_ASKPASS")
	hasDisplay := o.Getenv("DISPLAY") != "" || o.Getenv("WAYLAND_DISPLAY") != ""
	switch o.Getenv("SSH_ASKPASS_REQUIRE") {
	case "never":
		return ""
	case "force":
		return program
	case "prefer":
		if hasDisplay {
			return program
		}
	}
	if o.Prompter == nil && hasDisplay {
		return program
	}
	return ""
}

// runAskpass runs an SSH_ASKPASS program and returns its answer.
func runAskpass(ctx context.Context, program, prompt string) (string, error) {
	cmd := exec.CommandContext(ctx, program, prompt)
	cmd.Env = append(os.Environ(), "SSH_ASKPASS_PROMPT=")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.As(err, &exit):
		return "", fmt.Errorf("%s was canceled", program)
	case err != nil:
		return "", fmt.Errorf("SSH_ASKPASS: %w", err)
	}
	secret, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSuffix(secret, "\r"), nil
}
