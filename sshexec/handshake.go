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

// handshake is one login over one transport: key exchange and host key verification (RFC 4253),
// then user authentication (RFC 4252).
type handshake struct {
	pool     *Pool
	target   Target
	settings Settings
	raw      *rawConn
	ctx      context.Context
	timer    *loginTimer

	searchAll bool // search all known_hosts files first, however long it takes

	mu    sync.Mutex
	phase string // Error.Phase if the handshake fails now

	// Only the goroutine that runs the handshake uses these.
	record  hostKeyRecord
	queued  []identity // keys not yet offered
	listed  bool       // queued has been filled
	offered []string
	skipped []string       // keys that could not be offered, and why
	unused  []string       // keys that the host accepts but that did not sign, and why
	tries   map[string]int // of methods that ask the operator

	releaseSlot func()            // lets another login have this one's slot
	answers     *loginAnswers     // set while this login has its turn to ask the operator
	answered    map[string]string // what this login answered, by prompt
	promptErr   error             // why the operator did not answer
}

func (h *handshake) setPhase(phase string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.phase = phase
}

func (h *handshake) currentPhase() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.phase
}

// clientConfig returns the configuration of the login, and what it calls.
func (h *handshake) clientConfig() (*ssh.ClientConfig, *loginCallbacks) {
	s := h.settings
	callbacks := &loginCallbacks{handshake: h}
	h.record = h.pool.hostKeys.record(s, h.searchAll)
	config := &ssh.ClientConfig{
		User:              s.User,
		HostKeyAlgorithms: h.record.algorithms(s),
		AuthCallback:      callbacks.nextMethod,
		HostKeyCallback:   callbacks.checkHostKey,
	}
	config.KeyExchanges, config.Ciphers, config.MACs = s.KexAlgorithms, s.Ciphers, s.MACs
	return config, callbacks
}

// verifyHostKey verifies the host key of the first key exchange.
func (h *handshake) verifyHostKey(address net.Addr, key ssh.PublicKey) error {
	h.setPhase("host key")
	if err := h.pool.verifyHostKey(h.settings, h.record, address, key); err != nil {
		return err
	}
	h.setPhase("login")
	return nil
}

// loginCallbacks is what the library calls. It keeps that for as long as the connection lasts,
// which is why the handshake can be removed from it.
type loginCallbacks struct {
	handshake *handshake    // nil after the login
	hostKey   ssh.PublicKey // verified; only set during the login
}

func (c *loginCallbacks) nextMethod(auth *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	return c.handshake.nextMethod(auth)
}

// checkHostKey verifies the host key of the first key exchange. Later ones, which may come at any
// time, must have the same key.
func (c *loginCallbacks) checkHostKey(_ string, address net.Addr, key ssh.PublicKey) error {
	switch {
	case c.hostKey == nil:
		if err := c.handshake.verifyHostKey(address, key); err != nil {
			return err
		}
		c.hostKey = key
	case !sameKey(c.hostKey, key):
		return errors.New("the host presents another key than at the start of the connection")
	}
	return nil
}

// nextMethod returns the next method to try: the first in AuthMethods that the server accepts. A
// host that accepts public keys, but none of the operator's, fails the login instead of asking for
// a password.
func (h *handshake) nextMethod(auth *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	if err := h.raw.err(); err != nil {
		return nil, err
	}
	for _, method := range h.settings.AuthMethods {
		switch {
		case !slices.Contains(auth.AllowedMethods, method):
		case method == "publickey":
			return h.nextKey()
		case h.promptErr == nil && h.tries[method] < h.settings.NumberOfPasswordPrompts:
			h.tries[method]++
			return h.promptMethod(method)
		}
	}
	if h.promptErr != nil || len(h.tries) > 0 {
		return nil, h.answersRejected()
	}
	return nil, h.authError(fmt.Errorf("%s accepts only %s, and this side only %s", h.settings.Address(),
		strings.Join(auth.AllowedMethods, ", "), strings.Join(h.settings.AuthMethods, ", ")))
}

// nextKey returns the next key to offer. It offers one key at a time, because an error from one
// signer (a security key not touched, a passphrase not entered) would abort the whole login.
func (h *handshake) nextKey() (ssh.AuthMethod, error) {
	if !h.listed {
		h.listed = true
		h.timer.pause() // may wait for the ssh-agent or for a passphrase
		h.queued, h.skipped = h.pool.identities(h.ctx, h.settings)
		h.timer.resume()
	}
	if len(h.queued) == 0 {
		return nil, h.noKeysLeft()
	}
	id := h.queued[0]
	h.queued = h.queued[1:]
	h.offered = append(h.offered, id.source)
	sign := id.sign
	id.sign = func(ctx context.Context, data []byte, algorithm string) (*ssh.Signature, error) {
		h.timer.pause() // may wait for a touch or for a passphrase
		defer h.timer.resume()
		signature, err := sign(ctx, data, algorithm)
		if err != nil {
			h.unused = append(h.unused, fmt.Sprintf("%s: %v", id.source, err))
		}
		return signature, err
	}
	return ssh.PublicKeys(identitySigner{id, h.ctx, acceptedSignatures(h.settings, id.public)}), nil
}

