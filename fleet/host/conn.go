package host

import (
	"context"
	"io"
	"net"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// Dialer reaches hosts. Package sshexec satisfies it, by way of the adapter in package cli.
type Dialer interface {
	// Dial opens a new connection with a new login; the caller closes it. It gives up after h.Timeouts.Connect, in which the time
	// that a person takes to answer does not count. An error that tells why satisfies [Refusal].
	Dial(ctx context.Context, h *inventory.Host) (Conn, error)
}

// Conn is one login on one host. It is safe for concurrent use.
type Conn interface {
	// Run gives a script to /bin/sh -s and returns its exit status. err is not nil only where the script's own end was
	// not seen: the connection was lost, or ctx ended. A status other than 0 is no error.
	Run(ctx context.Context, cmd Command) (exit int, err error)
	// DialContext opens a connection from the host: "tcp" to HOST:PORT, "unix" to a path.
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
	Close() error
}

// Command is a POSIX sh script with its arguments. They reach it as "$@", whatever bytes they hold, whatever the login shell.
type Command struct {
	Script string
	Args   []string
	Stdin  io.Reader // what follows the script on standard input; nil is end of file
	Stdout io.Writer // nil discards
	Stderr io.Writer // nil discards
}

// Refusal is what a [Dialer]'s error says beyond its text. Where it has a method Code() string too, that is the reason for
// programs.
type Refusal interface {
	error
	// Offline: nothing answered (refused, timed out, no such name, no route). Else the host is there and said no, or
	// the operator's side did not trust it: a person must act.
	Offline() bool
	// Hint is what to do about it, in a line; it may be "".
	Hint() string
}
