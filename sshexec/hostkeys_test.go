package sshexec

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// hostKeyLine returns a known_hosts line.
func hostKeyLine(hosts string, key ssh.PublicKey) string {
	return hosts + " " + string(ssh.MarshalAuthorizedKey(key))
}

func newSigner(t testing.TB, kind string) ssh.Signer {
	t.Helper()
	var (
		key any
		err error
	)
	switch kind {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ecdsa":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		signer, err := sshtest.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		return signer
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// checkHostKey checks a presented key against a known_hosts file and returns the kind of failure,
// or "". The result must not depend on how many other hosts the file has, nor on whether names are
// hashed.
func checkHostKey(t *testing.T, known string, s Settings, presented ssh.PublicKey) Kind {
	t.Helper()
	kind := checkHostKeyIn(t, known, s, presented)
	if many := checkHostKeyIn(t, manyHashedHosts()+known, s, presented); many != kind {
		t.Errorf("%q in a small file and %q in a large one", kind, many)
	}
	var hashed strings.Builder
	for line := range strings.Lines(known) {
		if name, rest, ok := strings.Cut(line, " "); ok && !strings.ContainsAny(name, "@*|,#\t") {
			line = hashedHostName(strings.ToLower(name)) + " " + rest
		}
		hashed.WriteString(line)
	}
	if many := checkHostKeyIn(t, manyHashedHosts()+hashed.String(), s, presented); many != kind {
		t.Errorf("%q with plain names and %q with hashed ones in a large file", kind, many)
	}
	return kind
}

// manyHashedHosts returns known_hosts lines for more than manyHashedLines other hosts.
var manyHashedHosts = sync.OnceValue(func() string {
	key, err := sshtest.NewKey()
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	for i := range manyHashedLines + 1 {
		b.WriteString(hostKeyLine(hashedHostName(fmt.Sprintf("other%d", i)), key.PublicKey()))
	}
	return b.String()
})

func checkHostKeyIn(t *testing.T, known string, s Settings, presented ssh.PublicKey) Kind {
	t.Helper()
	file := t.TempDir() + "/known_hosts"
	if err := os.WriteFile(file, []byte(known), 0o600); err != nil {
		t.Fatal(err)
	}
	s.UserKnownHostsFiles = []string{file}
	var store hostKeys
	record := store.record(s, false)
	err := record.check(s, presented)
	if err == errOtherKeyKnown {
		record = store.record(s, true)
		err = record.check(s, presented)
	}
	if err == nil {
		return ""
	}
	return err.(*hostKeyError).kind
}

func TestHostKeyCheckMatchesKnownHostsLikeOpenSSH(t *testing.T) {
	t.Parallel()
	key, otherKey := newSigner(t, "").PublicKey(), newSigner(t, "").PublicKey()
	ecdsaKey := newSigner(t, "ecdsa").PublicKey()
	web := Settings{Alias: "web", Hostname: "Web.example.com", Port: 22}
	port := Settings{Alias: "web", Hostname: "web.example.com", Port: 2222}
	alias := Settings{Alias: "web", Hostname: "web.example.com", Port: 2222, HostKeyAlias: "the-web"}
	for _, c := range []struct {
		name  string
		known string
		host  Settings
		want  Kind
	}{
		{"name", hostKeyLine("web.example.com", key), web, ""},
		{"name in another case", hostKeyLine("WEB.example.com", key), web, ""},
		{"one of several names", hostKeyLine("db,web.example.com,10.0.0.1", key), web, ""},
		{"pattern", hostKeyLine("*.example.com", key), web, ""},
		{"negated pattern", hostKeyLine("*.example.com,!web.*", key), web, KindHostKeyUnknown},
		{"hashed name", hostKeyLine(hashedHostName("web.example.com"), key), web, ""},
		{"name and port", hostKeyLine("[web.example.com]:2222", key), port, ""},
		{"name without the port", hostKeyLine("web.example.com", key), port, ""},
		{"hashed name and port", hostKeyLine(hashedHostName("[web.example.com]:2222"), key), port, ""},
		{"another port", hostKeyLine("[web.example.com]:23", key), port, KindHostKeyUnknown},
		{"pattern that matches the port", hostKeyLine("*", key), port, ""},
		{"HostKeyAlias", hostKeyLine("the-web", key), alias, ""},
		{"name of a host with HostKeyAlias", hostKeyLine("[web.example.com]:2222", key), alias, KindHostKeyUnknown},
		{"comment, tabs and carriage return", "web.example.com\t" + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " me@home\r\n", web, ""},
		{"after malformed lines", "x\n@nonsense a b c\nweb.example.com ssh-ed25519 !!!\n|1|bad|bad ssh-ed25519 AAAA\n# web\n\n" + hostKeyLine("web.example.com", key), web, ""},
		{"second of two keys", hostKeyLine("web.example.com", otherKey) + hostKeyLine("web.example.com", key), web, ""},
		{"another host", hostKeyLine("db.example.com", key), web, KindHostKeyUnknown},
		{"suffix of the name", hostKeyLine("example.com", key), web, KindHostKeyUnknown},
		{"different key", hostKeyLine("web.example.com", otherKey), web, KindHostKeyChanged},
		{"different key with the port, same key without", hostKeyLine("[web.example.com]:2222", otherKey) + hostKeyLine("web.example.com", key), port, KindHostKeyChanged},
		{"different key without the port", hostKeyLine("web.example.com", otherKey), port, KindHostKeyUnknown},
		{"key of another type", hostKeyLine("web.example.com", ecdsaKey), web, KindHostKeyChanged},
		{"revoked key", hostKeyLine("web.example.com", key) + "@revoked " + hostKeyLine("*", key), web, KindHostKeyRevoked},
		{"another key revoked", hostKeyLine("web.example.com", key) + "@revoked " + hostKeyLine("*", otherKey), web, ""},
		{"key of a certificate authority", "@cert-authority " + hostKeyLine("*", key), web, KindHostKeyUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := checkHostKey(t, c.known, c.host, key); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestHostKeyCheckHostCertificates(t *testing.T) {
	t.Parallel()
	authority, host := newSigner(t, ""), newSigner(t, "ecdsa")
	certificate := func(change func(*ssh.Certificate)) ssh.PublicKey {
		c := &ssh.Certificate{Key: host.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"web.example.com"}, ValidBefore: ssh.CertTimeInfinity}
		change(c)
		if err := c.SignCert(rand.Reader, authority); err != nil {
			t.Fatal(err)
		}
		return c
	}
	unchanged := func(*ssh.Certificate) {}
	trusted := "@cert-authority " + hostKeyLine("*.example.com", authority.PublicKey())
	everywhere := "@cert-authority " + hostKeyLine("*", authority.PublicKey())
	web := Settings{Hostname: "WEB.example.com", Port: 22}
	for _, c := range []struct {
		name  string
		known string
		port  int
		cert  ssh.PublicKey
		want  Kind
	}{
		{"valid", trusted, 22, certificate(unchanged), ""},
		{"any port", everywhere, 2222, certificate(unchanged), ""},
		{"pattern as principal", trusted, 22, certificate(func(c *ssh.Certificate) { c.ValidPrincipals = []string{"db", "*.example.com"} }), KindHostKeyUnknown},
		{"another principal", trusted, 22, certificate(func(c *ssh.Certificate) { c.ValidPrincipals = []string{"db.example.com"} }), KindHostKeyUnknown},
		{"expired", trusted, 22, certificate(func(c *ssh.Certificate) { c.ValidBefore = 1 }), KindHostKeyUnknown},
		{"user certificate", trusted, 22, certificate(func(c *ssh.Certificate) { c.CertType = ssh.UserCert }), KindHostKeyUnknown},
		{"unknown authority", "", 22, certificate(unchanged), KindHostKeyUnknown},
		{"authority for other hosts", "@cert-authority " + hostKeyLine("*.example.org", authority.PublicKey()), 22, certificate(unchanged), KindHostKeyUnknown},
		{"revoked authority", trusted + "@revoked " + hostKeyLine("*", authority.PublicKey()), 22, certificate(unchanged), KindHostKeyRevoked},
		{"unknown authority, known key", hostKeyLine("web.example.com", host.PublicKey()), 22, certificate(unchanged), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := web
			s.Port = c.port
			if got := checkHostKey(t, c.known, s, c.cert); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestHostKeyAlgorithmsPutKnownTypesFirst(t *testing.T) {
	t.Parallel()
	ecdsaKey := newSigner(t, "ecdsa").PublicKey()
	rsaKey := newSigner(t, "rsa").PublicKey()
	for _, c := range []struct {
		known []*knownKey
		first []string
	}{
		{nil, []string{ssh.CertAlgoED25519v01}},
		{[]*knownKey{{key: ecdsaKey}}, []string{ssh.KeyAlgoECDSA256}},
		{[]*knownKey{{key: rsaKey}}, []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}},
	} {
		r := hostKeyRecord{named: c.known}
		got := r.algorithms(Settings{})
		if !slices.Equal(got[:len(c.first)], c.first) || len(got) != len(preferredHostKeyAlgorithms) {
			t.Errorf("known %v: got %v", c.known, got)
		}
	}
	r := hostKeyRecord{named: []*knownKey{{key: ecdsaKey}}}
	if got := r.algorithms(Settings{HostKeyAlgorithms: []string{"ssh-ed25519", "ecdsa-sha2-nistp256"}}); !slices.Equal(got, []string{"ecdsa-sha2-nistp256", "ssh-ed25519"}) {
		t.Errorf("HostKeyAlgorithms ignored: %v", got)
	}
}

// TestKnownHostsLookupMatchesSSHKeygen compares lookups in random files with `ssh-keygen -F`.
func TestKnownHostsLookupMatchesSSHKeygen(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("needs ssh-keygen")
	}
	key := newSigner(t, "").PublicKey()
	r := mathrand.New(mathrand.NewPCG(3, 5))
	names := []string{"web", "web.example.com", "[web]:2222", "10.0.0.1", "[::1]:2222", "::1"}
	for range 30 {
		var text strings.Builder
		for range 1 + r.IntN(8) {
			var hosts []string
			for range 1 + r.IntN(3) {
				hosts = append(hosts, pick(r, append(names, "*", "w?b", "*.example.com", "!web", "[w*]:2222", "WEB", "10.0.0.*", "[*]:*")...))
			}
			line := strings.Join(hosts, ",")
			if r.IntN(3) == 0 {
				line = hashedHostName(pick(r, names...))
			}
			text.WriteString(pick(r, "", "", "", "# ", "@revoked ", "@cert-authority ") + hostKeyLine(line, key))
		}
		file := t.TempDir() + "/known_hosts"
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			var got []int
			readKnownHostsFile(file).eachKey(name, true, func(k *knownKey) { got = append(got, k.line) })
			slices.Sort(got)
			got = slices.Compact(got) // a line may contain a name twice
			out, _ := exec.Command("ssh-keygen", "-F", name, "-f", file).Output()
			var want []int
			for line := range strings.Lines(string(out)) {
				if _, n, ok := strings.Cut(line, " found: line "); ok {
					number, _ := strconv.Atoi(strings.Fields(n)[0])
					want = append(want, number)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%q: got lines %v, ssh-keygen finds %v\n%s", name, got, want, text.String())
			}
		}
	}
}

func TestHashNameMatchesHMAC(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 40, 63, 64, 65, 255, 256, 257, 1000} {
		name := strings.Repeat("n", n)
		salt := []byte(strings.Repeat("s", 20))
		// Equivalent, because HMAC pads keys to 64 bytes with zeros.
		long := append(slices.Clone(salt), make([]byte, 60)...)
		if hashName(name, salt) != hashName(name, long[:64]) {
			t.Errorf("hashes of a name of %d bytes differ", n)
		}
	}
}

func FuzzKnownHostsParseLine(f *testing.F) {
	f.Add("web ssh-ed25519 AAAA\n|1||\n@cert-authority * x y\n", "web")
	f.Add("|1|AAAA|AAAA a b\n@\n!", "*")
	f.Fuzz(func(t *testing.T, text, name string) {
		file := &knownHostsFile{byName: map[string][]*knownKey{}}
		for i, line := range strings.Split(text, "\n") {
			file.parseLine("f", i, line)
		}
		file.eachKey(name, true, func(k *knownKey) { _, _ = k.decode() })
	})
}

func TestDialRejectsUnknownHostAndShowsFingerprint(t *testing.T) {
	t.Parallel()
	for policy, fix := range map[string]string{"": "connect-to web", "StrictHostKeyChecking ask\n": "connect-to web", "StrictHostKeyChecking yes\n": "add this line"} {
		s := sshtest.Start(t, shellConfig())
		home := newTestHome(t)
		home.Command = "connect-to"
		home.write("config", "%s", policy)
		_, err := home.pool().Dial(home.ctx(), targetOf(s))
		e := wantError(t, err, KindHostKeyUnknown, "web: host key", ssh.FingerprintSHA256(s.HostKey()), fmt.Sprintf("[127.0.0.1]:%d", s.Port()), fix)
		if e.Offline() {
			t.Error("Offline() = true, want false")
		}
		if s.Logins() != 0 || home.read("known_hosts") != "" {
			t.Errorf("%d logins, known_hosts %q", s.Logins(), home.read("known_hosts"))
		}
	}
}

func TestHintForUnknownHostContainsValidKnownHostsLine(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t)
	home.write("config", "StrictHostKeyChecking yes\n")
	p := home.pool()
	_, err := p.Dial(home.ctx(), targetOf(s))
	_, line, _ := strings.Cut(wantError(t, err, KindHostKeyUnknown).Hint(), home.path("known_hosts")+": ")
	home.write("known_hosts", "%s\n", line)
	home.dial(p, targetOf(s))
}

func TestAcceptNewSavesUnknownKeyAndRejectsChangedKey(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"accept-new", "no"} {
		t.Run(policy, func(t *testing.T) {
			s := sshtest.Start(t, shellConfig())
			home := newTestHome(t)
			home.write("config", "StrictHostKeyChecking %s\nHashKnownHosts %s\n", policy, map[string]string{"no": "yes"}[policy]+map[string]string{"accept-new": "no"}[policy])
			home.write("known_hosts", "# no newline at the end")
			var logged []string
			home.Log = func(format string, args ...any) { logged = append(logged, fmt.Sprintf(format, args...)) }
			p := home.pool()
			home.dial(p, targetOf(s))
			if len(logged) != 1 || !strings.Contains(logged[0], ssh.FingerprintSHA256(s.HostKey())) {
				t.Errorf("logged %q", logged)
			}
			home.dial(p, targetOf(s))
			saved := home.read("known_hosts")
			if strings.Count(saved, "ssh-ed25519") != 1 || !strings.HasPrefix(saved, "# no newline at the end\n") {
				t.Errorf("known_hosts:\n%s", saved)
			}
			s.SetHostKeys(newSigner(t, ""))
			_, err := p.Dial(home.ctx(), targetOf(s))
			wantError(t, err, KindHostKeyChanged, ssh.FingerprintSHA256(s.HostKey()), home.path("known_hosts")+":2", "ssh-keygen -R")
			s.SetHostKeys(newSigner(t, "ecdsa"))
			_, err = p.Dial(home.ctx(), targetOf(s))
			wantError(t, err, KindHostKeyChanged)
			if home.read("known_hosts") != saved {
				t.Error("known_hosts changed")
			}
		})
	}
}

func TestHostCertificateNeedsAllowedSignatureAlgorithm(t *testing.T) {
	t.Parallel()
	authority, host := newSigner(t, "rsa"), newSigner(t, "")
	c := &ssh.Certificate{Key: host.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"web"}, ValidBefore: ssh.CertTimeInfinity}
	if err := c.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	known := "@cert-authority " + hostKeyLine("*", authority.PublicKey())
	web := Settings{Hostname: "web", Port: 22}
	if got := checkHostKey(t, known, web, c); got != "" {
		t.Errorf("%s by default: %q", c.Signature.Format, got)
	}
	web.CASignatureAlgorithms = []string{"ssh-ed25519"}
	if got := checkHostKey(t, known, web, c); got != KindHostKeyUnknown {
		t.Errorf("got %q", got)
	}
}

func TestShortRSAHostKeyIsRejected(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, sshtest.Config{HostKeys: []ssh.Signer{newSigner(t, "rsa")}})
	home := newTestHome(t).trust(s)
	home.write("config", "RequiredRSASize 3072\n")
	_, err := home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindProtocol, "2048 bits", "RequiredRSASize is 3072")
}

