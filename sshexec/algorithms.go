package sshexec

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// preferred is OpenSSH's order of host key algorithms.
var preferredHostKeyAlgorithms = []string{
	ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
	ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01,
	ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
}

// limitAlgorithms keeps of what the configuration allows the part that is known here, in our order. Nothing left is an
// error: to the SSH library an empty list would mean all that it has.
func limitAlgorithms(s *Settings) error {
	safe, legacy := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms() // legacy ones only where they are asked for by name
	for _, list := range []struct {
		keyword string
		allowed *[]string
		ours    []string
	}{
		{"HostKeyAlgorithms", &s.HostKeyAlgorithms, slices.Concat(preferredHostKeyAlgorithms, safe.HostKeys, legacy.HostKeys)},
		{"KexAlgorithms", &s.KexAlgorithms, slices.Concat(safe.KeyExchanges, legacy.KeyExchanges)},
		{"Ciphers", &s.Ciphers, slices.Concat(safe.Ciphers, legacy.Ciphers)},
		{"MACs", &s.MACs, slices.Concat(safe.MACs, legacy.MACs)},
	} {
		if *list.allowed == nil {
			continue
		}
		var both []string
		for _, algorithm := range list.ours {
			if slices.Contains(*list.allowed, algorithm) && !slices.Contains(both, algorithm) {
				both = append(both, algorithm)
			}
		}
		if both == nil {
			return fmt.Errorf("ssh_config(5) allows only %s %s, of which fleetctl has none", list.keyword, strings.Join(*list.allowed, ","))
		}
		*list.allowed = both
	}
	return nil
}
