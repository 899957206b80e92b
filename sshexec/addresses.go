package sshexec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// Several addresses of one host. They are tried as RFC 8305 ("Happy Eyeballs") tries those of one
// name, except that an address must show that an SSH server is there: a firewall or a load balancer
// may accept connections for a host that is gone.

// headStart is how long an address has to answer before the next one is tried, too: the Connection
// Attempt Delay of RFC 8305, section 5.
const headStart = 250 * time.Millisecond

// addressRace opens transports to whichever address of a host answers first. It belongs to one
// login.
type addressRace struct {
	pool    *Pool
	target  Target
	visited []hop // as for [Pool.dial]

	addresses []string // to try, in this order
	winner    string   // the last one that answered, or ""
}

// addresses returns all addresses of a target, in order.
func (t Target) addresses() []string {
	return append([]string{t.Address}, strings.Fields(t.Alternatives)...)
}

// dialAddresses connects to a target with several addresses. What answers at an address may be
// another machine, or nothing that speaks SSH. Then the other addresses are tried without it, and
// what it was is the error if none of them answers either.
func (p *Pool) dialAddresses(ctx context.Context, t Target, s Settings, visited []hop) (*Conn, error) {
	r := &addressRace{pool: p, target: t, visited: visited, addresses: t.addresses()}
	p.mu.Lock()
	if last := p.answered[t.Name]; slices.Contains(r.addresses, last) {
		r.prefer(last)
	}
	p.mu.Unlock()
	var other error // of what answered in place of the host
	for {
		conn, err := p.dialAttempt(ctx, t, s, r.dial)
		var failure *Error
		isError := errors.As(err, &failure)
		switch {
		case err == nil:
			p.mu.Lock()
			p.answered[t.Name] = r.winner
			p.mu.Unlock()
			return conn, nil
		case isError && r.winner != "" && failure.isOtherMachine():
			other = cmp.Or(other, err)
			r.addresses = slices.DeleteFunc(r.addresses, func(a string) bool { return a == r.winner })
			if len(r.addresses) == 0 {
				return nil, other
			}
		case other != nil && isError && failure.Offline():
			return nil, other
		default:
			return nil, err
		}
	}
}

// isOtherMachine reports whether what answered does not seem to be the host: another address may
// lead to it.
func (e *Error) isOtherMachine() bool {
	switch e.Kind {
	case KindHostKeyChanged, KindHostKeyRevoked, KindProtocol:
		return true
	case KindLost, KindBusy:
		return e.Phase == "connect" || e.Phase == "handshake"
	}
	return false
}

// prefer moves an address to the front.
func (r *addressRace) prefer(address string) {
	rest := slices.DeleteFunc(slices.Clone(r.addresses), func(a string) bool { return a == address })
	r.addresses = append([]string{address}, rest...)
}

// answeredConn is a transport on which a server has answered.
type answeredConn struct {
	net.Conn
	settings Settings // those of the address
	first    []byte   // what it sent, until it is read
}

func (c *answeredConn) Read(p []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(p, c.first)
		if c.first = c.first[n:]; len(c.first) == 0 {
			c.first = nil
		}
		return n, nil
	}
	return c.Conn.Read(p)
}

// attempt is the result of trying one address.
type attempt struct {
	place int // of the address
	conn  *answeredConn
	err   error
}

// dial returns the transport on which a server answers first. It is a dialFunc.
func (r *addressRace) dial(ctx context.Context) (net.Conn, error) {
	race, cancel := context.WithCancel(ctx)
	defer cancel()
	attempts := make(chan attempt)
	failed := make([]error, len(r.addresses))
	next, pending := 0, 0
	r.winner = ""
	turn := time.NewTimer(0)
	defer turn.Stop()
	for pending > 0 || next < len(r.addresses) {
		select {
		case <-turn.C:
			if next == len(r.addresses) {
				continue
			}
			place, address := next, r.addresses[next]
			started := r.pool.tasks.start(func() {
				conn, err := r.try(race, address)
				select {
				case attempts <- attempt{place, conn, err}:
				case <-race.Done():
					if conn != nil {
						conn.Close()
					}
				}
			})
			if !started {
				return nil, errClosed
			}
			next++
			pending++
			turn.Reset(headStart)
		case a := <-attempts:
			pending--
			if a.err == nil {
				r.winner = r.addresses[a.place]
				return a.conn, nil
			}
			failed[a.place] = a.err
			turn.Reset(0) // the next one need not wait
		case <-ctx.Done():
			return nil, r.failure(ctx, failed)
		}
	}
	return nil, r.failure(ctx, failed)
}