func TestLocalhostNeedsNoHostKeyIfConfigured(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t)
	home.write("config", "NoHostAuthenticationForLocalhost yes\n")
	home.dial(home.pool(), targetOf(s))
	home.write("config", "NoHostAuthenticationForLocalhost yes\nHostKeyAlias here\n")
	_, err := home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindHostKeyUnknown, "here")
}

func TestUnknownKeyIsRejectedIfNoFileCanHoldIt(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"accept-new", "no"} {
		s := sshtest.Start(t, shellConfig())
		home := newTestHome(t)
		home.write("config", "StrictHostKeyChecking %s\nUserKnownHostsFile none\n", policy)
		_, err := home.pool().Dial(home.ctx(), targetOf(s))
		wantError(t, err, KindHostKeyUnknown, "UserKnownHostsFile is none")
		if s.Logins() != 0 {
			t.Error("logged in")
		}
	}
}

func TestChangedKeyMessageSaysThatStrictHostKeyCheckingWasOverruled(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t).trust(s)
	home.write("config", "Host *\n  StrictHostKeyChecking no\n")
	s.SetHostKeys(newSigner(t, ""))
	_, err := home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindHostKeyChanged, "even though StrictHostKeyChecking is no ("+home.path("config")+":2)")
}

func TestUnknownKeyMessageMentionsVerifyHostKeyDNS(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t)
	home.write("config", "VerifyHostKeyDNS yes\n")
	_, err := home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindHostKeyUnknown, "VerifyHostKeyDNS")
}

