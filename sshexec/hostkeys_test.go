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
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// hostKeyLine is a line of known_hosts.
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

// decides is what comes of a key that a host shows, with these known_hosts.
func checkHostKey(t *testing.T, known string, s Settings, shown ssh.PublicKey) Kind {
	t.Helper()
	file := t.TempDir() + "/known_hosts"
	if err := os.WriteFile(file, []byte(known), 0o600); err != nil {
		t.Fatal(err)
	}
	s.UserKnownHostsFiles = []string{file}
	var store hostKeys
	record := store.record(s)
	err := record.check(s, shown)
	if err == nil {
		return ""
	}
	return err.(*hostKeyError).kind
}

func TestAHostIsKnownByWhatOpenSSHKnowsItBy(t *testing.T) {
	right, wrong := newSigner(t, "").PublicKey(), newSigner(t, "").PublicKey()
	other := newSigner(t, "ecdsa").PublicKey()
	web := Settings{Alias: "web", Hostname: "Web.example.com", Port: 22}
	port := Settings{Alias: "web", Hostname: "web.example.com", Port: 2222}
	alias := Settings{Alias: "web", Hostname: "web.example.com", Port: 2222, HostKeyAlias: "the-web"}
	for _, c := range []struct {
		name  string
		known string
		host  Settings
		want  Kind
	}{
		{"by name", hostKeyLine("web.example.com", right), web, ""},
		{"by name in another case", hostKeyLine("WEB.example.com", right), web, ""},
		{"by one of several names", hostKeyLine("db,web.example.com,10.0.0.1", right), web, ""},
		{"by a pattern", hostKeyLine("*.example.com", right), web, ""},
		{"not by a pattern that excludes it", hostKeyLine("*.example.com,!web.*", right), web, KindHostKeyUnknown},
		{"by a hashed name", hostKeyLine(hashedHostName("web.example.com"), right), web, ""},
		{"by name and port", hostKeyLine("[web.example.com]:2222", right), port, ""},
		{"by name alone where the port is not known", hostKeyLine("web.example.com", right), port, ""},
		{"by hashed name and port", hostKeyLine(hashedHostName("[web.example.com]:2222"), right), port, ""},
		{"not by another port", hostKeyLine("[web.example.com]:23", right), port, KindHostKeyUnknown},
		{"by a pattern that takes the port too", hostKeyLine("*", right), port, ""},
		{"by its alias alone", hostKeyLine("the-web", right), alias, ""},
		{"not by its name where it has an alias", hostKeyLine("[web.example.com]:2222", right), alias, KindHostKeyUnknown},
		{"with a comment, tabs and a carriage return", "web.example.com\t" + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(right))) + " me@home\r\n", web, ""},
		{"past lines that make no sense", "x\n@nonsense a b c\nweb.example.com ssh-ed25519 !!!\n|1|bad|bad ssh-ed25519 AAAA\n# web\n\n" + hostKeyLine("web.example.com", right), web, ""},
		{"by the second of two keys", hostKeyLine("web.example.com", wrong) + hostKeyLine("web.example.com", right), web, ""},
		{"not at all", hostKeyLine("db.example.com", right), web, KindHostKeyUnknown},
		{"not by a suffix", hostKeyLine("example.com", right), web, KindHostKeyUnknown},
		{"as another", hostKeyLine("web.example.com", wrong), web, KindHostKeyChanged},
		{"as another with its port, though right without", hostKeyLine("[web.example.com]:2222", wrong) + hostKeyLine("web.example.com", right), port, KindHostKeyChanged},
		{"as another without its port, which says nothing", hostKeyLine("web.example.com", wrong), port, KindHostKeyUnknown},
		{"by a key of another kind alone", hostKeyLine("web.example.com", other), web, KindHostKeyChanged},
		{"as revoked", hostKeyLine("web.example.com", right) + "@revoked " + hostKeyLine("*", right), web, KindHostKeyRevoked},
		{"though another key is revoked", hostKeyLine("web.example.com", right) + "@revoked " + hostKeyLine("*", wrong), web, ""},
		{"not by an authority's own key", "@cert-authority " + hostKeyLine("*", right), web, KindHostKeyUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := checkHostKey(t, c.known, c.host, right); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnAuthorityVouchesForItsHosts(t *testing.T) {
	authority, host := newSigner(t, ""), newSigner(t, "ecdsa")
	certificate := func(change func(*ssh.Certificate)) ssh.PublicKey {
		c := &ssh.Certificate{Key: host.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"web.example.com"}, ValidBefore: ssh.CertTimeInfinity}
		change(c)
		if err := c.SignCert(rand.Reader, authority); err != nil {
			t.Fatal(err)
		}
		return c
	}
	nothing := func(*ssh.Certificate) {}
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
		{"its own", trusted, 22, certificate(nothing), ""},
		{"on any port", everywhere, 2222, certificate(nothing), ""},
		{"for a pattern of names", trusted, 22, certificate(func(c *ssh.Certificate) { c.ValidPrincipals = []string{"db", "*.example.com"} }), ""},
		{"for another name", trusted, 22, certificate(func(c *ssh.Certificate) { c.ValidPrincipals = []string{"db.example.com"} }), KindHostKeyUnknown},
		{"no longer", trusted, 22, certificate(func(c *ssh.Certificate) { c.ValidBefore = 1 }), KindHostKeyUnknown},
		{"as a user", trusted, 22, certificate(func(c *ssh.Certificate) { c.CertType = ssh.UserCert }), KindHostKeyUnknown},
		{"though nobody knows it", "", 22, certificate(nothing), KindHostKeyUnknown},
		{"for other hosts only", "@cert-authority " + hostKeyLine("*.example.org", authority.PublicKey()), 22, certificate(nothing), KindHostKeyUnknown},
		{"though it is revoked", trusted + "@revoked " + hostKeyLine("*", authority.PublicKey()), 22, certificate(nothing), KindHostKeyRevoked},
		{"in vain, but its key is known", hostKeyLine("web.example.com", host.PublicKey()), 22, certificate(nothing), ""},
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

func TestWhatIsKnownOfAHostIsAskedForFirst(t *testing.T) {
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
		t.Errorf("HostKeyAlgorithms is not heeded: %v", got)
	}
}

