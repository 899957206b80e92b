package sshexec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
)

// hop is the last bastion before a target in a ProxyJump list.
type hop struct {
	name, user string
	port       int
	rest       string // the ProxyJump entries before it; "" means its own ssh_config(5) applies
}

// parseJump parses the last entry of a ProxyJump value, [ssh://][USER@]HOST[:PORT],...
func parseJump(jump string) (hop, error) {
	var h hop
	last := jump
	if i := strings.LastIndexByte(jump, ','); i >= 0 {
		h.rest, last = jump[:i], jump[i+1:]
	}
	h.name = strings.TrimSuffix(strings.TrimPrefix(last, "ssh://"), "/")
	if i := strings.LastIndexByte(h.name, '@'); i >= 0 {
		h.user, h.name = h.name[:i], h.name[i+1:]
	}
	if host, port, err := net.SplitHostPort(h.name); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return h, fmt.Errorf("invalid port in ProxyJump %q: %q", jump, last)
		}
		h.name, h.port = host, int(n)
	}
	h.name = strings.Trim(h.name, "[]")
	if h.name == "" || h.name[0] == '-' {
		return h, fmt.Errorf("invalid host in ProxyJump %q: %q", jump, last)
	}
	return h, nil
}

// bastionDialer returns a function that opens transports through a bastion. All targets behind the
// bastion share one connection to it. visited lists the hops that led here, to detect loops.
func (p *Pool) bastionDialer(ctx context.Context, t Target, s Settings, visited []hop) (dialFunc, error) {
	h, err := parseJump(s.ProxyJump)
	if err != nil {
		return nil, p.errorFor(t, "config", KindConfig, err)
	}
	if slices.Contains(visited, h) {
		return nil, p.errorFor(t, "config", KindConfig, fmt.Errorf("ProxyJump loop through %q", h.name))
	}
	bastion, err := p.bastion(ctx, h, append(slices.Clip(visited), h))
	if err != nil {
		var inner *Error
		if errors.As(err, &inner) {
			return nil, p.errorFor(t, "connect", KindJump, fmt.Errorf("via %w", inner))
		}
		return nil, p.errorFor(t, "connect", contextKind(ctx), fmt.Errorf("via %s: %w", h.name, err))
	}
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := bastion.DialContext(ctx, "tcp", s.Address())
		if err == nil {
			return conn, nil
		}
		var refused *ssh.OpenChannelError
		if !errors.As(err, &refused) {
			return nil, err
		}
		e := &Error{
			Host: t.Name, Phase: "connect", Kind: channelKind(refused),
			Err: fmt.Errorf("via %s: cannot connect to %s: %s", h.name, s.Address(), refused.Message),
		}
		switch {
		case refused.Reason == ssh.ResourceShortage:
			e.Kind, e.fromBastion = KindBusy, true
			e.Fix = fmt.Sprintf("%s has too many connections; try again later, or raise its limits", h.name)
		case refused.Reason == ssh.Prohibited:
			e.Kind = KindJump
			e.Fix = fmt.Sprintf("set AllowTcpForwarding in sshd_config(5) on %s", h.name)
		case e.Kind == KindSession:
			// sshd replies only "open failed" if it cannot resolve the name or nothing answers.
			e.Kind = KindRefused
		}
		return nil, e
	}, nil
}

// bastion returns the shared connection to a hop. It dials if there is none or the last one was
// lost. The connection stays open until the Pool is closed.
func (p *Pool) bastion(ctx context.Context, h hop, visited []hop) (*Conn, error) {
	alive := func(c *Conn) bool {
		select {
		case <-c.Done():
			return false
		default:
			return true
		}
	}
	return p.bastions.get(ctx, h, alive, func() (*Conn, error) {
		s, err := p.resolveHop(p.ctx, h)
		if err != nil {
			return nil, err
		}
		return p.dial(p.ctx, h.target(), s, visited)
	})
}

func (h hop) target() Target {
	return Target{Name: h.name, User: h.user, Port: h.port, isBastion: true}
}

// resolveHop returns the settings for a hop, including how to reach it.
func (p *Pool) resolveHop(ctx context.Context, h hop) (Settings, error) {
	s, err := p.Resolve(ctx, h.target())
	if err == nil && h.rest != "" {
		s.ProxyJump, s.ProxyCommand = h.rest, ""
	}
	return s, err
}
