package sshexec

import (
	"errors"

	"golang.org/x/crypto/ssh"
)

// UnknownKey is a host key that a host has shown, that no known_hosts file has, and that ssh would ask a person about.
type UnknownKey struct {
	HostName        string // of the host, as known_hosts would have it
	Type        string
	Fingerprint string
	File        string // where it would be kept
	settings    Settings
	key         ssh.PublicKey
}

// AsUnknownKey finds the key that an error is about. It is nil for every other error, where another key is known for the host, or this one
// revoked, and where StrictHostKeyChecking says that nobody is to be asked.
func AsUnknownKey(err error) *UnknownKey {
	var e *hostKeyError
	if !errors.As(err, &e) || e.kind != KindHostKeyUnknown || e.settings.StrictHostKeyChecking != "ask" || len(e.settings.UserKnownHostsFiles) == 0 {
		return nil
	}
	name, _ := knownHostsName(e.settings)
	return &UnknownKey{
		HostName: name, Type: e.shown.Type(), Fingerprint: ssh.FingerprintSHA256(e.shown), File: e.settings.UserKnownHostsFiles[0],
		settings: e.settings, key: e.shown,
	}
}

// Accept makes a key known, once a person has compared its fingerprint with the host's own. Should another one have become known for the
// host since, it is refused.
func (p *Pool) Accept(k *UnknownKey) error { return p.addHostKey(k.settings, k.key) }
