package sshexec

import (
	"context"
	"errors"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"
)

// An UnknownKey is a host key that is in no known_hosts file and that ssh would ask the user about.
type UnknownKey struct {
	Host        string // the name that the caller or a ProxyJump gave the host
	HostName    string // its name in known_hosts form
	Type        string
	Fingerprint string
	File        string // the known_hosts file that would store the key
	settings    Settings
	key         ssh.PublicKey
}

// AsUnknownKey returns the unknown host key that caused err. It returns nil for any other error,
// including a changed or revoked key, and if StrictHostKeyChecking or UserKnownHostsFile mean that
// ssh would not ask.
func AsUnknownKey(err error) *UnknownKey {
	var e *hostKeyError
	if !errors.As(err, &e) || e.kind != KindHostKeyUnknown ||
		e.settings.StrictHostKeyChecking != "ask" || len(e.settings.UserKnownHostsFiles) == 0 {
		return nil
	}
	name, _ := knownHostsName(e.settings)
	return &UnknownKey{
		Host:        e.settings.Alias,
		HostName:    name,
		Type:        e.key.Type(),
		Fingerprint: ssh.FingerprintSHA256(e.key),
		File:        e.settings.UserKnownHostsFiles[0],
		settings:    e.settings,
		key:         e.key,
	}
}

// Accept adds a key to known_hosts. Call it after the operator has compared the fingerprint with
// the host's own. It returns an error if a different key has become known for the host since.
func (p *Pool) Accept(k *UnknownKey) error { return p.addHostKey(k.settings, k.key) }

// UnknownKeys returns the host keys of targets, and of the bastions before them, that ssh would ask
// the user about. It connects only to targets for which no known_hosts file has a key, and does not
// log in there. A bastion's key hides those of the targets behind it until it is accepted. Targets
// that cannot be resolved, or do not answer before ctx is done, are left out: dialing them reports
// why.
func (p *Pool) UnknownKeys(ctx context.Context, targets []Target) []*UnknownKey {
	found := make([]*UnknownKey, len(targets))
	slots := make(chan struct{}, cap(p.handshakes.total))
	var lookups sync.WaitGroup
	for i, t := range targets {
		slots <- struct{}{}
		lookups.Go(func() {
			defer func() { <-slots }()
			s, err := p.Resolve(ctx, t)
			if err != nil || !p.hasUnknownKey(ctx, s, maxIncludeDepth) {
				return
			}
			conn, err := p.dial(ctx, t, s, nil)
			if err == nil {
				conn.Close() // it has become known
				return
			}
			found[i] = AsUnknownKey(err)
		})
	}
	lookups.Wait()
	var keys []*UnknownKey
	for _, k := range found {
		isSame := func(old *UnknownKey) bool { return old.HostName == k.HostName && old.Fingerprint == k.Fingerprint }
		if k != nil && !slices.ContainsFunc(keys, isSame) {
			keys = append(keys, k)
		}
	}
	return keys
}

// hasUnknownKey reports whether ssh would ask about the key of a target, or of one of at most hops
// bastions before it, whatever key that is.
func (p *Pool) hasUnknownKey(ctx context.Context, s Settings, hops int) bool {
	if s.StrictHostKeyChecking == "ask" && !s.BatchMode && len(s.UserKnownHostsFiles) > 0 {
		if record := p.hostKeys.record(s, true); record.isEmpty() {
			return true
		}
	}
	if s.ProxyJump == "" || hops == 0 {
		return false
	}
	h, err := parseJump(s.ProxyJump)
	if err != nil {
		return false
	}
	bastion, err := p.resolveHop(ctx, h)
	return err == nil && p.hasUnknownKey(ctx, bastion, hops-1)
}