// TestLinesAreFoundAsSSHKeygenFindsThem makes known_hosts files at random and asks ssh-keygen -F.
func TestLinesAreFoundAsSSHKeygenFindsThem(t *testing.T) {
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
			var here []int
			readKnownHostsFile(file).eachKey(name, func(k *knownKey) { here = append(here, k.line) })
			slices.Sort(here)
			here = slices.Compact(here) // a name may be twice in a line
			out, _ := exec.Command("ssh-keygen", "-F", name, "-f", file).Output()
			var there []int
			for line := range strings.Lines(string(out)) {
				if _, n, ok := strings.Cut(line, " found: line "); ok {
					number, _ := strconv.Atoi(strings.Fields(n)[0])
					there = append(there, number)
				}
			}
			if !slices.Equal(here, there) {
				t.Fatalf("%q: here lines %v, ssh-keygen %v\n%s", name, here, there, text.String())
			}
		}
	}
}

func TestBothWaysToHashANameAgree(t *testing.T) {
	for _, n := range []int{0, 1, 40, 63, 64, 65, 255, 256, 257, 1000} {
		name := strings.Repeat("n", n)
		salt := []byte(strings.Repeat("s", 20))
		long := append(slices.Clone(salt), make([]byte, 60)...) // the same key, by the definition of HMAC up to 64 bytes
		if hashName(name, salt) != hashName(name, long[:64]) {
			t.Errorf("%d", n)
		}
	}
}

func FuzzReadingKnownHostsNeverFails(f *testing.F) {
	f.Add("web ssh-ed25519 AAAA\n|1||\n@cert-authority * x y\n", "web")
	f.Add("|1|AAAA|AAAA a b\n@\n!", "*")
	f.Fuzz(func(t *testing.T, text, name string) {
		file := &knownHostsFile{byName: map[string][]*knownKey{}}
		for i, line := range strings.Split(text, "\n") {
			file.parseLine("f", i, line)
		}
		file.eachKey(name, func(k *knownKey) { _, _ = k.decode() })
	})
}

func TestAnUnknownHostIsRefusedWithItsFingerprint(t *testing.T) {
	for policy, mend := range map[string]string{"": "fleetctl ssh web", "StrictHostKeyChecking ask\n": "fleetctl ssh web", "StrictHostKeyChecking yes\n": "add this line"} {
		s := sshtest.Start(t, shellConfig())
		w := newTestHome(t)
		w.write("config", "%s", policy)
		_, err := w.pool().Dial(w.ctx(), targetOf(s))
		e := wantError(t, err, KindHostKeyUnknown, "web: host key", ssh.FingerprintSHA256(s.HostKey()), fmt.Sprintf("[127.0.0.1]:%d", s.Port()), mend)
		if e.Offline() {
			t.Error("it is there")
		}
		if s.Logins() != 0 || w.read("known_hosts") != "" {
			t.Error("it was logged in to, or kept")
		}
	}
}

func TestTheLineOfferedForAnUnknownHostMakesItKnown(t *testing.T) {
	s := sshtest.Start(t, shellConfig())
	w := newTestHome(t)
	w.write("config", "StrictHostKeyChecking yes\n")
	p := w.pool()
	_, err := p.Dial(w.ctx(), targetOf(s))
	_, line, _ := strings.Cut(wantError(t, err, KindHostKeyUnknown).Hint(), w.path("known_hosts")+": ")
	w.write("known_hosts", "%s\n", line)
	w.dial(p, targetOf(s))
}

