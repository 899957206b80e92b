package sshexec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// defaultConnectTimeout applies unless the target or ssh_config(5) sets a timeout.
const defaultConnectTimeout = 15 * time.Second

// Dial opens a new connection to a target with a new login. Only connections to bastions are
// shared. Dial retries if the server closes the connection before authentication, and never retries
// a failed login. The caller must close the Conn.
func (p *Pool) Dial(ctx context.Context, t Target) (*Conn, error) {
	s, err := p.Resolve(ctx, t)
	if err != nil {
		return nil, err
	}
	leave, err := p.room.enter(ctx, p, t, s.ConnectTimeout)
	if err != nil {
		return nil, err
	}
	defer leave()
	conn, err := p.dial(ctx, t, s, nil)
	if err == nil {
		p.room.occupy(p, conn)
	}
	return conn, err
}

// dial connects to a resolved target. visited lists the hops that led here, to detect loops.
func (p *Pool) dial(ctx context.Context, t Target, s Settings, visited []hop) (*Conn, error) {
	if t.Alternatives != "" {
		return p.dialAddresses(ctx, t, s, visited)
	}
	dialTransport, err := p.transportDialer(ctx, t, s, visited)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		conn, err := p.dialAttempt(ctx, t, s, dialTransport)
		var failure *Error
		isDirect := s.ProxyJump == "" && s.ProxyCommand == ""
		if err == nil || attempt >= s.ConnectionAttempts || !isDirect || !errors.As(err, &failure) || failure.Phase != "connect" ||
			!slices.Contains([]Kind{KindRefused, KindNoRoute, KindTimeout}, failure.Kind) {
			return conn, err
		}
		// ssh waits for a second, too (ssh_connect_direct in sshconnect.c).
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, err
		case <-p.ctx.Done():
			return nil, err
		}
	}
}

// dialAttempt connects within ConnectTimeout.
func (p *Pool) dialAttempt(ctx context.Context, t Target, s Settings, dialTransport dialFunc) (*Conn, error) {
	ctx, timer := p.newLoginTimer(ctx, s.ConnectTimeout)
	defer timer.stop()
	var refusal error
	searchAll := false
	for attempts := 1; ; attempts++ {
		conn, refusedFor, err := p.dialOnce(ctx, timer, t, s, dialTransport, searchAll)
		if errors.Is(err, errOtherKeyKnown) {
			searchAll = true // so it cannot happen again
			conn, refusedFor, err = p.dialOnce(ctx, timer, t, s, dialTransport, searchAll)
		}
		var failure *Error
		if err == nil || !errors.As(err, &failure) || !failure.retryable(attempts) {
			if refusal != nil && failure != nil && failure.Kind == KindTimeout && failure.Phase == "connect" {
				err = refusal // says more than that there was no answer in time
			}
			return conn, err
		}
		refusal = err
		if failure.Kind == KindBusy && refusedFor > s.ConnectTimeout {
			return nil, err // earlier logins have already waited that long
		}
		// No authentication was attempted, so a retry costs the server little. The random delay
		// keeps rejected clients from returning all at once.
		delay := min(minRetryDelay<<(attempts-1), maxRetryDelay)
		timer.resume()
		select {
		case <-time.After(delay/2 + rand.N(delay)):
			timer.pause()
		case <-ctx.Done():
			return nil, err
		}
	}
}

// retryable reports whether to dial again after this many attempts. A server that closes the
// connection silently is retried twice: it may be overloaded, since its message can get lost if it
// closes the connection before reading ours, but it may also block this address for good. So is one
// that closed the connection while the operator was typing.
func (e *Error) retryable(attempts int) bool {
	return e.Kind == KindBusy || e.Kind == KindLost && (e.Phase == "connect" || e.unjudged) && attempts < 3
}

const (
	minRetryDelay = 200 * time.Millisecond
	maxRetryDelay = 3 * time.Second
)

// dialOnce logs in once a handshake may start. The timer runs only from then on. refusedFor is for
// how long the server has refused every connection.
func (p *Pool) dialOnce(
	ctx context.Context, timer *loginTimer, t Target, s Settings, dialTransport dialFunc, searchAll bool,
) (conn *Conn, refusedFor time.Duration, err error) {
	slot, err := p.handshakes.acquire(ctx, s.Address(), s.ProxyJump, p.wasLoggedIn(t))
	if err != nil {
		return nil, 0, connectError(ctx, t, s, err)
	}
	timer.resume()
	defer timer.pause()
	conn, err = p.logIn(ctx, timer, slot, t, s, dialTransport, searchAll)
	slot.release(verdictOf(err))
	return conn, slot.refusedFor(), err
}

// verdictOf returns what the result of a login says about the server's willingness to accept
// connections.
func verdictOf(err error) verdict {
	var failure *Error
	switch {
	case err == nil:
		return accepted
	case errors.Is(err, errOtherKeyKnown):
		return accepted
	case !errors.As(err, &failure):
		return unknownVerdict
	case failure.Kind == KindBusy && failure.fromBastion:
		return refusedByBastion
	case failure.Kind == KindBusy, failure.Kind == KindLost && failure.Phase == "connect":
		return refusedByServer
	case slices.Contains([]string{"handshake", "host key", "login"}, failure.Phase):
		return accepted
	}
	return unknownVerdict
}

