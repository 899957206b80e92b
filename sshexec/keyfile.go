package sshexec

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// keyFile is the content of an IdentityFile.
type keyFile struct {
	public    ssh.PublicKey       // nil if it cannot be read without the passphrase
	signer    ssh.AlgorithmSigner // nil if the key is encrypted or only the public key is there
	encrypted bool
	err       error
}

// readKeyFile returns a parsed key file from the cache. It reads the file again if it has changed.
func (p *Pool) readKeyFile(ctx context.Context, path string) keyFile {
	always := func(keyFile) bool { return true }
	f, err := p.keyFiles.get(ctx, newFileStamp(path), always, func() (keyFile, error) {
		return parseKeyFile(path), nil
	})
	if err != nil {
		f.err = err
	}
	return f
}

func parseKeyFile(path string) keyFile {
	text, err := os.ReadFile(path)
	if err != nil {
		// The private key may exist only in an ssh-agent, with the public key next to where the
		// private one would be.
		public, pubErr := readPublicKey(path + ".pub")
		if pubErr != nil {
			return keyFile{err: err}
		}
		return keyFile{public: public}
	}
	key, err := ssh.ParsePrivateKey(text)
	if err == nil {
		if err := checkKeyFileMode(path); err != nil {
			return keyFile{err: err}
		}
		signer, ok := key.(ssh.AlgorithmSigner)
		if !ok {
			return keyFile{err: fmt.Errorf("unsupported key type %s", key.PublicKey().Type())}
		}
		return keyFile{public: key.PublicKey(), signer: signer}
	}
	if public, _, _, _, pubErr := ssh.ParseAuthorizedKey(text); pubErr == nil {
		return keyFile{public: public}
	}
	public, _ := readPublicKey(path + ".pub")
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		if missing.PublicKey != nil {
			public = missing.PublicKey
		}
		if err := checkKeyFileMode(path); err != nil {
			return keyFile{public: public, err: err}
		}
		return keyFile{public: public, encrypted: true}
	}
	if public != nil && strings.HasPrefix(public.Type(), "sk-") {
		err = fmt.Errorf("keys of type %s only work through an ssh-agent: ssh-add %s", public.Type(), path)
	}
	return keyFile{public: public, err: err}
}

// checkKeyFileMode rejects private keys that others can read, as ssh does.
func checkKeyFileMode(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("ignored because others can read it: chmod 600 %s", path)
	}
	return err
}

func readPublicKey(path string) (ssh.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(text)
	return public, err
}

// decryption is the result of decrypting a key. A failure is cached as well, so that the operator
// is not prompted again for the same key.
type decryption struct {
	signer ssh.AlgorithmSigner
	err    error
}

// decryptKey prompts for the passphrase of a key file, once for all logins that need the key.
func (p *Pool) decryptKey(ctx context.Context, path string, s Settings) (ssh.AlgorithmSigner, error) {
	if s.BatchMode {
		return nil, errors.New("it is encrypted, and BatchMode does not allow prompts")
	}
	always := func(decryption) bool { return true }
	d, err := p.decryptedKeys.get(ctx, newFileStamp(path), always, func() (decryption, error) {
		signer, err := p.promptAndDecrypt(path, s.NumberOfPasswordPrompts)
		if err != nil {
			err = fmt.Errorf("cannot decrypt it: %w", err)
		}
		return decryption{signer, err}, nil
	})
	if err != nil {
		return nil, err
	}
	return d.signer, d.err
}

func (p *Pool) promptAndDecrypt(path string, attempts int) (ssh.AlgorithmSigner, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for range attempts {
		passphrase, err := p.promptSecret(p.ctx, fmt.Sprintf("passphrase for %s: ", path))
		if err != nil {
			return nil, err
		}
		key, err := ssh.ParsePrivateKeyWithPassphrase(text, []byte(passphrase))
		switch {
		case errors.Is(err, x509.IncorrectPasswordError):
			continue
		case err != nil:
			return nil, err
		}
		signer, ok := key.(ssh.AlgorithmSigner)
		if !ok {
			return nil, fmt.Errorf("unsupported key type %s", key.PublicKey().Type())
		}
		return signer, nil
	}
	return nil, errors.New("incorrect passphrase")
}
