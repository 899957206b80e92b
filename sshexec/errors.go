package sshexec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// Kind says why a host was not reached or was lost, in a word for programs.
type Kind string

const (
	KindConfig         Kind = "config"           // ssh_config(5), or a file it names, cannot be followed
	KindLocal          Kind = "local"            // this machine would not open a connection
	KindDNS            Kind = "dns"              // the name has no address
	KindRefused        Kind = "refused"          // nothing listens on the port
	KindNoRoute        Kind = "no-route"         // the network has no way there
	KindTimeout        Kind = "timeout"          // no answer in time
	KindBusy           Kind = "busy"             // the server turned the connection away before it said its version
	KindJump           Kind = "jump"             // the way there, a bastion or a ProxyCommand, failed
	KindProtocol       Kind = "protocol"         // what answered does not speak SSH as it is spoken here
	KindHostKeyUnknown Kind = "host-key-unknown" // the host's key is in no known_hosts file
	KindHostKeyChanged Kind = "host-key-changed" // another key is known for the host
	KindHostKeyRevoked Kind = "host-key-revoked" // the key is marked @revoked
	KindNoKey          Kind = "no-key"           // there was no key to offer
	KindAuth           Kind = "auth"             // the host accepted none of the keys
	KindLost           Kind = "lost"             // the connection ended before it should
	KindSession        Kind = "session"          // the host is logged in to, but opened no session or forwarding
	KindStopped        Kind = "stopped"          // the caller's context ended, or the Pool was closed
)

// Error is why something did not work on a host.
type Error struct {
	Host  string // the target's name, as the caller gave it
	Phase string // config, connect, proxy command, handshake, host key, login, session, forward
	Kind  Kind
	Fix  string // what to do about it, in a line; may be ""
	Err   error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Host, e.Phase, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Code is the kind, for programs.
func (e *Error) Code() string { return string(e.Kind) }

// Hint is what to do about it, in a line, or "".
func (e *Error) Hint() string {
	var inner *Error
	if e.Fix == "" && errors.As(e.Err, &inner) {
		return inner.Hint()
	}
	return e.Fix
}

// Offline reports whether the host may simply be away: nothing answered, or what answered could not be talked to just
// now. Else it is there and said no, or was not trusted, and a person must act.
func (e *Error) Offline() bool {
	switch e.Kind {
	case KindDNS, KindRefused, KindNoRoute, KindTimeout, KindBusy, KindLost:
		return true
	case KindJump:
		var inner *Error
		return errors.As(e.Err, &inner) && inner.Offline()
	}
	return false
}

// kindOf reads the kind out of an error of the network or of the SSH library, most of which are plain strings.
// What it cannot tell is def.
func kindOf(err error, def Kind) Kind {
	var (
		typed    *Error
		dns      *net.DNSError
		timeout  net.Error
		channel  *ssh.OpenChannelError
		algo     *ssh.AlgorithmNegotiationError
		noStatus *ssh.ExitMissingError
	)
	switch {
	case errors.As(err, &typed):
		return typed.Kind
	case errors.Is(err, context.Canceled), errors.Is(err, errClosed):
		return KindStopped
	case errors.As(err, &dns):
		return KindDNS
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return KindTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return KindRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL),
		errors.Is(err, syscall.ENETDOWN), errors.Is(err, syscall.EHOSTDOWN):
		return KindNoRoute
	case errors.As(err, &timeout) && timeout.Timeout():
		return KindTimeout
	case errors.As(err, &channel):
		return channelKind(channel)
	case errors.As(err, &algo):
		return KindProtocol
	case errors.As(err, &noStatus):
		return KindLost
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return KindLost
	}
	return def
}

// channelKind reads a bastion's words about a forwarding that it did not open: sshd repeats strerror(3) in them.
func channelKind(err *ssh.OpenChannelError) Kind {
	if err.Reason != ssh.ConnectionFailed {
		return KindSession
	}
	said := strings.ToLower(err.Message)
	switch {
	case strings.Contains(said, "refused"):
		return KindRefused
	case strings.Contains(said, "timed out"):
		return KindTimeout
	case strings.Contains(said, "no route"), strings.Contains(said, "unreachable"):
		return KindNoRoute
	case strings.Contains(said, "not known"), strings.Contains(said, "resolution"):
		return KindDNS
	}
	return KindSession
}
