package sshexec

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// preferredHostKeyAlgorithms lists host key algorithms in OpenSSH's default order (ssh_config(5),
// HostKeyAlgorithms).
var preferredHostKeyAlgorithms = []string{
	ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01,
	ssh.CertAlgoECDSA521v01, ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01,
	ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
}

// limitAlgorithms reduces the algorithms in s to those that golang.org/x/crypto/ssh implements, in
// this package's order of preference. An empty result is an error, because the library treats an
// empty list as "all supported algorithms". Legacy algorithms require an explicit entry in the
// configuration.
func limitAlgorithms(s *Settings) error {
	secure, legacy := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	hostKeys := slices.Concat(preferredHostKeyAlgorithms, secure.HostKeys, legacy.HostKeys)
	keyExchanges := slices.Concat(secure.KeyExchanges, legacy.KeyExchanges)
	// The name that curve25519-sha256 had before RFC 8731, which the library only adds to its own
	// list.
	if slices.Contains(s.KexAlgorithms, "curve25519-sha256@libssh.org") && !slices.Contains(s.KexAlgorithms, ssh.KeyExchangeCurve25519) {
		s.KexAlgorithms = append(slices.Clip(s.KexAlgorithms), ssh.KeyExchangeCurve25519)
	}
	for _, list := range []struct {
		keyword   string
		allowed   *[]string
		supported []string
	}{
		{"HostKeyAlgorithms", &s.HostKeyAlgorithms, hostKeys},
		{"KexAlgorithms", &s.KexAlgorithms, keyExchanges},
		{"Ciphers", &s.Ciphers, slices.Concat(secure.Ciphers, legacy.Ciphers)},
		{"MACs", &s.MACs, slices.Concat(secure.MACs, legacy.MACs)},
	} {
		if *list.allowed == nil {
			continue
		}
		var common []string
		for _, algorithm := range list.supported {
			if slices.Contains(*list.allowed, algorithm) && !slices.Contains(common, algorithm) {
				common = append(common, algorithm)
			}
		}
		if common == nil {
			return fmt.Errorf("%s: it allows only %s %s, none of which is supported",
				s.Origins[list.keyword], list.keyword, strings.Join(*list.allowed, ","))
		}
		*list.allowed = common
	}
	return nil
}

// acceptedSignatures returns the signature algorithms that PubkeyAcceptedAlgorithms allows for a
// key, in OpenSSH's order of preference. None means that the key must not be offered. ssh-rsa,
// which uses SHA-1, needs an explicit entry.
func acceptedSignatures(s Settings, key ssh.PublicKey) []string {
	keyType, suffix := key.Type(), ""
	if cert, ok := key.(*ssh.Certificate); ok {
		keyType, suffix = cert.Key.Type(), "-cert-v01@openssh.com"
		if base, ok := strings.CutSuffix(keyType, "@openssh.com"); ok { // sk- keys
			return acceptedNames(s, map[string]string{keyType: base + suffix}, keyType)
		}
	}
	if keyType != ssh.KeyAlgoRSA {
		return acceptedNames(s, map[string]string{keyType: keyType + suffix}, keyType)
	}
	names := map[string]string{
		ssh.KeyAlgoRSASHA512: ssh.KeyAlgoRSASHA512 + suffix, ssh.KeyAlgoRSASHA256: ssh.KeyAlgoRSASHA256 + suffix,
		ssh.KeyAlgoRSA: ssh.KeyAlgoRSA + suffix,
	}
	if s.PubkeyAcceptedAlgorithms == nil {
		delete(names, ssh.KeyAlgoRSA)
	}
	return acceptedNames(s, names, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA)
}

// acceptedNames returns the algorithms whose names in PubkeyAcceptedAlgorithms are allowed.
func acceptedNames(s Settings, names map[string]string, algorithms ...string) []string {
	var accepted []string
	for _, algorithm := range algorithms {
		name, ok := names[algorithm]
		if ok && (s.PubkeyAcceptedAlgorithms == nil || slices.Contains(s.PubkeyAcceptedAlgorithms, name)) {
			accepted = append(accepted, algorithm)
		}
	}
	return accepted
}

// negotiationError returns the error for a server that supports none of the algorithms of one kind.
// If the configuration limits them, it names the line.
func negotiationError(s Settings, err *ssh.AlgorithmNegotiationError) error {
	keyword := "Ciphers"
	switch {
	case strings.Contains(err.What, "key exchange"):
		keyword = "KexAlgorithms"
	case strings.Contains(err.What, "host key"):
		keyword = "HostKeyAlgorithms"
	case strings.Contains(err.What, "MAC"):
		keyword = "MACs"
	}
	text := fmt.Sprintf("no common algorithm for %s: %s supports %s, and this side %s", err.What, s.Address(),
		strings.Join(err.RequestedAlgorithms, ","), strings.Join(err.SupportedAlgorithms, ","))
	if origin := s.Origins[keyword]; origin != OriginDefault {
		text += fmt.Sprintf(" (%s: %s)", origin, keyword)
	}
	return errors.New(text)
}
