package cli

import (
	"os"
	"os/user"
	"strings"
	"time"

	"golang.org/x/term"
)

// System returns the Env of this process.
func System() *Env {
	env := &Env{
		In:      os.Stdin,
		Out:     os.Stdout,
		Err:     os.Stderr,
		InTTY:   term.IsTerminal(int(os.Stdin.Fd())),
		OutTTY:  term.IsTerminal(int(os.Stdout.Fd())),
		ErrTTY:  term.IsTerminal(int(os.Stderr.Fd())),
		Getenv:  os.Getenv,
		Environ: os.Environ(),
		User:    os.Getenv("USER"),
		Now:     time.Now,
	}
	// What cannot be determined stays "": a command that needs it reports that.
	env.Home, _ = os.UserHomeDir()
	env.Machine, _ = os.Hostname()
	env.Machine, _, _ = strings.Cut(env.Machine, ".")
	for _, file := range []string{"/.dockerenv", "/run/.containerenv"} { // of Docker and Podman
		if _, err := os.Stat(file); err == nil {
			env.InContainer = true
		}
	}
	env.Dir, _ = os.Getwd()
	if env.User == "" {
		if u, err := user.Current(); err == nil {
			env.User = u.Username
		}
	}
	if tty, err := os.OpenFile(terminalPath, os.O_RDWR, 0); err == nil {
		tty.Close()
		env.Secret = oneAtATime(readPassword)
	}
	return env
}
