package cli

import (
	"context"
	"io"
	"time"
)

// Env holds everything a command uses outside this process. Commands take it instead of globals, so
// that a test can replace it.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	// InTTY, OutTTY and ErrTTY report whether the streams are terminals: color and live progress
	// are for terminals only.
	InTTY, OutTTY, ErrTTY bool
	Getenv                func(string) string
	Environ               []string
	Home                  string // the operator's home directory
	User                  string // the operator's login name
	Machine               string // the operator's host name
	// InContainer means that this may be another system than the one that has the name Machine.
	InContainer bool
	Dir         string // the working directory
	Now         func() time.Time
	// Ephemeral means that the hosts exist only while this command runs, as in the demo: their jobs
	// end with it. KeptIn is the directory that keeps them for the next command, or "".
	Ephemeral bool
	KeptIn    string
	// Secret prompts for a password or a passphrase, one at a time. It is nil if there is no
	// terminal to prompt on. Its error is errDeclined if the operator pressed ctrl-c.
	Secret func(ctx context.Context, prompt string) (string, error)
}