// noKeysLeft returns the error for a login that has run out of keys.
func (h *handshake) noKeysLeft() error {
	login := h.settings.User + "@" + h.settings.Address()
	skipped := ""
	if len(h.skipped) > 0 {
		skipped = " (" + strings.Join(h.skipped, "; ") + ")"
	}
	if len(h.offered) == 0 {
		return &Error{
			Host: h.target.Name, Phase: "login", Kind: KindNoKey,
			Err: fmt.Errorf("no key to offer to %s%s", login, skipped),
			Fix: "set IdentityFile in ~/.ssh/config, or add a key to an ssh-agent: ssh-add",
		}
	}
	if len(h.unused) > 0 {
		e := h.authError(fmt.Errorf("%s accepts a key that could not be used: %s%s", login, strings.Join(h.unused, "; "), skipped))
		e.Fix = "try again with the right passphrase or token, or add the key to an ssh-agent: ssh-add"
		return e
	}
	return h.authError(fmt.Errorf("%s accepts none of the %d keys offered: %s%s",
		login, len(h.offered), strings.Join(h.offered, ", "), skipped))
}

func (h *handshake) authError(err error) *Error {
	fix := fmt.Sprintf("add a public key to ~%s/.ssh/authorized_keys on the host, or configure another key or user",
		h.settings.User)
	return &Error{Host: h.target.Name, Phase: "login", Kind: KindAuth, Err: err, Fix: fix}
}

// wrapError returns the Error for a handshake that the SSH library ended with err.
func (h *handshake) wrapError(err error) error {
	var (
		typed      *Error
		hostKey    *hostKeyError
		algorithms *ssh.AlgorithmNegotiationError
	)
	e := &Error{Host: h.target.Name, Phase: h.currentPhase(), Err: err}
	if e.Phase == "connect" && h.raw.sawVersion() {
		e.Phase = "handshake"
	}
	address := h.settings.Address()
	preamble := h.raw.preambleText()
	proxyCommand, viaCommand := h.raw.Conn.(*commandConn)
	switch {
	case h.ctx.Err() != nil:
		e.Err = context.Cause(h.ctx)
		e.Kind = contextKind(h.ctx)
		if e.Kind == KindTimeout {
			e.Err = fmt.Errorf("%s: %w", address, e.Err)
		}
	case errors.Is(err, errClosed):
		e.Kind = KindStopped
	case errors.As(err, &typed):
		return typed
	case errors.Is(err, errOtherKeyKnown):
		return errOtherKeyKnown
	case errors.As(err, &hostKey):
		e.Kind, e.Err, e.Fix = hostKey.kind, hostKey, hostKey.fix(h.target, h.pool.options.Command)
	case viaCommand && preamble == "" && !h.raw.sawVersion():
		e.Phase, e.Kind, e.Err = "proxy command", KindLost, proxyCommand.exitError()
	case preamble != "" && isBusyMessage(preamble):
		e.Phase, e.Kind = "connect", KindBusy
		e.Err = fmt.Errorf("%s rejected the connection: %q", address, preamble)
		e.Fix = "it is overloaded or penalizes failed logins (MaxStartups, PerSourcePenalties in sshd_config(5)); " +
			"try again later"
	case preamble != "":
		e.Phase, e.Kind = "connect", KindProtocol
		e.Err = fmt.Errorf("no SSH server: %s sent %q", address, preamble)
		e.Fix = "check the port"
	case !h.raw.sawVersion() && kindOf(err, KindLost) == KindLost:
		e.Phase, e.Kind = "connect", KindLost
		e.Err = fmt.Errorf("%s closed the connection without sending anything", address)
		e.Fix = "it may be overloaded or block this address; check its log"
	case isTooManyFailures(err) && len(h.offered) == 0:
		return h.answersRejected()
	case isTooManyFailures(err):
		e.Kind = KindAuth
		e.Err = fmt.Errorf("%s closed the connection after %d keys: %s", address, len(h.offered),
			strings.Join(h.offered, ", "))
		e.Fix = "set IdentityFile to the right key and IdentitiesOnly to yes for the host in ~/.ssh/config"
	case errors.As(err, &algorithms):
		e.Kind, e.Err = KindProtocol, negotiationError(h.settings, algorithms)
		e.Fix = "allow one of the server's algorithms in ~/.ssh/config, or update the server"
	default:
		e.Kind = kindOf(err, KindProtocol)
		if e.Kind == KindLost {
			e.Err = fmt.Errorf("%s closed the connection: %w", address, trimLibraryText(err))
		}
	}
	return e
}

// isTooManyFailures recognizes how sshd ends a login after MaxAuthTries (auth_maxtries_exceeded in
// auth.c).
func isTooManyFailures(err error) bool {
	return strings.Contains(strings.ToLower(err.Error()), "too many authentication failures")
}

// isBusyMessage recognizes what sshd sends when it drops a connection because of MaxStartups or
// PerSourcePenalties (sshd.c).
func isBusyMessage(text string) bool {
	return strings.Contains(text, "Exceeded MaxStartups") || strings.Contains(text, "Not allowed at this time")
}
