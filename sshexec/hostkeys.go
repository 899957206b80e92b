package sshexec

import (
	"bytes"
	"cmp"
	"crypto/rsa"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
)

// hostKeys looks up host keys in known_hosts files.
type hostKeys struct {
	files knownHostsCache
}

// knownHostsName returns the name under which OpenSSH stores a host's key. If that name includes a
// port, bare is the name without it, which OpenSSH checks as well.
func knownHostsName(s Settings) (name, bare string) {
	if s.HostKeyAlias != "" {
		return strings.ToLower(s.HostKeyAlias), ""
	}
	host := strings.ToLower(s.Hostname)
	if s.Port == 22 {
		return host, ""
	}
	return "[" + host + "]:" + strconv.Itoa(s.Port), host
}

// hostKeyRecord holds every known_hosts entry for one host.
type hostKeyRecord struct {
	named       []*knownKey // plain keys for the host's name
	withoutPort []*knownKey // plain keys for its name without the port
	authorities []*knownKey
	revoked     []*knownKey

	addHashed func(*hostKeyRecord) // adds the hashed keys to withoutPort; nil if they are there

	name       string            // the host's name in known_hosts form
	unsearched []*knownHostsFile // files whose many hashed lines have not been searched
	search     func() hostKeyRecord
}

// record returns the entries for a host. Files with many hashed lines are only searched if
// everything is set; see check.
func (h *hostKeys) record(s Settings, everything bool) hostKeyRecord {
	name, bare := knownHostsName(s)
	r := hostKeyRecord{name: name, search: func() hostKeyRecord { return h.record(s, true) }}
	var files []*knownHostsFile
	for _, path := range slices.Concat(s.UserKnownHostsFiles, s.GlobalKnownHostsFiles) {
		f := h.files.open(path)
		files = append(files, f)
		searched := everything || !f.hasManyHashed()
		f.eachKey(name, searched, func(k *knownKey) { r.add(k, &r.named) })
		if !searched {
			r.unsearched = append(r.unsearched, f)
		}
	}
	if bare == "" {
		return r
	}
	// A key without the port only matters if there is none of its type with it, so that most hosts
	// need one pass over the hashed lines.
	addBare := func(r *hostKeyRecord, withHashed bool) {
		r.withoutPort = nil
		for _, f := range files {
			f.eachKey(bare, withHashed, func(k *knownKey) { r.add(k, &r.withoutPort) })
		}
	}
	withHashed := len(r.named) == 0 && r.unsearched == nil
	addBare(&r, withHashed)
	if !withHashed {
		r.addHashed = func(r *hostKeyRecord) { addBare(r, true) }
	}
	return r
}

// isEmpty reports whether no line is about the host.
func (r *hostKeyRecord) isEmpty() bool {
	return len(r.named)+len(r.withoutPort)+len(r.authorities)+len(r.revoked) == 0
}

func (r *hostKeyRecord) add(k *knownKey, plain *[]*knownKey) {
	key, err := k.decode()
	if err != nil {
		return
	}
	decoded := *k
	decoded.key = key
	list := plain
	switch k.marker {
	case markerCertAuthority:
		list = &r.authorities
	case markerRevoked:
		list = &r.revoked
	}
	*list = append(*list, &decoded)
}

// algorithms returns the host key algorithms to request. The ones that can be verified come first,
// so that a host with several keys presents a known one.
func (r *hostKeyRecord) algorithms(s Settings) []string {
	allowed := s.HostKeyAlgorithms
	if allowed == nil {
		allowed = preferredHostKeyAlgorithms
	}
	var first, rest []string
	for _, algorithm := range allowed {
		if r.canVerify(algorithm) {
			first = append(first, algorithm)
		} else {
			rest = append(rest, algorithm)
		}
	}
	return append(first, rest...)
}

