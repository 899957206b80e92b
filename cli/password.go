package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/muesli/cancelreader"
	"golang.org/x/term"
)

// terminalPath is the controlling terminal, whatever standard input and output are.
const terminalPath = "/dev/tty"

// errDeclined is the answer ctrl-c to a prompt.
var errDeclined = errors.New("no password was entered")

// readPassword prompts on the controlling terminal. It reads in raw mode: nothing echoes, and
// ctrl-c is an ordinary key, so that it cannot end the process while echo is off.
func readPassword(ctx context.Context, prompt string) (secret string, err error) {
	tty, err := os.OpenFile(terminalPath, os.O_RDWR, 0)
	if err != nil {
		return "", fmt.Errorf("cannot prompt for a password: %w", err)
	}
	defer tty.Close()
	keys, err := cancelreader.NewReader(tty)
	if err != nil {
		return "", fmt.Errorf("cannot prompt for a password: %w", err)
	}
	defer keys.Close()
	defer context.AfterFunc(ctx, func() { keys.Cancel() })()

	before, err := term.MakeRaw(int(tty.Fd()))
	if err != nil {
		return "", fmt.Errorf("cannot prompt for a password: %w", err)
	}
	defer func() { err = errors.Join(err, term.Restore(int(tty.Fd()), before)) }()

	secret, err = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{keys, tty}, "").ReadPassword(prompt)
	if err == nil {
		return secret, nil
	}
	io.WriteString(tty, "\r\n")
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, io.EOF):
		return "", errDeclined
	}
	return "", fmt.Errorf("cannot prompt for a password: %w", err)
}

// passwordPrompt prompts for a password and returns what was typed.
type passwordPrompt func(ctx context.Context, prompt string) (string, error)

// oneAtATime returns a prompt that waits until the previous one has been answered.
func oneAtATime(prompt passwordPrompt) passwordPrompt {
	busy := make(chan struct{}, 1)
	return func(ctx context.Context, text string) (string, error) {
		select {
		case busy <- struct{}{}:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
		defer func() { <-busy }()
		return prompt(ctx, text)
	}
}
