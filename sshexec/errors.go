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

// Kind classifies a failure for programs.
type Kind string

const (
	KindConfig         Kind = "config"           // ssh_config(5) is invalid or unsupported
	KindLocal          Kind = "local"            // this machine could not open a connection
	KindDNS            Kind = "dns"              // the name does not resolve
	KindRefused        Kind = "refused"          // nothing listens on the port
	KindNoRoute        Kind = "no-route"         // the network is unreachable
	KindTimeout        Kind = "timeout"          // no answer in time
	KindBusy           Kind = "busy"             // the server rejected the connection immediately
	KindJump           Kind = "jump"             // a bastion or a ProxyCommand failed
	KindProtocol       Kind = "protocol"         // the server does not speak a supported SSH
	KindHostKeyUnknown Kind = "host-key-unknown" // no known_hosts file has a key for the host
	KindHostKeyChanged Kind = "host-key-changed" // known_hosts has a different key for the host
	KindHostKeyRevoked Kind = "host-key-revoked" // the key is marked @revoked
	KindNoKey          Kind = "no-key"           // there was no user key to offer
	KindAuth           Kind = "auth"             // the host accepted none of the user keys
	KindLost           Kind = "lost"             // the connection ended unexpectedly
	KindSession        Kind = "session"          // a session or forwarding was rejected after login
	KindStopped        Kind = "stopped"          // the context was canceled or the Pool closed
)

// An Error is a failed operation on a host.
type Error struct {
	Host  string // Target.Name
	Phase string // config, connect, proxy command, handshake, host key, login, session, forward
	Kind  Kind
	Fix   string // how to fix it, in one line; may be empty
	Err   error

	unjudged    bool // the connection was lost before the host judged the operator's answers
	fromBastion bool // a bastion refused to open a connection to the host
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Host, e.Phase, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Code returns the Kind as a string.
func (e *Error) Code() string { return string(e.Kind) }

// Hint returns Fix, or the hint of a wrapped Error if Fix is empty.
func (e *Error) Hint() string {
	var inner *Error
	if e.Fix == "" && errors.As(e.Err, &inner) {
		return inner.Hint()
	}
	return e.Fix
}

// Offline reports whether the host may only be temporarily unavailable: nothing answered, or the
// connection failed before or after a login. Otherwise the host answered and rejected the login or
// failed verification, and the operator has to act.
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

// kindOf classifies an error of the network or the SSH library and returns fallback if it cannot.
func kindOf(err error, fallback Kind) Kind {
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
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.Is(err, syscall.ETIMEDOUT):
		return KindTimeout
	case errors.Is(err, syscall.ECONNREFUSED):
		return KindRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH),
		errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.ENETDOWN),
		errors.Is(err, syscall.EHOSTDOWN):
		return KindNoRoute
	case errors.As(err, &timeout) && timeout.Timeout():
		return KindTimeout
	case errors.As(err, &channel):
		return channelKind(channel)
	case errors.As(err, &algo):
		return KindProtocol
	case errors.As(err, &noStatus):
		return KindLost
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, io.ErrClosedPipe), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE):
		return KindLost
	}
	return fallback
}

// channelKind classifies a bastion's reason for rejecting a forwarding. sshd's message contains the
// text of strerror(3) or gai_strerror(3).
func channelKind(err *ssh.OpenChannelError) Kind {
	if err.Reason != ssh.ConnectionFailed {
		return KindSession
	}
	message := strings.ToLower(err.Message)
	switch {
	case strings.Contains(message, "refused"):
		return KindRefused
	case strings.Contains(message, "timed out"):
		return KindTimeout
	case strings.Contains(message, "no route"), strings.Contains(message, "unreachable"):
		return KindNoRoute
	case strings.Contains(message, "not known"), strings.Contains(message, "resolution"):
		return KindDNS
	}
	return KindSession
}

// contextKind returns KindTimeout if ctx ended because of a timeout, and KindStopped otherwise.
func contextKind(ctx context.Context) Kind {
	var timeout timeoutError
	if errors.As(context.Cause(ctx), &timeout) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return KindTimeout
	}
	return KindStopped
}

// trimLibraryText strips wrappers that only name the layer or socket that failed.
func trimLibraryText(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil || !strings.HasPrefix(err.Error(), "ssh: ") {
			return err
		}
		err = inner
	}
}
