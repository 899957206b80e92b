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
type login struct {
	pool     *Pool
	target   Target
	settings Settings
	wire     *wire
	ctx      context.Context
	patience *patience

	mu    sync.Mutex
	phase string // how far it has come

	// What follows is the handshake's goroutine's alone.
	queue   []identity // not offered yet
	listed  bool       // queue was filled
	offered []string
	notes   []string // why a key was not offered, or did not sign
}

func (l *login) enter(phase string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phase = phase
}

func (l *login) reached() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.phase
}

// config is the handshake as the SSH library wants it told.
func (l *login) config() *ssh.ClientConfig {
	s := l.settings
	record := l.pool.hostKeys.record(s)
	config := &ssh.ClientConfig{
		User:              s.User,
		HostKeyAlgorithms: record.algorithms(s),
		AuthCallback:      l.next,
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			l.enter("host key")
			if err := l.pool.verify(s, record, key); err != nil {
				return err
			}
			l.enter("login")
			return nil
		},
	}
	supported, insecure := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	limit := func(list *[]string, ours, legacy, chosen []string) {
		if chosen != nil {
			*list = restrict(slices.Concat(ours, legacy), chosen)
		}
	}
	limit(&config.KeyExchanges, supported.KeyExchanges, insecure.KeyExchanges, s.KexAlgorithms)
	limit(&config.Ciphers, supported.Ciphers, insecure.Ciphers, s.Ciphers)
	limit(&config.MACs, supported.MACs, insecure.MACs, s.MACs)
	return config
}

// next chooses the key to offer next. One at a time, since an error of one (a touch refused, a passphrase not given)
// would else be the end of all.
func (l *login) next(auth *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	if err := l.wire.broken(); err != nil {
		return nil, err
	}
	if !slices.Contains(auth.AllowedMethods, "publickey") {
		return nil, l.denied(fmt.Errorf("%s lets nobody in with a key alone: it wants %s", l.settings.Address(), strings.Join(auth.AllowedMethods, ", ")))
	}
	if !l.listed {
		l.listed = true
		l.patience.hold() // the agent, or an old key's passphrase
		l.queue, l.notes = l.pool.identities(l.ctx, l.settings)
		l.patience.run()
	}
	if len(l.queue) == 0 {
		return nil, l.exhausted()
	}
	id := l.queue[0]
	l.queue = l.queue[1:]
	l.offered = append(l.offered, id.from)
	sign := id.sign
	id.sign = func(ctx context.Context, data []byte, algorithm string) (*ssh.Signature, error) {
		l.patience.hold() // a person may have to touch something, or to type
		defer l.patience.run()
		signature, err := sign(ctx, data, algorithm)
		if err != nil {
			l.notes = append(l.notes, fmt.Sprintf("%s: %v", id.from, err))
		}
		return signature, err
	}
	return ssh.PublicKeys(signer{id, l.ctx}), nil
}

// exhausted is that no key is left to offer.
func (l *login) exhausted() error {
	who := l.settings.User + "@" + l.settings.Address()
	why := ""
	if len(l.notes) > 0 {
		why = " (" + strings.Join(l.notes, "; ") + ")"
	}
	if len(l.offered) == 0 {
		return &Error{Host: l.target.Name, Phase: "login", Kind: NoKey,
			Err:  fmt.Errorf("there is no key to offer to %s%s", who, why),
			Mend: "name one with IdentityFile in ~/.ssh/config, or add it to an agent: ssh-add"}
	}
	return l.denied(fmt.Errorf("%s accepts none of the %d keys offered: %s%s", who, len(l.offered), strings.Join(l.offered, ", "), why))
}

func (l *login) denied(err error) error {
	mend := fmt.Sprintf("add a public key to ~%s/.ssh/authorized_keys on the host, or name the right key or user", l.settings.User)
	return &Error{Host: l.target.Name, Phase: "login", Kind: Auth, Err: err, Mend: mend}
}

// explain makes an Error of how the handshake ended.
func (l *login) explain(err error) error {
	var (
		typed   *Error
		hostKey *hostKeyError
	)
	e := &Error{Host: l.target.Name, Phase: l.reached(), Err: err}
	if e.Phase == "connect" && l.wire.spoken() {
		e.Phase = "handshake"
	}
	at := l.settings.Address()
	said := l.wire.refusal()
	command, byCommand := l.wire.Conn.(*commandConn)
	switch {
	case l.ctx.Err() != nil:
		e.Err = context.Cause(l.ctx)
		e.Kind = endKind(l.ctx)
		if e.Kind == Timeout {
			e.Err = fmt.Errorf("%s: %w", at, e.Err)
		}
	case errors.Is(err, errClosed):
		e.Kind = Stopped
	case errors.As(err, &typed):
		return typed
	case errors.As(err, &hostKey):
		e.Kind, e.Err, e.Mend = hostKey.kind, hostKey, hostKey.mend()
	case byCommand && said == "" && !l.wire.spoken():
		e.Phase, e.Kind, e.Err = "proxy command", Lost, command.complaint()
	case said != "" && busy(said):
		e.Phase, e.Kind, e.Err = "connect", Busy, fmt.Errorf("%s turned the connection away: %q", at, said)
		e.Mend = "it is overrun, or it punishes failed logins (MaxStartups, PerSourcePenalties in sshd_config(5)); try again later"
	case said != "":
		e.Phase, e.Kind, e.Err = "connect", Protocol, fmt.Errorf("%s does not speak SSH: it said %q", at, said)
		e.Mend = "check the port"
	case !l.wire.spoken() && kindOf(err, Lost) == Lost:
		e.Phase, e.Kind, e.Err = "connect", Lost, fmt.Errorf("%s closed the connection without a word", at)
		e.Mend = "it may be overrun, or not let this address in; see its log"
	case strings.Contains(strings.ToLower(err.Error()), "too many authentication failures"):
		e.Kind, e.Err = Auth, fmt.Errorf("%s broke off after %d keys: %s", at, len(l.offered), strings.Join(l.offered, ", "))
		e.Mend = "name the right key with IdentityFile and set IdentitiesOnly yes for the host in ~/.ssh/config"
	default:
		e.Kind = kindOf(err, Protocol)
		if e.Kind == Lost {
			e.Err = fmt.Errorf("%s closed the connection: %w", at, bare(err))
		}
	}
	return e
}

// endKind tells whether a context ended because it was too late, or because somebody wanted it to.
func endKind(ctx context.Context) Kind {
	var late tooLate
	if errors.As(context.Cause(ctx), &late) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return Timeout
	}
	return Stopped
}

// busy recognises what sshd says to a connection that it has no room for.
func busy(said string) bool {
	return strings.Contains(said, "Exceeded MaxStartups") || strings.Contains(said, "Not allowed at this time")
}

// bare takes the libraries' words off an error: which of them noticed it, and on which socket.
func bare(err error) error {
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
