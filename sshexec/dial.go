package sshexec

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
)

// usualPatience is how long a login may take where nobody says.
const defaultConnectTimeout = 15 * time.Second

// Dial opens a new connection to a target, with a new login: what reaches the host then does not depend on what reached
// it before. Only the bastions on the way are shared. The caller closes it.
func (p *Pool) Dial(ctx context.Context, t Target) (*Conn, error) {
	s, err := p.Resolve(ctx, t)
	if err != nil {
		return nil, err
	}
	return p.dial(ctx, t, s, nil)
}

// dial connects to where the settings lead. behind are the hops that wait for this connection, so that a circle is noticed.
func (p *Pool) dial(ctx context.Context, t Target, s Settings, behind []hop) (*Conn, error) {
	way, err := p.transportDialer(ctx, t, s, behind)
	if err != nil {
		return nil, err
	}
	ctx, patience := p.newLoginTimer(ctx, orElse(orElse(t.Timeout, s.ConnectTimeout), defaultConnectTimeout))
	defer patience.stop()
	for tries := 1; ; tries++ {
		conn, err := p.attempt(ctx, patience, t, s, way)
		var failure *Error
		if err == nil || !errors.As(err, &failure) || !failure.retryable(tries) {
			return conn, err
		}
		// Nobody has tried to log in yet, so trying again costs the server little. All who were turned away must not
		// come back together.
		pause := min(minRetryDelay<<(tries-1), maxRetryDelay)
		patience.resume()
		select {
		case <-time.After(pause/2 + rand.N(pause)):
			patience.pause()
		case <-ctx.Done():
			return nil, err
		}
	}
}

// passing reports whether to try once more. A server that hangs up without a word may be overrun as well, since its word
// can be lost when it hangs up before it has read ours; but it may also never let this address in.
func (e *Error) retryable(tries int) bool {
	return e.Kind == KindBusy || e.Kind == KindLost && e.Phase == "connect" && tries < 3
}

const (
	minRetryDelay   = 200 * time.Millisecond
	maxRetryDelay = 3 * time.Second
)

// attempt connects and logs in once.
func (p *Pool) attempt(ctx context.Context, patience *loginTimer, t Target, s Settings, way dialFunc) (*Conn, error) {
	release, err := p.handshakes.acquire(ctx, s.ProxyJump+" "+s.Address())
	if err != nil {
		return nil, p.connectError(ctx, t, s, err)
	}
	defer release()
	patience.resume()
	defer patience.pause()
	raw, err := way(ctx)
	if err != nil {
		return nil, p.connectError(ctx, t, s, err)
	}

	l := &handshake{pool: p, target: t, settings: s, raw: newRawConn(raw), ctx: ctx, timer: patience, phase: "connect"}
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	client, err := await(ctx, &p.tasks, func() (*ssh.Client, error) {
		conn, channels, requests, err := ssh.NewClientConn(l.raw, s.Address(), l.clientConfig())
		if err != nil {
			return nil, err
		}
		return ssh.NewClient(conn, channels, requests), nil
	}, func(c *ssh.Client) { c.Close() })
	if err != nil {
		p.tasks.start(func() { raw.Close() })
		return nil, l.wrapError(err)
	}
	return p.newConn(t, s, client, l.raw)
}

// dialFunc opens the transport to a target.
type dialFunc func(ctx context.Context) (net.Conn, error)

// way finds how a target is reached: straight, by a bastion, or by a command.
func (p *Pool) transportDialer(ctx context.Context, t Target, s Settings, behind []hop) (dialFunc, error) {
	switch {
	case s.ProxyJump != "":
		return p.bastionDialer(ctx, t, s, behind)
	case s.ProxyCommand != "":
		return p.proxyCommandDialer(t, s)
	}
	network := map[string]string{"inet": "tcp4", "inet6": "tcp6"}[s.AddressFamily]
	d := net.Dialer{KeepAlive: -1} // SSH has its own, which notice more
	if s.BindAddress != "" {
		ip := net.ParseIP(s.BindAddress)
		if ip == nil {
			return nil, p.errorFor(t, "config", KindConfig, fmt.Errorf("BindAddress %q is not an IP address", s.BindAddress))
		}
		d.LocalAddr = &net.TCPAddr{IP: ip}
	}
	return func(ctx context.Context) (net.Conn, error) {
		return d.DialContext(ctx, orElse(network, "tcp"), s.Address())
	}, nil
}

// connectError makes an Error of why there is no transport.
func (p *Pool) connectError(ctx context.Context, t Target, s Settings, err error) error {
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
	var (
		op   *net.OpError
		dns  *net.DNSError
		kind = kindOf(err, KindLocal)
		mend string
	)
	switch {
	case errors.As(err, &dns):
		err = fmt.Errorf("no address is known for %q (%s)", s.Hostname, dns.Err)
		mend = "check the name, or set an address for the host"
	case kind == KindRefused:
		err = fmt.Errorf("%s: connection refused", s.Address())
		mend = "check that sshd runs there, and on that port"
	case errors.As(err, &op):
		err = fmt.Errorf("%s: %w", s.Address(), op.Err)
	}
	return &Error{Host: t.Name, Phase: "connect", Kind: kind, Err: err, Fix: mend}
}
