package sshexec

import (
	"errors"

	"golang.org/x/crypto/ssh"
)

// An UnknownKey is a host key that is in no known_hosts file and that ssh would ask the user about.
type UnknownKey struct {
	HostName    string // the host's name in known_hosts form
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
