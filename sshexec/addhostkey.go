package sshexec

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// verify checks a key, and where ssh_config(5) says so (StrictHostKeyChecking accept-new or no) makes an unknown one
// known. A changed or a revoked key is refused whatever it says.
func (p *Pool) verifyHostKey(s Settings, r hostKeyRecord, shown ssh.PublicKey) error {
	err := r.check(s, shown)
	refused, ok := err.(*hostKeyError)
	if ok && refused.kind == KindHostKeyUnknown && (s.StrictHostKeyChecking == "accept-new" || s.StrictHostKeyChecking == "no") {
		return p.addHostKey(s, refused.shown)
	}
	return err
}

// accept adds a key to the first of the user's files.
func (p *Pool) addHostKey(s Settings, key ssh.PublicKey) error {
	if len(s.UserKnownHostsFiles) == 0 {
		return nil // UserKnownHostsFile none: nothing is to be kept
	}
	path := s.UserKnownHostsFiles[0]
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("the key cannot be kept: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("the key cannot be kept: %w", err)
	}
	defer f.Close() // and with it the lock
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("%s cannot be locked: %w", path, err)
	}
	// Another login, here or in another process, may have added a key since, and perhaps not this one.
	now := p.hostKeys.record(s)
	if err := now.check(s, key); err == nil {
		return nil
	} else if refused, ok := err.(*hostKeyError); !ok || refused.kind != KindHostKeyUnknown {
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
	if _, err := f.Write(line); err != nil {
		return fmt.Errorf("the key cannot be kept: %w", err)
	}
	p.options.Log("%s: accepted the new host key %s %s, kept in %s", s.Alias, key.Type(), ssh.FingerprintSHA256(key), path)
	return nil
}

func hashedHostName(name string) string {
	salt := make([]byte, 20)
	_, _ = rand.Read(salt) // it never fails
	sum := hashName(name, salt)
	return "|1|" + base64.StdEncoding.EncodeToString(salt) + "|" + base64.StdEncoding.EncodeToString(sum[:])
}

// endsLine reports whether a file is empty or ends with a newline.
func endsWithNewline(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return true
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err != nil || bytes.Equal(last[:], []byte("\n"))
}
