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

// keyFile is what was found at the path of an IdentityFile.
type keyFile struct {
	public ssh.PublicKey       // nil: it can only be known with the passphrase
	signer ssh.AlgorithmSigner // nil: encrypted, or only the public half is here
	encrypted bool
	err    error
}

// readKeyFile reads a key file once, for as long as the file stays the same.
func (p *Pool) readKeyFile(ctx context.Context, path string) keyFile {
	f, err := p.keyFiles.get(ctx, newFileStamp(path), func(keyFile) bool { return true }, func() (keyFile, error) {
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
		// A key may be in the agent alone, with its public half beside where the private one would be.
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
			return keyFile{err: fmt.Errorf("a key of the kind %s cannot sign here", key.PublicKey().Type())}
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
		err = fmt.Errorf("a key of the kind %s works through an agent alone: ssh-add %s", public.Type(), path)
	}
	return keyFile{public: public, err: err}
}

// private refuses, as ssh does, a key that others may read.
func checkKeyFileMode(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("others may read it, so it is not used: chmod 600 %s", path)
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

// unlocking is how the decrypting of a key ended. That a person would not give the passphrase is an answer too: nobody
// is asked again for the same key.
type decryption struct {
	signer ssh.AlgorithmSigner
	err    error
}

// attempts is how often a passphrase may be mistyped.
const maxPassphraseAttempts = 3

// unlock decrypts a key, once for everybody.
func (p *Pool) decryptKey(ctx context.Context, path string) (ssh.AlgorithmSigner, error) {
	u, err := p.decryptedKeys.get(ctx, newFileStamp(path), func(decryption) bool { return true }, func() (decryption, error) {
		text, err := os.ReadFile(path)
		for range maxPassphraseAttempts {
			if err != nil {
				break
			}
			var secret string
			if secret, err = p.promptSecret(p.ctx, fmt.Sprintf("passphrase for %s: ", path)); err != nil {
				break
			}
			key, parseErr := ssh.ParsePrivateKeyWithPassphrase(text, []byte(secret))
			if parseErr == nil {
				signer, ok := key.(ssh.AlgorithmSigner)
				if !ok {
					return decryption{err: errors.New("it cannot sign here")}, nil
				}
				return decryption{signer: signer}, nil
			}
			if !errors.Is(parseErr, x509.IncorrectPasswordError) {
				err = parseErr
			}
		}
		if err == nil {
			err = errors.New("wrong passphrase")
		}
		return decryption{err: fmt.Errorf("it is encrypted, and stays so: %w", err)}, nil
	})
	if err != nil {
		return nil, err
	}
	return u.signer, u.err
}