func TestAcceptSavesUnknownKeyAndRejectsChangedKey(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t)
	p := home.pool()
	_, err := p.Dial(home.ctx(), targetOf(s))
	k := AsUnknownKey(err)
	if k == nil || k.Fingerprint != ssh.FingerprintSHA256(s.HostKey()) || k.File != home.path("known_hosts") {
		t.Fatalf("AsUnknownKey(%v) = %+v", err, k)
	}
	if err := p.Accept(k); err != nil {
		t.Fatal(err)
	}
	home.dial(p, targetOf(s))
	saved := home.read("known_hosts")

	s.SetHostKeys(newSigner(t, ""))
	_, err = p.Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindHostKeyChanged)
	if AsUnknownKey(err) != nil {
		t.Error("AsUnknownKey returns a changed key")
	}
	other := *k
	other.key = s.HostKey() // as if the host had presented it before the first one was saved
	if err := p.Accept(&other); err == nil || home.read("known_hosts") != saved {
		t.Errorf("a changed key was accepted: %v", err)
	}
}

func TestAsUnknownKeyReturnsNilIfSSHWouldNotAsk(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"StrictHostKeyChecking yes", "UserKnownHostsFile none"} {
		s := sshtest.Start(t, shellConfig())
		home := newTestHome(t)
		home.write("config", "%s\n", policy)
		_, err := home.pool().Dial(home.ctx(), targetOf(s))
		wantError(t, err, KindHostKeyUnknown)
		if k := AsUnknownKey(err); k != nil {
			t.Errorf("%s: AsUnknownKey = %+v", policy, k)
		}
	}
}