func TestAcceptNewKeepsAnUnknownKeyAndRefusesAChangedOne(t *testing.T) {
	for _, policy := range []string{"accept-new", "no"} {
		t.Run(policy, func(t *testing.T) {
			s := sshtest.Start(t, shellConfig())
			w := newTestHome(t)
			w.write("config", "StrictHostKeyChecking %s\nHashKnownHosts %s\n", policy, map[string]string{"no": "yes"}[policy]+map[string]string{"accept-new": "no"}[policy])
			w.write("known_hosts", "# no newline at the end")
			var said []string
			w.Log = func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
			p := w.pool()
			w.dial(p, targetOf(s))
			if len(said) != 1 || !strings.Contains(said[0], ssh.FingerprintSHA256(s.HostKey())) {
				t.Errorf("it was not said: %q", said)
			}
			w.dial(p, targetOf(s))
			kept := w.read("known_hosts")
			if strings.Count(kept, "ssh-ed25519") != 1 || !strings.HasPrefix(kept, "# no newline at the end\n") {
				t.Errorf("kept:\n%s", kept)
			}
			s.SetHostKeys(newSigner(t, ""))
			_, err := p.Dial(w.ctx(), targetOf(s))
			wantError(t, err, KindHostKeyChanged, ssh.FingerprintSHA256(s.HostKey()), w.path("known_hosts")+":2", "ssh-keygen -R")
			s.SetHostKeys(newSigner(t, "ecdsa"))
			_, err = p.Dial(w.ctx(), targetOf(s))
			wantError(t, err, KindHostKeyChanged)
			if w.read("known_hosts") != kept {
				t.Error("known_hosts was changed")
			}
		})
	}
}

func TestAnUnknownKeyThatAPersonAcceptsIsKeptAndAChangedOneIsNotOffered(t *testing.T) {
	s := sshtest.Start(t, shellConfig())
	w := newTestHome(t)
	p := w.pool()
	_, err := p.Dial(w.ctx(), targetOf(s))
	k := AsUnknownKey(err)
	if k == nil || k.Fingerprint != ssh.FingerprintSHA256(s.HostKey()) || k.File != w.path("known_hosts") {
		t.Fatalf("%v offers %+v", err, k)
	}
	if err := p.Accept(k); err != nil {
		t.Fatal(err)
	}
	w.dial(p, targetOf(s))
	kept := w.read("known_hosts")

	s.SetHostKeys(newSigner(t, ""))
	_, err = p.Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindHostKeyChanged)
	if AsUnknownKey(err) != nil {
		t.Error("a changed key is offered")
	}
	other := *k
	other.key = s.HostKey() // as if it had been shown before the first was known
	if err := p.Accept(&other); err == nil || w.read("known_hosts") != kept {
		t.Errorf("a changed key was accepted: %v", err)
	}
}

func TestWhereSSHWouldNotAskNoKeyIsOffered(t *testing.T) {
	for _, policy := range []string{"StrictHostKeyChecking yes", "UserKnownHostsFile none"} {
		s := sshtest.Start(t, shellConfig())
		w := newTestHome(t)
		w.write("config", "%s\n", policy)
		_, err := w.pool().Dial(w.ctx(), targetOf(s))
		wantError(t, err, KindHostKeyUnknown)
		if k := AsUnknownKey(err); k != nil {
			t.Errorf("%s: %+v is offered", policy, k)
		}
	}
}

func TestOneKeyAcceptedByManyLoginsIsKeptOnce(t *testing.T) {
	s := sshtest.Start(t, shellConfig())
	w := newTestHome(t)
	w.write("config", "StrictHostKeyChecking accept-new\n")
	done := make(chan error)
	for range 2 { // two pools are two processes, as far as locks go
		p := w.pool()
		for range 4 {
			go func() {
				c, err := p.Dial(w.ctx(), targetOf(s))
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
	if kept := w.read("known_hosts"); strings.Count(kept, "ssh-ed25519") != 1 {
		t.Errorf("kept:\n%s", kept)
	}
}

func TestAHostWithSeveralKeysShowsTheOneThatIsKnown(t *testing.T) {
	ed, ec, rs := newSigner(t, ""), newSigner(t, "ecdsa"), newSigner(t, "rsa")
	s := sshtest.Start(t, sshtest.Config{HostKeys: []ssh.Signer{ed, ec, rs}})
	for _, known := range []ssh.Signer{ed, ec, rs} {
		w := newTestHome(t)
		w.write("known_hosts", "%s", hostKeyLine(fmt.Sprintf("[127.0.0.1]:%d", s.Port()), known.PublicKey()))
		w.dial(w.pool(), targetOf(s))
	}
}

func BenchmarkTenThousandHashedHosts(b *testing.B) {
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
		if r := store.record(s); len(r.named) != 1 {
			b.Fatal("not found")
		}
	}
}