// logIn opens a transport and logs in.
func (p *Pool) logIn(
	ctx context.Context, timer *loginTimer, slot *slot, t Target, s Settings, dialTransport dialFunc, searchAll bool,
) (*Conn, error) {
	transport, err := dialTransport(ctx)
	if err != nil {
		return nil, connectError(ctx, t, s, err)
	}
	if answered, ok := transport.(*answeredConn); ok {
		s, answered.settings = answered.settings, Settings{}
	}

	h := &handshake{
		pool: p, target: t, settings: s, raw: newRawConn(transport), ctx: ctx, timer: timer, phase: "connect",
		searchAll: searchAll, tries: make(map[string]int), releaseSlot: func() { slot.release(accepted) },
	}
	defer context.AfterFunc(ctx, func() { transport.Close() })()
	var unjudged atomic.Bool
	l, err := await(ctx, &p.tasks, func() (login, error) {
		config, callbacks := h.clientConfig()
		conn, channels, requests, err := ssh.NewClientConn(h.raw, s.Address(), config)
		callbacks.handshake = nil
		unjudged.Store(h.finishAnswers(err))
		return login{conn, channels, requests}, err
	}, login.discard)
	if err != nil {
		p.tasks.start(func() { transport.Close() })
		err := h.wrapError(err)
		var failure *Error
		if errors.As(err, &failure) && failure.Kind == KindLost {
			failure.unjudged = unjudged.Load()
		}
		return nil, err
	}
	return p.newConn(t, s, l, h.raw)
}

// dialFunc opens the transport to a target.
type dialFunc func(ctx context.Context) (net.Conn, error)

// transportDialer returns the function that opens transports to a target: directly, through a
// bastion, or through a ProxyCommand.
func (p *Pool) transportDialer(ctx context.Context, t Target, s Settings, visited []hop) (dialFunc, error) {
	switch {
	case s.ProxyJump != "":
		return p.bastionDialer(ctx, t, s, visited)
	case s.ProxyCommand != "":
		return p.proxyCommandDialer(t, s)
	}
	network := map[string]string{"inet": "tcp4", "inet6": "tcp6"}[s.AddressFamily]
	d := net.Dialer{KeepAlive: -1} // SSH keepalives detect more than TCP's
	if s.BindAddress != "" {
		ip, err := resolveBindAddress(ctx, s)
		if err != nil {
			return nil, p.errorFor(t, "config", KindConfig, err)
		}
		d.LocalAddr = &net.TCPAddr{IP: ip}
	}
	return func(ctx context.Context) (net.Conn, error) {
		return d.DialContext(ctx, cmp.Or(network, "tcp"), s.Address())
	}, nil
}

// resolveBindAddress returns the address of this machine that BindAddress names.
func resolveBindAddress(ctx context.Context, s Settings) (net.IP, error) {
	if ip := net.ParseIP(s.BindAddress); ip != nil {
		return ip, nil
	}
	network := cmp.Or(map[string]string{"inet": "ip4", "inet6": "ip6"}[s.AddressFamily], "ip")
	ips, err := net.DefaultResolver.LookupIP(ctx, network, s.BindAddress)
	if err != nil {
		return nil, fmt.Errorf("cannot resolve BindAddress %q: %w", s.BindAddress, err)
	}
	return ips[0], nil
}

// connectError returns the Error for a transport that could not be opened.
func connectError(ctx context.Context, t Target, s Settings, err error) error {
	var typed *Error
	switch {
	case errors.As(err, &typed):
		return typed
	case ctx.Err() != nil:
		kind := contextKind(ctx)
		err = context.Cause(ctx)
		if kind == KindTimeout {
			err = fmt.Errorf("%s: %w", s.Address(), err)
		}
		return &Error{Host: t.Name, Phase: "connect", Kind: kind, Err: err}
	}
	e := &Error{Host: t.Name, Phase: "connect", Kind: kindOf(err, KindLocal), Err: err}
	var (
		op  *net.OpError
		dns *net.DNSError
	)
	switch {
	case errors.As(err, &dns):
		e.Err = fmt.Errorf("cannot resolve %q: %s", s.Hostname, dns.Err)
		e.Fix = "check the name, or set an address for the host"
	case e.Kind == KindShortage:
		e.Err = fmt.Errorf("this machine cannot open another connection: %w", trimLibraryText(err))
		e.Fix = shortageFix
	case e.Kind == KindRefused:
		e.Err = fmt.Errorf("%s: connection refused", s.Address())
		e.Fix = "check that sshd is running there and listens on that port"
	case errors.As(err, &op):
		e.Err = fmt.Errorf("%s: %w", s.Address(), op.Err)
	}
	return e
}
