package cli

import (
	"context"
	"io"
	"time"
)

// Env is what touches the world: commands take it instead of globals, so that a test can be the world.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	// OutTTY and ErrTTY tell whether Out and Err are terminals: colour and live progress are for terminals only.
	InTTY, OutTTY, ErrTTY bool
	Getenv                func(string) string
	Environ               []string
	Home                  string // the operator's home directory
	User                  string // the operator's login name
	Machine               string // the operator's host name
	Dir                   string // the working directory
	Now                   func() time.Time
	// Passing tells that the hosts are there for this command alone: once it ends no job goes on. Kept is the directory in which they are found
	// again; "" where they are gone.
	Passing bool
	Kept    string
	// Secret asks a person for a password or a passphrase, one question at a time; nil where there is nobody to ask.
	// Its error is errDeclined where the person did not want to say.
	Secret func(ctx context.Context, prompt string) (string, error)
}
