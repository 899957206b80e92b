package sshexec

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// verifyHostKey checks the host key of a server at an address. It adds an unknown key to the known
// hosts if StrictHostKeyChecking is accept-new or no. It rejects changed and revoked keys in every
// case.
func (p *Pool) verifyHostKey(s Settings, r hostKeyRecord, address net.Addr, key ssh.PublicKey) error {
	if err := checkRSASize(key, s); err != nil {
		return &Error{
			Host: s.Alias, Phase: "host key", Kind: KindProtocol,
			Err: fmt.Errorf("the RSA key of %s is too short: %w", s.Address(), err),
			Fix: "give the host a new key, or lower RequiredRSASize in ~/.ssh/config",
		}
	}
	if s.NoHostAuthenticationForLocalhost && s.HostKeyAlias == "" && isDirectLoopback(s, address) {
		return nil // check_host_key in sshconnect.c
	}
	err := r.check(s, key)
	rejected, ok := err.(*hostKeyError)
	if !ok || rejected.kind != KindHostKeyUnknown {
		return err
	}
	// With UserKnownHostsFile none, ssh rejects unknown keys, too (check_host_key in sshconnect.c).
	canSave := len(s.UserKnownHostsFiles) > 0
	if canSave && (s.StrictHostKeyChecking == "accept-new" || s.StrictHostKeyChecking == "no") {
		return p.addHostKey(s, rejected.key)
	}
	return err
}

// isDirectLoopback reports whether a connection goes to this machine, without a bastion or a
// ProxyCommand.
func isDirectLoopback(s Settings, address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback() && s.ProxyJump == "" && s.ProxyCommand == ""
}

// addHostKey appends a key to the first of the user's known_hosts files.
func (p *Pool) addHostKey(s Settings, key ssh.PublicKey) error {
	path := s.UserKnownHostsFiles[0]
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("cannot save the host key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("cannot save the host key: %w", err)
	}
	defer f.Close() // releases the lock
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("cannot lock %s: %w", path, err)
	}
	// Another login, in this process or another, may have added a key in the meantime, and not
	// necessarily this one.
	current := p.hostKeys.record(s, true)
	if err := current.check(s, key); err == nil {
		return nil
	} else if rejected, ok := err.(*hostKeyError); !ok || rejected.kind != KindHostKeyUnknown {
		return err
	}
	name, _ := knownHostsName(s)
	if s.HashKnownHosts {
		name = hashedHostName(name)
	}
	line := append([]byte(name+" "), ssh.MarshalAuthorizedKey(key)...)
	if !endsWithNewline(f) {
		line = append([]byte("\n"), line...)
	}
	before := newFileStamp(path)
	if _, err := f.Write(line); err != nil {
		return fmt.Errorf("cannot save the host key: %w", err)
	}
	p.hostKeys.files.appended(before, string(bytes.TrimLeft(line, "\n")))
	p.options.Log("%s: accepted new host key %s %s and saved it in %s", s.Alias, key.Type(),
		ssh.FingerprintSHA256(key), path)
	return nil
}

// hashedHostName returns a host name in the form that HashKnownHosts stores, with a new salt.
func hashedHostName(name string) string {
	salt := make([]byte, 20)
	_, _ = rand.Read(salt) // crypto/rand.Read never fails
	sum := hashName(name, salt)
	return "|1|" + base64.StdEncoding.EncodeToString(salt) + "|" +
		base64.StdEncoding.EncodeToString(sum[:])
}

// endsWithNewline reports whether a file is empty or ends with a newline.
func endsWithNewline(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return true
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err != nil || bytes.Equal(last[:], []byte("\n"))
}
