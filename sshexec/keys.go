package sshexec

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// identity is one key that can be offered. Its signing may ask an agent, and that a person.
type identity struct {
	public ssh.PublicKey
	from   string // where it comes from, for messages
	sign   func(ctx context.Context, data []byte, algorithm string) (*ssh.Signature, error)
}

// keyFile is what was found at the path of an IdentityFile.
type keyFile struct {
	public ssh.PublicKey       // nil: it can only be known with the passphrase
	signer ssh.AlgorithmSigner // nil: encrypted, or only the public half is here
	locked bool
	err    error
}

// identities lists the keys to offer, in order: those that the configuration names, be they in files or in the agent;
// then the agent's others, unless IdentitiesOnly; then those at the usual places. notes are why some keys are not in it.
func (p *Pool) identities(ctx context.Context, s Settings) (list []identity, notes []string) {
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	held := make(map[string]identity) // the agent's, by public key
	var order []string
	if s.IdentityAgent != "" {
		keys, conn, err := p.agentKeys(ctx, s.IdentityAgent)
		if err != nil {
			note("the agent at %s: %v", s.IdentityAgent, err)
		}
		for _, k := range keys {
			public, err := ssh.ParsePublicKey(k.Blob)
			if err != nil {
				continue
			}
			held[string(k.Blob)] = p.agentIdentity(conn, public, k.Comment)
			order = append(order, string(k.Blob))
		}
	}

	var files, certs []identity
	for _, path := range s.IdentityFiles {
		id, err := p.fileIdentity(ctx, path, held)
		switch {
		case err == nil:
			files = append(files, id)
		case s.ChosenIdentities || !errors.Is(err, os.ErrNotExist):
			note("%s: %v", path, withoutPath(err))
		}
	}
	for _, path := range append(suffixed(s.IdentityFiles, "-cert.pub"), s.CertificateFiles...) {
		if public, err := readPublicKey(path); err == nil {
			if _, ok := public.(*ssh.Certificate); ok {
				certs = append(certs, identity{public: public, from: path})
			}
		}
	}

	var agents []identity
	for _, blob := range order {
		if !s.IdentitiesOnly {
			agents = append(agents, held[blob])
		}
	}
	if s.ChosenIdentities {
		list = append(files, agents...)
	} else {
		list = append(agents, files...)
	}
	return distinct(withCertificates(list, certs)), notes
}

// withCertificates puts before each key the certificates that are for it.
func withCertificates(keys, certs []identity) []identity {
	var list []identity
	for _, key := range keys {
		for _, cert := range certs {
			if c := cert.public.(*ssh.Certificate); sameKey(c.Key, key.public) {
				list = append(list, identity{public: c, from: cert.from, sign: key.sign})
			}
		}
		list = append(list, key)
	}
	return list
}

func distinct(list []identity) []identity {
	seen := make(map[string]bool)
	var out []identity
	for _, id := range list {
		if blob := string(id.public.Marshal()); !seen[blob] {
			seen[blob] = true
			out = append(out, id)
		}
	}
	return out
}

func (p *Pool) agentIdentity(conn *agentConn, public ssh.PublicKey, comment string) identity {
	return identity{public: public, from: "the agent's " + comment, sign: func(ctx context.Context, data []byte, algorithm string) (*ssh.Signature, error) {
		return await(ctx, &p.tasks, func() (*ssh.Signature, error) { return conn.SignWithFlags(public, data, agentFlags[algorithm]) }, nil)
	}}
}