func (r *hostKeyRecord) canVerify(algorithm string) bool {
	if strings.Contains(algorithm, "-cert-v01@") {
		return len(r.authorities) > 0
	}
	keyType := algorithm
	if strings.HasPrefix(algorithm, "rsa-sha2-") { // RFC 8332: signature algorithms of ssh-rsa keys
		keyType = ssh.KeyAlgoRSA
	}
	if len(r.named)+len(r.withoutPort) == 0 {
		return slices.ContainsFunc(r.unsearched, func(f *knownHostsFile) bool { return f.hasHashedType(keyType) })
	}
	return r.hasType(keyType)
}

// hasType reports whether a plain key of a type is known.
func (r *hostKeyRecord) hasType(keyType string) bool {
	hasType := func(k *knownKey) bool { return k.key.Type() == keyType }
	return slices.ContainsFunc(r.named, hasType) || slices.ContainsFunc(r.withoutPort, hasType)
}

// errOtherKeyKnown means that a key of another type is known, which the host has to present.
var errOtherKeyKnown = errors.New("another key of the host is known")

// check returns nil if the key that a host presented is known to be the host's, and a *hostKeyError
// otherwise.
func (r *hostKeyRecord) check(s Settings, presented ssh.PublicKey) error {
	key := presented
	cert, isCert := presented.(*ssh.Certificate)
	if isCert {
		key = cert.Key
	}
	for _, bad := range r.revoked {
		if sameKey(bad.key, key) || isCert && sameKey(bad.key, cert.SignatureKey) {
			return &hostKeyError{kind: KindHostKeyRevoked, settings: s, key: key, conflict: bad}
		}
	}
	var certErr error
	if isCert {
		if certErr = r.checkCert(s, cert); certErr == nil {
			return nil
		}
		// Fall back to the key in the certificate, as OpenSSH does (check_host_key in
		// sshconnect.c).
	}
	same := func(k *knownKey) bool { return sameKey(k.key, key) }
	sameType := func(k *knownKey) bool { return k.key.Type() == key.Type() }
	if slices.ContainsFunc(r.named, same) {
		return nil
	}
	if r.unsearched != nil {
		// Most keys are found by the key itself. If this one is not, its name decides, and the
		// host may have presented it only because the known types did not come first.
		if slices.ContainsFunc(r.unsearched, func(f *knownHostsFile) bool { return f.hasHashedKey(r.name, key) }) {
			return nil
		}
		found := r.search()
		if len(found.named)+len(found.withoutPort) > 0 && !found.hasType(key.Type()) {
			return errOtherKeyKnown
		}
		*r = found
		if slices.ContainsFunc(r.named, same) {
			return nil
		}
	}
	if i := slices.IndexFunc(r.named, sameType); i >= 0 {
		return &hostKeyError{
			kind: KindHostKeyChanged, settings: s, key: key, conflict: r.named[i], certErr: certErr,
		}
	}
	if r.addHashed != nil {
		r.addHashed(r)
	}
	if slices.ContainsFunc(r.withoutPort, same) {
		return nil
	}
	if len(r.named) > 0 {
		// The client asked for the known key types first, and the host no longer offers any of
		// them. OpenSSH would treat this as an additional key, but then an impostor would only have
		// to claim that it has no key of the known types.
		return &hostKeyError{
			kind: KindHostKeyChanged, settings: s, key: key, conflict: r.named[0], certErr: certErr,
		}
	}
	return &hostKeyError{kind: KindHostKeyUnknown, settings: s, key: key, certErr: certErr}
}

func (r *hostKeyRecord) checkCert(s Settings, cert *ssh.Certificate) error {
	signed := func(k *knownKey) bool { return sameKey(k.key, cert.SignatureKey) }
	if !slices.ContainsFunc(r.authorities, signed) {
		return errors.New("its certificate is not signed by a known authority")
	}
	allowed := s.CASignatureAlgorithms
	if allowed == nil {
		allowed = defaultCASignatureAlgorithms
	}
	if !slices.Contains(allowed, cert.Signature.Format) {
		return fmt.Errorf("its certificate is signed with %s, which CASignatureAlgorithms does not allow", cert.Signature.Format)
	}
	if cert.CertType != ssh.HostCert {
		return errors.New("its certificate is not a host certificate")
	}
	// Principals of host certificates are not patterns (sshkey_cert_check_host in sshkey.c, before
	// OpenSSH 10.3).
	return new(ssh.CertChecker).CheckCert(strings.ToLower(cmp.Or(s.HostKeyAlias, s.Hostname)), cert)
}

