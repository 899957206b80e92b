package sshexec

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/crypto/ssh"
)

// identity is one key that can be offered. Its signing may ask an agent, and that a person.
type identity struct {
	public ssh.PublicKey
	source   string // where it comes from, for messages
	sign   func(ctx context.Context, data []byte, algorithm string) (*ssh.Signature, error)
}

// identities lists the keys to offer, in order: those that the configuration names, be they in files or in the agent;
// then the agent's others, unless IdentitiesOnly; then those at the usual places. notes are why some keys are not in it.
func (p *Pool) identities(ctx context.Context, s Settings) (list []identity, notes []string) {
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	held := make(map[string]identity) // the agent's, by public key
	var order []string
	if s.IdentityAgent != "" {
		keys, conn, err := p.listAgentKeys(ctx, s.IdentityAgent)
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
		case s.IdentityFilesConfigured || !errors.Is(err, os.ErrNotExist):
			note("%s: %v", path, trimPath(err))
		}
	}
	for _, path := range append(withSuffix(s.IdentityFiles, "-cert.pub"), s.CertificateFiles...) {
		if public, err := readPublicKey(path); err == nil {
			if _, ok := public.(*ssh.Certificate); ok {
				certs = append(certs, identity{public: public, source: path})
			}
		}
	}

	var agents []identity
	for _, blob := range order {
		if !s.IdentitiesOnly {
			agents = append(agents, held[blob])
		}
	}
	if s.IdentityFilesConfigured {
		list = append(files, agents...)
	} else {
		list = append(agents, files...)
	}
	return withoutDuplicates(withCertificates(list, certs)), notes
}

// withCertificates puts before each key the certificates that are for it.
func withCertificates(keys, certs []identity) []identity {
	var list []identity
	for _, key := range keys {
		for _, cert := range certs {
			if c := cert.public.(*ssh.Certificate); sameKey(c.Key, key.public) {
				list = append(list, identity{public: c, source: cert.source, sign: key.sign})
			}
		}
		list = append(list, key)
	}
	return list
}

func withoutDuplicates(list []identity) []identity {
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
	return identity{public: public, source: "the agent's " + comment, sign: func(ctx context.Context, data []byte, algorithm string) (*ssh.Signature, error) {
		return await(ctx, &p.tasks, func() (*ssh.Signature, error) { return conn.SignWithFlags(public, data, agentSignFlags[algorithm]) }, nil)
	}}
}

// fileIdentity makes a key to offer of an IdentityFile; the agent signs where it has the key.
func (p *Pool) fileIdentity(ctx context.Context, path string, held map[string]identity) (identity, error) {
	f := p.readKeyFile(ctx, path)
	if f.public != nil {
		if id, ok := held[string(f.public.Marshal())]; ok {
			id.source = path + ", by the agent"
			return id, nil
		}
	}
	switch {
	case f.err != nil:
		return identity{}, f.err
	case f.signer != nil:
		return identity{public: f.public, source: path, sign: localSign(f.signer)}, nil
	case !f.encrypted:
		return identity{}, errors.New("only the public half is there, and no agent has the private one")
	case f.public == nil:
		// An old format, and no .pub file: without the passphrase there is nothing to offer.
		signer, err := p.decryptKey(ctx, path)
		if err != nil {
			return identity{}, err
		}
		return identity{public: signer.PublicKey(), source: path, sign: localSign(signer)}, nil
	}
	return identity{public: f.public, source: path, sign: func(ctx context.Context, data []byte, algorithm string) (*ssh.Signature, error) {
		signer, err := p.decryptKey(ctx, path)
		if err != nil {
			return nil, err
		}
		return localSign(signer)(ctx, data, algorithm)
	}}, nil
}

func localSign(signer ssh.AlgorithmSigner) func(context.Context, []byte, string) (*ssh.Signature, error) {
	return func(_ context.Context, data []byte, algorithm string) (*ssh.Signature, error) {
		return signer.SignWithAlgorithm(rand.Reader, data, algorithm)
	}
}

// signer makes an identity what the SSH library takes. Asking an agent or a person takes its time: what wraps sign sees to it.
type identitySigner struct {
	identity
	ctx context.Context
}

func (s identitySigner) PublicKey() ssh.PublicKey { return s.public }

func (s identitySigner) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	return s.sign(s.ctx, data, "")
}

func (s identitySigner) SignWithAlgorithm(_ io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	return s.sign(s.ctx, data, algorithm)
}

// withoutPath drops from a file's error the path that is said anyway.
func trimPath(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

func withSuffix(paths []string, suffix string) []string {
	var out []string
	for _, p := range paths {
		out = append(out, p+suffix)
	}
	return out
}