// fileIdentity makes a key to offer of an IdentityFile; the agent signs where it has the key.
func (p *Pool) fileIdentity(ctx context.Context, path string, held map[string]identity) (identity, error) {
	f := p.readKeyFile(ctx, path)
	if f.public != nil {
		if id, ok := held[string(f.public.Marshal())]; ok {
			id.from = path + ", by the agent"
			return id, nil
		}
	}
	switch {
	case f.err != nil:
		return identity{}, f.err
	case f.signer != nil:
		return identity{public: f.public, from: path, sign: signWith(f.signer)}, nil
	case !f.locked:
		return identity{}, errors.New("only the public half is there, and no agent has the private one")
	case f.public == nil:
		// An old format, and no .pub file: without the passphrase there is nothing to offer.
		signer, err := p.unlock(ctx, path)
		if err != nil {
			return identity{}, err
		}
		return identity{public: signer.PublicKey(), from: path, sign: signWith(signer)}, nil
	}
	return identity{public: f.public, from: path, sign: func(ctx context.Context, data []byte, algorithm string) (*ssh.Signature, error) {
		signer, err := p.unlock(ctx, path)
		if err != nil {
			return nil, err
		}
		return signWith(signer)(ctx, data, algorithm)
	}}, nil
}

func signWith(signer ssh.AlgorithmSigner) func(context.Context, []byte, string) (*ssh.Signature, error) {
	return func(_ context.Context, data []byte, algorithm string) (*ssh.Signature, error) {
		return signer.SignWithAlgorithm(rand.Reader, data, algorithm)
	}
}

// readKeyFile reads a key file once, for as long as the file stays the same.
func (p *Pool) readKeyFile(ctx context.Context, path string) keyFile {
	f, err := p.keyFiles.get(ctx, newStamp(path), func(keyFile) bool { return true }, func() (keyFile, error) {
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
		if err := private(path); err != nil {
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
		if err := private(path); err != nil {
			return keyFile{public: public, err: err}
		}
		return keyFile{public: public, locked: true}
	}
	if public != nil && strings.HasPrefix(public.Type(), "sk-") {
		err = fmt.Errorf("a key of the kind %s works through an agent alone: ssh-add %s", public.Type(), path)
	}
	return keyFile{public: public, err: err}
}

// private refuses, as ssh does, a key that others may read.
func private(path string) error {
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
type unlocking struct {
	signer ssh.AlgorithmSigner
	err    error
}

// attempts is how often a passphrase may be mistyped.
const attempts = 3

// unlock decrypts a key, once for everybody.
func (p *Pool) unlock(ctx context.Context, path string) (ssh.AlgorithmSigner, error) {
	u, err := p.unlocked.get(ctx, newStamp(path), func(unlocking) bool { return true }, func() (unlocking, error) {
		text, err := os.ReadFile(path)
		for range attempts {
			if err != nil {
				break
			}
			var secret string
			if secret, err = p.ask(p.ctx, fmt.Sprintf("passphrase for %s: ", path)); err != nil {
				break
			}
			key, parseErr := ssh.ParsePrivateKeyWithPassphrase(text, []byte(secret))
			if parseErr == nil {
				signer, ok := key.(ssh.AlgorithmSigner)
				if !ok {
					return unlocking{err: errors.New("it cannot sign here")}, nil
				}
				return unlocking{signer: signer}, nil
			}
			if !errors.Is(parseErr, x509.IncorrectPasswordError) {
				err = parseErr
			}
		}
		if err == nil {
			err = errors.New("wrong passphrase")
		}
		return unlocking{err: fmt.Errorf("it is encrypted, and stays so: %w", err)}, nil
	})
	if err != nil {
		return nil, err
	}
	return u.signer, u.err
}

// signer makes an identity what the SSH library takes. Asking an agent or a person takes its time: what wraps sign sees to it.
type signer struct {
	identity
	ctx context.Context
}

func (s signer) PublicKey() ssh.PublicKey { return s.public }

func (s signer) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	return s.sign(s.ctx, data, "")
}

func (s signer) SignWithAlgorithm(_ io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	return s.sign(s.ctx, data, algorithm)
}

// withoutPath drops from a file's error the path that is said anyway.
func withoutPath(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

func suffixed(paths []string, suffix string) []string {
	var out []string
	for _, p := range paths {
		out = append(out, p+suffix)
	}
	return out
}