func TestHashedKeyWithoutPortCountsIfTypeIsUnknownWithPort(t *testing.T) {
	t.Parallel()
	key, other := newSigner(t, "").PublicKey(), newSigner(t, "ecdsa").PublicKey()
	port := Settings{Hostname: "web", Port: 2222}
	bare := hostKeyLine(hashedHostName("web"), key)
	if got := checkHostKey(t, bare, port, key); got != "" {
		t.Errorf("got %q", got)
	}
	if got := checkHostKey(t, hostKeyLine("[web]:2222", other)+bare, port, key); got != "" {
		t.Errorf("with another type: got %q", got)
	}
	if got := checkHostKey(t, hostKeyLine("[web]:2222", newSigner(t, "").PublicKey())+bare, port, key); got != KindHostKeyChanged {
		t.Errorf("with another key: got %q", got)
	}
}

func TestAcceptNewDoesNotReadTheFileAgain(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	home.write("known_hosts", "other %s", ssh.MarshalAuthorizedKey(newSigner(t, "").PublicKey()))
	p := home.pool()
	file := home.path("known_hosts")
	before := p.hostKeys.files.open(file)
	for i := range 5 {
		s := Settings{Alias: "web", Hostname: fmt.Sprintf("web%d", i), Port: 22, UserKnownHostsFiles: []string{file}}
		key := newSigner(t, "").PublicKey()
		if err := p.addHostKey(s, key); err != nil {
			t.Fatal(err)
		}
		if after := p.hostKeys.files.open(file); after != before {
			t.Fatal("the file was read again")
		}
		record := p.hostKeys.record(s, false)
		if err := record.check(s, key); err != nil {
			t.Error(err)
		}
		if line := record.named[0].line; line != i+2 {
			t.Errorf("line %d, want %d", line, i+2)
		}
	}
	fresh := readKnownHostsFile(file)
	if fresh.lines != before.lines || len(fresh.byName) != len(before.byName) {
		t.Errorf("%d lines, read %d", before.lines, fresh.lines)
	}
}

