package sshexec

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
)

// hostKeys decides whether a host is who it should be.
type hostKeys struct {
	files knownHostsCache
}

// hostName is the name under which OpenSSH keeps a host's key, and the one without the port, under which it also looks.
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

// hostRecord is all that the files know of one host.
type hostKeyRecord struct {
	named       []*knownKey // plain keys, by the host's name
	withoutPort        []*knownKey // plain keys, by its name without the port
	authorities []*knownKey
	revoked     []*knownKey
}

func (h *hostKeys) record(s Settings) hostKeyRecord {
	var r hostKeyRecord
	name, bare := knownHostsName(s)
	for _, path := range slices.Concat(s.UserKnownHostsFiles, s.GlobalKnownHostsFiles) {
		f := h.files.open(path)
		f.eachKey(name, func(k *knownKey) { r.add(k, &r.named) })
		if bare != "" {
			f.eachKey(bare, func(k *knownKey) { r.add(k, &r.withoutPort) })
		}
	}
	return r
}

func (r *hostKeyRecord) add(k *knownKey, plain *[]*knownKey) {
	key, err := k.decode()
	if err != nil {
		return
	}
	found := *k
	found.key = key
	list := plain
	switch k.marker {
	case markerCertAuthority:
		list = &r.authorities
	case markerRevoked:
		list = &r.revoked
	}
	*list = append(*list, &found)
}

// algorithms lists what the host may prove itself with. What is known of it comes first, so that a host with several keys
// shows the one that can be checked.
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
	format := algorithm
	if strings.HasPrefix(algorithm, "rsa-sha2-") {
		format = ssh.KeyAlgoRSA
	}
	is := func(k *knownKey) bool { return k.key.Type() == format }
	return slices.ContainsFunc(r.named, is) || slices.ContainsFunc(r.withoutPort, is)
}

// check says whether a key that a host showed is the host's.
func (r *hostKeyRecord) check(s Settings, shown ssh.PublicKey) error {
	key := shown
	cert, isCert := shown.(*ssh.Certificate)
	if isCert {
		key = cert.Key
	}
	for _, bad := range r.revoked {
		if sameKey(bad.key, key) || isCert && sameKey(bad.key, cert.SignatureKey) {
			return &hostKeyError{kind: KindHostKeyRevoked, settings: s, shown: key, conflict: bad}
		}
	}
	var certErr error
	if isCert {
		if certErr = r.checkCert(s, cert); certErr == nil {
			return nil
		}
		// OpenSSH goes on with the key inside, and so do we.
	}
	same := func(k *knownKey) bool { return sameKey(k.key, key) }
	sameType := func(k *knownKey) bool { return k.key.Type() == key.Type() }
	if slices.ContainsFunc(r.named, same) {
		return nil
	}
	if i := slices.IndexFunc(r.named, sameType); i >= 0 {
		return &hostKeyError{kind: KindHostKeyChanged, settings: s, shown: key, conflict: r.named[i], certErr: certErr}
	}
	if slices.ContainsFunc(r.withoutPort, same) {
		return nil
	}
	if len(r.named) > 0 {
		// The host was asked for the known kinds of key first, and no longer has any of them. OpenSSH would take the
		// new key for a further one; that would let anybody in who simply claims to have no such key.
		return &hostKeyError{kind: KindHostKeyChanged, settings: s, shown: key, conflict: r.named[0], certErr: certErr}
	}
	return &hostKeyError{kind: KindHostKeyUnknown, settings: s, shown: key, certErr: certErr}
}

func (r *hostKeyRecord) checkCert(s Settings, cert *ssh.Certificate) error {
	if !slices.ContainsFunc(r.authorities, func(k *knownKey) bool { return sameKey(k.key, cert.SignatureKey) }) {
		return errors.New("its certificate is from no known authority")
	}
	if cert.Signature.Format == ssh.KeyAlgoRSA {
		return errors.New("its certificate is signed with SHA-1")
	}
	if cert.CertType != ssh.HostCert {
		return errors.New("its certificate is a user's")
	}
	name := strings.ToLower(orElse(s.HostKeyAlias, s.Hostname))
	// A principal may be a pattern; CheckCert knows only names.
	for _, principal := range cert.ValidPrincipals {
		if matchPattern(strings.ToLower(principal), name) {
			name = principal
			break
		}
	}
	return new(ssh.CertChecker).CheckCert(name, cert)
}

func sameKey(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// hostKeyError is a host that is not known to be who it should be.
type hostKeyError struct {
	kind     Kind
	settings Settings
	shown    ssh.PublicKey
	conflict    *knownKey // the line that stands against it
	certErr     error     // why its certificate did not help
}

func (e *hostKeyError) Error() string {
	at := net.JoinHostPort(e.settings.Hostname, strconv.Itoa(e.settings.Port))
	shown := e.shown.Type() + " " + ssh.FingerprintSHA256(e.shown)
	var text string
	switch e.kind {
	case KindHostKeyRevoked:
		text = fmt.Sprintf("%s shows the key %s, which is marked @revoked in %s:%d", at, shown, e.conflict.file, e.conflict.line)
	case KindHostKeyChanged:
		text = fmt.Sprintf("%s shows the key %s, but %s:%d has %s %s for it", at, shown, e.conflict.file, e.conflict.line,
			e.conflict.key.Type(), ssh.FingerprintSHA256(e.conflict.key))
	default:
		name, _ := knownHostsName(e.settings)
		text = fmt.Sprintf("%s shows the key %s, and no known_hosts file has one for %q", at, shown, name)
	}
	if e.certErr != nil {
		text += fmt.Sprintf(" (%v)", e.certErr)
	}
	return text
}

func (e *hostKeyError) fix(t Target) string {
	name, _ := knownHostsName(e.settings)
	switch {
	case e.kind == KindHostKeyRevoked:
		return "the host needs a new key; do not log in to it until it has one"
	case e.kind == KindHostKeyChanged:
		return fmt.Sprintf("if the host was reinstalled, forget its old key: ssh-keygen -R %q -f %s; if not, somebody may be in between",
			name, e.conflict.file)
	case e.settings.StrictHostKeyChecking == "yes" && len(e.settings.UserKnownHostsFiles) > 0: // ssh does not ask either
		return fmt.Sprintf("compare the fingerprint with the host's own, then add this line to %s: %s %s", e.settings.UserKnownHostsFiles[0],
			name, bytes.TrimSpace(ssh.MarshalAuthorizedKey(e.shown)))
	case t.isBastion: // which need not be in an inventory
		return fmt.Sprintf("compare the fingerprint with the host's own, then accept it once: ssh %s", t.Name)
	}
	return fmt.Sprintf("compare the fingerprint with the host's own, then accept it once: fleetctl ssh %s", t.Name)
}
