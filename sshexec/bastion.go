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

// hop is one bastion on the way to a target, as ProxyJump names it, and the hops before it.
type hop struct {
	name, user string
	port       int
	rest     string // the rest of the ProxyJump; "": what ssh_config(5) says of the hop
}

// parseJump reads the last hop of a ProxyJump, [ssh://][USER@]HOST[:PORT],...
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
			return h, fmt.Errorf("ProxyJump %q has no port in %q", jump, last)
		}
		h.name, h.port = host, int(n)
	}
	h.name = strings.Trim(h.name, "[]")
	if h.name == "" || h.name[0] == '-' {
		return h, fmt.Errorf("ProxyJump %q has no host in %q", jump, last)
	}
	return h, nil
}

// wayByBastion opens transports through a bastion's connection, which serves all who go that way.
func (p *Pool) bastionDialer(ctx context.Context, t Target, s Settings, behind []hop) (dialFunc, error) {
	h, err := parseJump(s.ProxyJump)
	if err != nil {
		return nil, p.errorFor(t, "config", KindConfig, err)
	}
	if slices.Contains(behind, h) {
		return nil, p.errorFor(t, "config", KindConfig, fmt.Errorf("ProxyJump goes round in a circle by way of %q", h.name))
	}
	bastion, err := p.bastion(ctx, h, append(slices.Clip(behind), h))
	if err != nil {
		var inner *Error
		if errors.As(err, &inner) {
			return nil, p.errorFor(t, "connect", KindJump, fmt.Errorf("by way of %w", inner))
		}
		return nil, p.errorFor(t, "connect", contextKind(ctx), fmt.Errorf("by way of %s: %w", h.name, err))
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
		e := &Error{Host: t.Name, Phase: "connect", Kind: channelKind(refused),
			Err: fmt.Errorf("by way of %s: %s does not connect to %s: %s", h.name, h.name, s.Address(), refused.Message)}
		switch {
		case refused.Reason == ssh.Prohibited:
			e.Kind, e.Fix = KindJump, fmt.Sprintf("allow it there: AllowTcpForwarding in sshd_config(5) on %s", h.name)
		case e.Kind == KindSession:
			// sshd says no more than "open failed" when the name is not known there or nothing answers.
			e.Kind = KindRefused
		}
		return nil, e
	}, nil
}

// bastion returns the connection to a hop: one that is there, or a new one, which the Pool keeps until its end.
func (p *Pool) bastion(ctx context.Context, h hop, behind []hop) (*Conn, error) {
	alive := func(c *Conn) bool {
		select {
		case <-c.Done():
			return false
		default:
			return true
		}
	}
	return p.bastions.get(ctx, h, alive, func() (*Conn, error) {
		t := Target{Name: h.name, User: h.user, Port: h.port, isBastion: true}
		s, err := p.Resolve(p.ctx, t)
		if err != nil {
			return nil, err
		}
		if h.rest != "" {
			s.ProxyJump, s.ProxyCommand = h.rest, ""
		}
		return p.dial(p.ctx, t, s, behind)
	})
}