func TestConcurrentLoginsSaveAcceptedKeyOnce(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t)
	home.write("config", "StrictHostKeyChecking accept-new\n")
	done := make(chan error)
	for range 2 { // flock treats two pools like two processes
		p := home.pool()
		for range 4 {
			go func() {
				c, err := p.Dial(home.ctx(), targetOf(s))
				if err == nil {
					c.Close()
				}
				done <- err
			}()
		}
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if saved := home.read("known_hosts"); strings.Count(saved, "ssh-ed25519") != 1 {
		t.Errorf("known_hosts:\n%s", saved)
	}
}

func TestHostWithSeveralKeysPresentsKnownKey(t *testing.T) {
	t.Parallel()
	ed, ec, rs := newSigner(t, ""), newSigner(t, "ecdsa"), newSigner(t, "rsa")
	s := sshtest.Start(t, sshtest.Config{HostKeys: []ssh.Signer{ed, ec, rs}})
	for _, known := range []ssh.Signer{ed, ec, rs} {
		home := newTestHome(t)
		name := fmt.Sprintf("[127.0.0.1]:%d", s.Port())
		home.write("known_hosts", "%s", hostKeyLine(name, known.PublicKey()))
		home.dial(home.pool(), targetOf(s))
		home.write("known_hosts", "%s%s", manyHashedHosts(), hostKeyLine(hashedHostName(name), known.PublicKey()))
		p := home.pool()
		home.dial(p, targetOf(s))
		if found := p.hostKeys.files.open(home.path("known_hosts")).found; (known == ed) != (found == nil) {
			t.Errorf("searched for %d names, to find the key %s", len(found), known.PublicKey().Type())
		}
	}
}

