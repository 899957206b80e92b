package sshexec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// login is one handshake: the host proves who it is, then we do.
type handshake struct {
	pool     *Pool
	target   Target
	settings Settings
	raw     *rawConn
	ctx      context.Context
	timer *loginTimer

	mu    sync.Mutex
	phase string // how far it has come

	// What follows is the handshake's goroutine's alone.
	queued   []identity // not offered yet
	listed  bool       // queue was filled
	offered []string
	skipped   []string // why a key was not offered, or did not sign
}

func (l *handshake) setPhase(phase string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phase = phase
}

func (l *handshake) currentPhase() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.phase
}

// config is the handshake as the SSH library wants it told.
func (l *handshake) clientConfig() *ssh.ClientConfig {
	s := l.settings
	record := l.pool.hostKeys.record(s)
	config := &ssh.ClientConfig{
		User:              s.User,
		HostKeyAlgorithms: record.algorithms(s),
		AuthCallback:      l.nextKey,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			l.setPhase("host key")
			if err := l.pool.verifyHostKey(s, record, key); err != nil {
				return err
			}
			l.setPhase("login")
			return nil
		},
	}
	config.KeyExchanges, config.Ciphers, config.MACs = s.KexAlgorithms, s.Ciphers, s.MACs
	return config
}

// next chooses the key to offer next. One at a time, since an error of one (a touch refused, a passphrase not given)
// would else be the end of all.
func (l *handshake) nextKey(auth *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	if err := l.raw.err(); err != nil {
		return nil, err
	}
	if !slices.Contains(auth.AllowedMethods, "publickey") {
		return nil, l.authError(fmt.Errorf("%s lets nobody in with a key alone: it wants %s", l.settings.Address(), strings.Join(auth.AllowedMethods, ", ")))
	}
	if !l.listed {
		l.listed = true
		l.timer.pause() // the agent, or an old key's passphrase
		l.queued, l.skipped = l.pool.identities(l.ctx, l.settings)
		l.timer.resume()
	}
	if len(l.queued) == 0 {
		return nil, l.noKeysLeft()
	}
	id := l.queued[0]
	l.queued = l.queued[1:]
	l.offered = append(l.offered, id.source)
	sign := id.sign
	id.sign = func(ctx context.Context, data []byte, algorithm string) (*ssh.Signature, error) {
		l.timer.pause() // a person may have to touch something, or to type
		defer l.timer.resume()
		signature, err := sign(ctx, data, algorithm)
		if err != nil {
			l.skipped = append(l.skipped, fmt.Sprintf("%s: %v", id.source, err))
		}
		return signature, err
	}
	return ssh.PublicKeys(identitySigner{id, l.ctx}), nil
}

// exhausted is that no key is left to offer.
func (l *handshake) noKeysLeft() error {
	who := l.settings.User + "@" + l.settings.Address()
	why := ""
	if len(l.skipped) > 0 {
		why = " (" + strings.Join(l.skipped, "; ") + ")"
	}
	if len(l.offered) == 0 {
		return &Error{Host: l.target.Name, Phase: "login", Kind: KindNoKey,
			Err:  fmt.Errorf("there is no key to offer to %s%s", who, why),
			Fix: "name one with IdentityFile in ~/.ssh/config, or add it to an agent: ssh-add"}
	}
	return l.authError(fmt.Errorf("%s accepts none of the %d keys offered: %s%s", who, len(l.offered), strings.Join(l.offered, ", "), why))
}

func (l *handshake) authError(err error) error {
	mend := fmt.Sprintf("add a public key to ~%s/.ssh/authorized_keys on the host, or name the right key or user", l.settings.User)
	return &Error{Host: l.target.Name, Phase: "login", Kind: KindAuth, Err: err, Fix: mend}
}

// explain makes an Error of how the handshake ended.
func (l *handshake) wrapError(err error) error {
	var (
		typed   *Error
		hostKey *hostKeyError
	)
	e := &Error{Host: l.target.Name, Phase: l.currentPhase(), Err: err}
	if e.Phase == "connect" && l.raw.sawVersion() {
		e.Phase = "handshake"
	}
	at := l.settings.Address()
	said := l.raw.preambleText()
	command, byCommand := l.raw.Conn.(*commandConn)
	switch {
	case l.ctx.Err() != nil:
		e.Err = context.Cause(l.ctx)
		e.Kind = contextKind(l.ctx)
		if e.Kind == KindTimeout {
			e.Err = fmt.Errorf("%s: %w", at, e.Err)
		}
	case errors.Is(err, errClosed):
		e.Kind = KindStopped
	case errors.As(err, &typed):
		return typed
	case errors.As(err, &hostKey):
		e.Kind, e.Err, e.Fix = hostKey.kind, hostKey, hostKey.fix(l.target)
	case byCommand && said == "" && !l.raw.sawVersion():
		e.Phase, e.Kind, e.Err = "proxy command", KindLost, command.exitError()
	case said != "" && isBusyMessage(said):
		e.Phase, e.Kind, e.Err = "connect", KindBusy, fmt.Errorf("%s turned the connection away: %q", at, said)
		e.Fix = "it is overrun, or it punishes failed logins (MaxStartups, PerSourcePenalties in sshd_config(5)); try again later"
	case said != "":
		e.Phase, e.Kind, e.Err = "connect", KindProtocol, fmt.Errorf("%s does not speak SSH: it said %q", at, said)
		e.Fix = "check the port"
	case !l.raw.sawVersion() && kindOf(err, KindLost) == KindLost:
		e.Phase, e.Kind, e.Err = "connect", KindLost, fmt.Errorf("%s closed the connection without a word", at)
		e.Fix = "it may be overrun, or not let this address in; see its log"
	case strings.Contains(strings.ToLower(err.Error()), "too many authentication failures"):
		e.Kind, e.Err = KindAuth, fmt.Errorf("%s broke off after %d keys: %s", at, len(l.offered), strings.Join(l.offered, ", "))
		e.Fix = "name the right key with IdentityFile and set IdentitiesOnly yes for the host in ~/.ssh/config"
	default:
		e.Kind = kindOf(err, KindProtocol)
		if e.Kind == KindLost {
			e.Err = fmt.Errorf("%s closed the connection: %w", at, trimLibraryText(err))
		}
	}
	return e
}

// endKind tells whether a context ended because it was too late, or because somebody wanted it to.
func contextKind(ctx context.Context) Kind {
	var late timeoutError
	if errors.As(context.Cause(ctx), &late) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return KindTimeout
	}
	return KindStopped
}

// busy recognises what sshd says to a connection that it has no room for.
func isBusyMessage(said string) bool {
	return strings.Contains(said, "Exceeded MaxStartups") || strings.Contains(said, "Not allowed at this time")
}

// bare takes the libraries' words off an error: which of them noticed it, and on which socket.
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
