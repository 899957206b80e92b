package host

import (
	"context"
	"io"
	"net"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// Dialer logs in to hosts. Package cli adapts packages sshexec and localexec to it.
type Dialer interface {
	// Dial opens a new connection with a new login. It gives up after h.Timeouts.Connect, not
	// counting the time that a person takes to answer prompts. An error may be a [Refusal], and may
	// have a method Code() string that returns a reason for programs. The caller closes the
	// connection.
	Dial(ctx context.Context, h *inventory.Host) (Conn, error)
}

// Conn is one login on one host. It is safe for concurrent use.
type Conn interface {
	// Run passes a script to /bin/sh -s and returns its exit status. It returns an error only if it
	// did not see the script exit: the connection was lost, or ctx is done. A status other than 0
	// is not an error.
	Run(ctx context.Context, cmd Command) (exit int, err error)
	// DialContext opens a connection from the host: "tcp" to HOST:PORT, or "unix" to a path.
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	Close() error
}

// AddressOf returns the address at which a connection reached its host, for people: HOST:PORT, or
// "local" without SSH. It returns "" if the connection does not know.
func AddressOf(c Conn) string {
	if c, ok := c.(interface{ Address() string }); ok {
		return c.Address()
	}
	return ""
}

// Command is a POSIX sh script with its arguments. The script gets them as "$@", unchanged whatever
// bytes they contain and whatever the login shell is.
type Command struct {
	Script string
	Args   []string
	Stdin  io.Reader // follows the script on standard input; nil means end of file
	Stdout io.Writer // nil discards the output
	Stderr io.Writer // nil discards the output
}

// Refusal is an error of a [Dialer] that explains why there is no connection.
type Refusal interface {
	error
	// Offline reports whether nothing answered: refused, timed out, no such name, no route.
	// Otherwise the host rejected the login, or the operator's side did not trust the host, and a
	// person must act.
	Offline() bool
	// Hint returns what to do about it, in one line, or "".
	Hint() string
}
