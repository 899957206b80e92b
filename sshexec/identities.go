package sshexec

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// identity is a user key to offer to a host.
type identity struct {
	public ssh.PublicKey
	source string // for messages
	sign   signFunc
}

// signFunc signs data. It may block on an ssh-agent or a prompt. An empty algorithm means the key's
// default.
type signFunc func(ctx context.Context, data []byte, algorithm string) (*ssh.Signature, error)

// identities returns the keys to offer, in order: configured identity files, the other keys of the
// ssh-agent unless IdentitiesOnly is set, and then the default identity files. skipped explains
// which keys were left out and why.
func (p *Pool) identities(ctx context.Context, s Settings) (list []identity, skipped []string) {
	skip := func(format string, args ...any) { skipped = append(skipped, fmt.Sprintf(format, args...)) }
	agentKeys := make(map[string]identity) // by public key blob
	var agentOrder []string
	if s.IdentityAgent != "" {
		keys, conn, err := p.listAgentKeys(ctx, s.IdentityAgent)
		if err != nil {
			skip("ssh-agent at %s: %v", s.IdentityAgent, err)
		}
		for _, k := range keys {
			public, err := ssh.ParsePublicKey(k.Blob)
			if err != nil {
				continue
			}
			agentKeys[string(k.Blob)] = p.agentIdentity(conn, public, k.Comment)
			agentOrder = append(agentOrder, string(k.Blob))
		}
	}

	var fromFiles, certs []identity
	for _, path := range s.IdentityFiles {
		id, err := p.fileIdentity(ctx, s, path, agentKeys)
		switch {
		case err == nil:
			fromFiles = append(fromFiles, id)
		case s.IdentityFilesConfigured || !errors.Is(err, os.ErrNotExist):
			skip("%s: %v", path, trimPath(err))
		}
	}
	certFiles := s.CertificateFiles
	if len(certFiles) == 0 { // load_public_identity_files in ssh.c
		certFiles = withSuffix(s.IdentityFiles, "-cert.pub")
	}
	for _, path := range certFiles {
		if public, err := readPublicKey(path); err == nil {
			if _, ok := public.(*ssh.Certificate); ok {
				certs = append(certs, identity{public: public, source: path})
			}
		}
	}

	var fromAgent []identity
	if !s.IdentitiesOnly {
		for _, blob := range agentOrder {
			fromAgent = append(fromAgent, agentKeys[blob])
		}
	}
	if s.IdentityFilesConfigured {
		list = append(fromFiles, fromAgent...)
	} else {
		list = append(fromAgent, fromFiles...)
	}
	list = slices.DeleteFunc(withoutDuplicates(withCertificates(list, certs)), func(id identity) bool {
		if err := checkRSASize(id.public, s); err != nil {
			skip("%s: %v", id.source, err)
			return true
		}
		if acceptedSignatures(s, id.public) == nil {
			skip("%s: PubkeyAcceptedAlgorithms does not allow %s", id.source, id.public.Type())
			return true
		}
		return false
	})
	return list, skipped
}

// withCertificates inserts the certificates for each key before it.
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
	var unique []identity
	for _, id := range list {
		if blob := string(id.public.Marshal()); !seen[blob] {
			seen[blob] = true
			unique = append(unique, id)
		}
	}
	return unique
}

func (p *Pool) agentIdentity(conn *agentConn, public ssh.PublicKey, comment string) identity {
	sign := func(ctx context.Context, data []byte, algorithm string) (*ssh.Signature, error) {
		if strings.HasPrefix(public.Type(), "sk-") {
			p.options.Log("touch the security key, if it blinks: %s %s", public.Type(), ssh.FingerprintSHA256(public))
		}
		return agentCall(ctx, p, conn, agentSignTimeout, func() (*ssh.Signature, error) {
			return conn.SignWithFlags(public, data, agentSignFlags[algorithm])
		})
	}
	return identity{public: public, source: "ssh-agent key " + comment, sign: sign}
}

// fileIdentity returns the identity for an IdentityFile. If the ssh-agent has the key, it signs.
func (p *Pool) fileIdentity(ctx context.Context, s Settings, path string, agentKeys map[string]identity) (identity, error) {
	f := p.readKeyFile(ctx, path)
	if f.public != nil {
		if id, ok := agentKeys[string(f.public.Marshal())]; ok {
			id.source = path + " (in the ssh-agent)"
			return id, nil
		}
	}
	switch {
	case f.err != nil:
		return identity{}, f.err
	case f.signer != nil:
		return identity{public: f.public, source: path, sign: localSign(f.signer)}, nil
	case !f.encrypted:
		return identity{}, errors.New("only the public key is there, and no ssh-agent has the private key")
	case f.public == nil:
		// An old format without a .pub file: there is nothing to offer until the key is decrypted.
		signer, err := p.decryptKey(ctx, path, s)
		if err != nil {
			return identity{}, err
		}
		return identity{public: signer.PublicKey(), source: path, sign: localSign(signer)}, nil
	}
	sign := func(ctx context.Context, data []byte, algorithm string) (*ssh.Signature, error) {
		signer, err := p.decryptKey(ctx, path, s)
		if err != nil {
			return nil, err
		}
		return localSign(signer)(ctx, data, algorithm)
	}
	return identity{public: f.public, source: path, sign: sign}, nil
}

func localSign(signer ssh.AlgorithmSigner) signFunc {
	return func(_ context.Context, data []byte, algorithm string) (*ssh.Signature, error) {
		return signer.SignWithAlgorithm(rand.Reader, data, algorithm)
	}
}

// identitySigner adapts an identity to ssh.MultiAlgorithmSigner.
type identitySigner struct {
	identity
	ctx        context.Context
	algorithms []string
}

func (s identitySigner) Algorithms() []string { return s.algorithms }

func (s identitySigner) PublicKey() ssh.PublicKey { return s.public }

func (s identitySigner) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	return s.sign(s.ctx, data, "")
}

func (s identitySigner) SignWithAlgorithm(_ io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	return s.sign(s.ctx, data, algorithm)
}

// trimPath removes the path from a file error, for messages that already contain it.
func trimPath(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

func withSuffix(paths []string, suffix string) []string {
	var list []string
	for _, p := range paths {
		list = append(list, p+suffix)
	}
	return list
}