// try opens a transport to an address, and waits until the server there sends something. A server
// speaks first: with its version, or with a reason to reject the connection.
func (r *addressRace) try(ctx context.Context, address string) (*answeredConn, error) {
	t := r.target
	t.Address = address
	s, err := r.pool.Resolve(ctx, t)
	if err != nil {
		return nil, err
	}
	t.Alternatives = ""
	dial, err := r.pool.transportDialer(ctx, t, s, r.visited)
	if err != nil {
		return nil, err
	}
	conn, err := dial(ctx)
	if err != nil {
		return nil, connectError(ctx, t, s, err)
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	first := make([]byte, maxPreamble)
	n, err := conn.Read(first)
	switch command, viaCommand := conn.(*commandConn); {
	case n > 0:
		return &answeredConn{Conn: conn, settings: s, first: first[:n]}, nil
	case ctx.Err() != nil:
		err = connectError(ctx, t, s, ctx.Err())
	case viaCommand:
		err = &Error{Host: t.Name, Phase: "proxy command", Kind: KindLost, Err: command.exitError()}
	default:
		err = &Error{
			Host: t.Name, Phase: "connect", Kind: kindOf(err, KindLost), Err: fmt.Errorf("%s closed the connection without sending anything", s.Address()),
			Fix: "it may be overloaded or block this address; check its log",
		}
	}
	conn.Close()
	return nil, err
}

// failure returns the error of a race that no address won, from those of the addresses.
func (r *addressRace) failure(ctx context.Context, failed []error) error {
	var worst *Error
	var texts []string
	for i, err := range failed {
		var e *Error
		if !errors.As(err, &e) { // it was still waiting, or had not started
			if ctx.Err() == nil {
				continue
			}
			e = &Error{Kind: contextKind(ctx), Err: fmt.Errorf("%s: %w", r.addresses[i], context.Cause(ctx))}
		}
		texts = append(texts, e.Err.Error())
		if worst == nil || e.Kind == KindShortage || worst.Offline() && !e.Offline() {
			worst = e
		}
	}
	return &Error{Host: r.target.Name, Phase: "connect", Kind: worst.Kind, Fix: worst.Fix, Err: &addressErrors{strings.Join(texts, "; "), worst}}
}

// addressErrors are the errors of all addresses. For errors.As it is the one that decides.
type addressErrors struct {
	text  string
	worst *Error
}

func (e *addressErrors) Error() string { return e.text }

func (e *addressErrors) Unwrap() error { return e.worst }

// FindAddress returns the address of a target that a login would use: the only one, the one that
// answered before, or the one at which a server answers first.
func (p *Pool) FindAddress(ctx context.Context, t Target) (string, error) {
	p.mu.Lock()
	last := p.answered[t.Name]
	p.mu.Unlock()
	if t.Alternatives == "" || slices.Contains(t.addresses(), last) {
		if t.Alternatives != "" {
			return last, nil
		}
		return t.Address, nil
	}
	s, err := p.Resolve(ctx, t)
	if err != nil {
		return "", err
	}
	ctx, timer := p.newLoginTimer(ctx, s.ConnectTimeout)
	defer timer.stop()
	timer.resume()
	r := &addressRace{pool: p, target: t, addresses: t.addresses()}
	conn, err := r.dial(ctx)
	if err != nil {
		return "", connectError(ctx, t, s, err)
	}
	conn.Close()
	return r.winner, nil
}