func BenchmarkLookupIn10000HashedHosts(b *testing.B) {
	key := newSigner(b, "").PublicKey()
	var text strings.Builder
	for i := range 10_000 {
		text.WriteString(hostKeyLine(hashedHostName(fmt.Sprintf("host%d.example.com", i)), key))
	}
	file := b.TempDir() + "/known_hosts"
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	var store hostKeys
	for i := 0; b.Loop(); i++ {
		s := Settings{Hostname: fmt.Sprintf("host%d.example.com", i%10_000), Port: 22, UserKnownHostsFiles: []string{file}}
		if r := store.record(s, true); len(r.named) != 1 {
			b.Fatalf("%d keys", len(r.named))
		}
	}
}

func TestUnknownKeysShowsBastionsBeforeTargets(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	bastion, web, api, known := sshtest.Start(t, shellConfig()), sshtest.Start(t, shellConfig()), sshtest.Start(t, shellConfig()), sshtest.Start(t, shellConfig())
	home.trust(known)
	home.write("config", "Host *\n  HostName 127.0.0.1\nHost bastion\n  Port %d\nHost web\n  Port %d\n  ProxyJump bastion\n"+
		"Host api\n  Port %d\n  ProxyJump bastion\nHost known\n  Port %d\nHost gone\n  Port %d\nHost strict\n  Port %d\n  StrictHostKeyChecking yes\n",
		bastion.Port(), web.Port(), api.Port(), known.Port(), closedPort(t), api.Port())
	p := home.pool()
	var targets []Target
	for _, name := range []string{"web", "api", "known", "gone", "strict", "bad name"} {
		targets = append(targets, Target{Name: name})
	}
	for _, want := range []string{"bastion", "web api", ""} {
		var names []string
		for _, k := range p.UnknownKeys(home.ctx(), targets) {
			names = append(names, k.Host)
			if err := p.Accept(k); err != nil {
				t.Error(err)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("unknown keys of %q, want %q", got, want)
		}
	}
	if known.Connections() != 0 || web.AuthFailures()+web.Logins() != 0 {
		t.Errorf("%d connections to a known host, %d logins", known.Connections(), web.Logins())
	}
}
