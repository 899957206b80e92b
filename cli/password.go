package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/muesli/cancelreader"
	"golang.org/x/term"
)

// terminalPath is the controlling terminal, whatever standard input and output are.
const terminalPath = "/dev/tty"

// errDeclined: the person was asked and answered with ctrl-c.
var errDeclined = errors.New("no password was given")

// readSecret asks on the controlling terminal. It reads keys in raw mode: nothing echoes, and ctrl-c is a key like
// another, so that it cannot end the process while the terminal is silent.
func readSecret(ctx context.Context, prompt string) (secret string, err error) {
	tty, err := os.OpenFile(terminalPath, os.O_RDWR, 0)
	if err != nil {
		return "", fmt.Errorf("cannot ask for a password: %w", err)
	}
	defer tty.Close()
	keys, err := cancelreader.NewReader(tty)
	if err != nil {
		return "", fmt.Errorf("cannot ask for a password: %w", err)
	}
	defer keys.Close()
	defer context.AfterFunc(ctx, func() { keys.Cancel() })()

	before, err := term.MakeRaw(int(tty.Fd()))
	if err != nil {
		return "", fmt.Errorf("cannot ask for a password: %w", err)
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
	return "", fmt.Errorf("cannot ask for a password: %w", err)
}

// oneAtATime keeps two questions from being on the terminal at once.
func oneAtATime(ask func(context.Context, string) (string, error)) func(context.Context, string) (string, error) {
	asking := make(chan struct{}, 1)
	return func(ctx context.Context, prompt string) (string, error) {
		select {
		case asking <- struct{}{}:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
		defer func() { <-asking }()
		return ask(ctx, prompt)
	}
}

// sudoPasswords asks for sudo's password once for all hosts of a run. A host that refuses what it was given gets what was
// typed since, for another host, and is asked for only when there is nothing newer.
type sudoPasswords struct {
	ask func(ctx context.Context, prompt string) (string, error)

	mu       sync.Mutex // held while a person types: the others wait for the answer
	typed    []string   // every answer, the newest last
	given    map[string]int
	declined bool // ctrl-c at one question is the answer to all
}

func newSudoPasswords(ask func(ctx context.Context, prompt string) (string, error)) *sudoPasswords {
	return &sudoPasswords{ask: ask, given: make(map[string]int)}
}

// password is what fleet.Engine calls for a host; again means that the last one was wrong.
func (s *sudoPasswords) password(ctx context.Context, host string, again bool) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.declined {
		return "", errDeclined
	}
	if last := s.given[host]; last > 0 && !again {
		return s.typed[last-1], nil
	} else if newest := len(s.typed); newest > last {
		s.given[host] = newest
		return s.typed[newest-1], nil
	}
	prompt := fmt.Sprintf("sudo password for %s: ", host)
	if again {
		prompt = fmt.Sprintf("sudo password for %s (the last one was wrong): ", host)
	}
	password, err := s.ask(ctx, prompt)
	if err != nil {
		s.declined = errors.Is(err, errDeclined)
		return "", err
	}
	s.typed = append(s.typed, password)
	s.given[host] = len(s.typed)
	return password, nil
}