// defaultCASignatureAlgorithms is OpenSSH's default (ssh_config(5), CASignatureAlgorithms).
var defaultCASignatureAlgorithms = []string{
	ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
}

// checkRSASize returns an error for an RSA key that is shorter than RequiredRSASize.
func checkRSASize(key ssh.PublicKey, s Settings) error {
	if cert, ok := key.(*ssh.Certificate); ok {
		key = cert.Key
	}
	crypto, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return nil
	}
	if rsaKey, ok := crypto.CryptoPublicKey().(*rsa.PublicKey); ok && rsaKey.N.BitLen() < s.RequiredRSASize {
		return fmt.Errorf("it has %d bits, and RequiredRSASize is %d", rsaKey.N.BitLen(), s.RequiredRSASize)
	}
	return nil
}

func sameKey(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// hostKeyError reports a host key that failed verification.
type hostKeyError struct {
	kind     Kind
	settings Settings
	key      ssh.PublicKey // the key the host presented
	conflict *knownKey     // the known_hosts entry that contradicts it; nil for an unknown key
	certErr  error         // why the host's certificate was rejected, if it has one
}

func (e *hostKeyError) Error() string {
	address := net.JoinHostPort(e.settings.Hostname, strconv.Itoa(e.settings.Port))
	key := e.key.Type() + " " + ssh.FingerprintSHA256(e.key)
	var text string
	switch e.kind {
	case KindHostKeyRevoked:
		text = fmt.Sprintf("%s presents the key %s, which is marked @revoked in %s:%d",
			address, key, e.conflict.file, e.conflict.line)
	case KindHostKeyChanged:
		text = fmt.Sprintf("%s presents the key %s, but %s:%d has %s %s", address, key,
			e.conflict.file, e.conflict.line,
			e.conflict.key.Type(), ssh.FingerprintSHA256(e.conflict.key))
	default:
		name, _ := knownHostsName(e.settings)
		text = fmt.Sprintf("%s presents the key %s, and no known_hosts file has a key for %q",
			address, key, name)
	}
	if e.kind == KindHostKeyUnknown && len(e.settings.UserKnownHostsFiles) == 0 {
		text += "; it cannot be accepted, because UserKnownHostsFile is none"
	}
	if e.kind == KindHostKeyUnknown && e.settings.verifyHostKeyDNS {
		text += "; keys are not looked up in DNS, in spite of VerifyHostKeyDNS"
	}
	if e.kind != KindHostKeyUnknown && e.settings.StrictHostKeyChecking == "no" {
		text += fmt.Sprintf("; this is refused even though StrictHostKeyChecking is no (%s)", e.settings.Origins["StrictHostKeyChecking"])
	}
	if e.certErr != nil {
		text += fmt.Sprintf(" (%v)", e.certErr)
	}
	return text
}

// fix returns what the operator can do. command connects to a target by its name.
func (e *hostKeyError) fix(t Target, command string) string {
	name, _ := knownHostsName(e.settings)
	switch {
	case e.kind == KindHostKeyRevoked:
		return "the host needs a new key; do not log in to it until it has one"
	case e.kind == KindHostKeyChanged:
		return fmt.Sprintf("if the host was reinstalled, remove its old key: ssh-keygen -R %q -f %s; "+
			"otherwise the connection may be intercepted", name, e.conflict.file)
	case e.settings.StrictHostKeyChecking == "yes" && len(e.settings.UserKnownHostsFiles) > 0:
		// ssh does not ask either.
		return fmt.Sprintf("compare the fingerprint with the host's own, then add this line to %s: %s %s",
			e.settings.UserKnownHostsFiles[0], name, bytes.TrimSpace(ssh.MarshalAuthorizedKey(e.key)))
	case t.isBastion: // known only to ssh_config(5)
		command = "ssh"
	}
	return fmt.Sprintf("compare the fingerprint with the host's own, then accept it once: %s %s", command, t.Name)
}
