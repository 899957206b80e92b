package sshexec

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cryptorsa "crypto/rsa"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// lets is a server that lets one key in.
func serverAccepting(t testing.TB, keys ...ssh.PublicKey) *sshtest.Server {
	return sshtest.Start(t, sshtest.Config{AuthorizedKeys: keys, Handler: sshtest.Shell{}.Handle})
}

// agentWith serves an agent on a socket, and names it in the environment.
func (w *testHome) serveAgent(a agent.Agent) (connections *atomic.Int64) {
	w.t.Helper()
	dir, err := os.MkdirTemp("", "agent") // a socket's path has to be short
	if err != nil {
		w.t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.env["SSH_AUTH_SOCK"] = l.Addr().String()
	connections = new(atomic.Int64)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			serving.Go(func() { defer conn.Close(); _ = agent.ServeAgent(a, conn) })
		}
	})
	w.t.Cleanup(func() { l.Close(); serving.Wait(); os.RemoveAll(dir) })
	return connections
}

// keyring is an agent with so many new keys and then these.
func newKeyring(t testing.TB, wrong int, keys ...any) agent.Agent {
	t.Helper()
	ring := agent.NewKeyring()
	for range wrong {
		_, key := newPrivateKey(t)
		if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range keys {
		if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
			t.Fatal(err)
		}
	}
	return ring
}

func newPrivateKey(t testing.TB) (ssh.PublicKey, any) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	signer, err := sshtest.WriteKeyFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return signer.PublicKey(), key
}

func TestTheKeyAtTheUsualPlaceLogsIn(t *testing.T) {
	w := newTestHome(t)
	s := serverAccepting(t, w.key.PublicKey())
	w.trust(s).dial(w.pool(), targetOf(s))
}

func TestAKeyNamedByIdentityFileComesBeforeTheAgentsEightWrongOnes(t *testing.T) {
	w := newTestHome(t)
	s := serverAccepting(t, w.newKey("work").PublicKey())
	w.serveAgent(newKeyring(t, 8))
	w.write("config", "Host web\n  IdentityFile ~/.ssh/work\n")
	w.trust(s).dial(w.pool(), targetOf(s))
	if s.AuthFailures() != 0 {
		t.Errorf("%d keys were refused first", s.AuthFailures())
	}
}

func TestIdentitiesOnlyOffersNothingElseOfTheAgent(t *testing.T) {
	w := newTestHome(t)
	public, private := newPrivateKey(t)
	s := serverAccepting(t, public)
	w.serveAgent(newKeyring(t, 0, private))
	w.write("config", "Host web\n  IdentityFile ~/.ssh/id_ed25519\n  IdentitiesOnly yes\n")
	_, err := w.trust(s).pool().Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "accepts none of the 1 keys", "id_ed25519")
}

func TestAPublicKeyFileNamesAKeyOfTheAgent(t *testing.T) {
	w := newTestHome(t)
	public, private := newPrivateKey(t)
	s := serverAccepting(t, public)
	w.serveAgent(newKeyring(t, 7, private))
	w.write("work.pub", "%s", ssh.MarshalAuthorizedKey(public))
	for _, name := range []string{"work.pub", "work"} { // as 1Password has it, and as ssh-add leaves it when the file is gone
		w.write("config", "Host web\n  IdentityFile ~/.ssh/%s\n  IdentitiesOnly yes\n", name)
		w.trust(s).dial(w.pool(), targetOf(s))
	}
	if s.AuthFailures() != 0 {
		t.Errorf("%d keys were refused first", s.AuthFailures())
	}
}

func TestOneConnectionToTheAgentServesManyLogins(t *testing.T) {
	w := newTestHome(t)
	public, private := newPrivateKey(t)
	s := serverAccepting(t, public)
	connections := w.serveAgent(newKeyring(t, 0, private))
	p := w.trust(s).pool()
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() { w.dial(p, targetOf(s)) })
	}
	wg.Wait()
	if connections.Load() != 1 {
		t.Errorf("%d connections", connections.Load())
	}
}

func TestAnAgentThatWasRestartedIsFoundAgain(t *testing.T) {
	w := newTestHome(t)
	public, private := newPrivateKey(t)
	s := serverAccepting(t, public)
	connections := w.serveAgent(newKeyring(t, 0, private))
	p := w.trust(s).pool()
	w.dial(p, targetOf(s))
	before, err := p.sshAgent(w.ctx(), w.env["SSH_AUTH_SOCK"])
	if err != nil {
		t.Fatal(err)
	}
	before.close()
	time.Sleep(10 * time.Millisecond)
	if _, err := p.Dial(w.ctx(), targetOf(s)); err != nil { // one login may notice
		w.dial(p, targetOf(s))
	}
	if connections.Load() != 2 {
		t.Errorf("%d connections", connections.Load())
	}
}

// refusing is an agent whose owner will not touch the first keys.
type refusingAgent struct {
	agent.Agent
	refusals atomic.Int64
}

func (r *refusingAgent) Sign(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	if r.refusals.Add(-1) >= 0 {
		return nil, errors.New("not touched")
	}
	return r.Agent.Sign(key, data)
}

func TestARefusedTouchGoesOnToTheNextKey(t *testing.T) {
	w := newTestHome(t)
	one, private1 := newPrivateKey(t)
	two, private2 := newPrivateKey(t)
	s := serverAccepting(t, one, two)
	a := &refusingAgent{Agent: newKeyring(t, 0, private1, private2)}
	a.refusals.Store(1)
	w.serveAgent(a)
	w.trust(s).dial(w.pool(), targetOf(s))
}

func TestAKeyThatDoesNotSignIsNamedWhenAllFails(t *testing.T) {
	w := newTestHome(t)
	one, private := newPrivateKey(t)
	s := serverAccepting(t, one)
	a := &refusingAgent{Agent: newKeyring(t, 0, private)}
	a.refusals.Store(1)
	w.serveAgent(a)
	_, err := w.trust(s).pool().Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "web: login", "the agent's")
}

func TestAllKeysRefusedNamesThemAndIsNotRepeated(t *testing.T) {
	w := newTestHome(t)
	other, _ := newPrivateKey(t)
	s := serverAccepting(t, other)
	_, err := w.trust(s).pool().Dial(w.ctx(), targetOf(s))
	e := wantError(t, err, KindAuth, "web: login", "alice@127.0.0.1", "id_ed25519", "authorized_keys")
	if e.Offline() || s.Connections() != 1 || s.AuthFailures() != 1 {
		t.Errorf("%d connections, %d failures", s.Connections(), s.AuthFailures())
	}
}

func TestTooManyKeysSaysWhatToDo(t *testing.T) {
	w := newTestHome(t)
	other, _ := newPrivateKey(t)
	s := serverAccepting(t, other)
	w.serveAgent(newKeyring(t, 8))
	_, err := w.trust(s).pool().Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "IdentitiesOnly")
}

func TestNoKeyAtAllIsSaidSo(t *testing.T) {
	w := newTestHome(t)
	s := serverAccepting(t, w.key.PublicKey())
	os.Remove(w.path("id_ed25519"))
	os.Remove(w.path("id_ed25519.pub"))
	_, err := w.trust(s).pool().Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindNoKey, "web: login", "no key", "ssh-add")
	w.write("config", "IdentityFile ~/.ssh/missing\nIdentityAgent /nowhere\n")
	_, err = w.pool().Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindNoKey, "missing: no such file", "/nowhere")
}

func TestAKeyThatOthersMayReadIsNotUsed(t *testing.T) {
	w := newTestHome(t)
	s := serverAccepting(t, w.key.PublicKey())
	if err := os.Chmod(w.path("id_ed25519"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := w.trust(s).pool().Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindNoKey, "chmod 600")
}

// answers is a person who knows some passphrases, and is asked one thing at a time.
type scriptedPrompter struct {
	mu      sync.Mutex
	replies []string
	prompts []string
	busy    atomic.Int64
	delay   time.Duration
}

func (a *scriptedPrompter) Secret(ctx context.Context, prompt string) (string, error) {
	if a.busy.Add(1) > 1 {
		return "", errors.New("two questions at once")
	}
	defer a.busy.Add(-1)
	time.Sleep(a.delay)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.prompts = append(a.prompts, prompt)
	if len(a.replies) == 0 {
		return "", errors.New("declined")
	}
	reply := a.replies[0]
	a.replies = a.replies[1:]
	return reply, nil
}

func TestAnEncryptedKeyIsDecryptedOnceForAllHosts(t *testing.T) {
	w := newTestHome(t)
	s := serverAccepting(t, w.encryptedKey("id_ed25519"))
	person := &scriptedPrompter{replies: []string{"wrong", "sesame"}}
	w.Prompter = person
	p := w.trust(s).pool()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { w.dial(p, targetOf(s)) })
	}
	wg.Wait()
	if len(person.prompts) != 2 || !strings.Contains(person.prompts[0], w.path("id_ed25519")) {
		t.Errorf("asked %q", person.prompts)
	}
}

func TestAPassphraseNotGivenIsAskedForOnceAndSaidSo(t *testing.T) {
	w := newTestHome(t)
	s := serverAccepting(t, w.encryptedKey("id_ed25519"))
	person := &scriptedPrompter{}
	w.Prompter = person
	p := w.trust(s).pool()
	for range 2 {
		_, err := p.Dial(w.ctx(), targetOf(s))
		wantError(t, err, KindAuth, "id_ed25519", "declined")
	}
	if len(person.prompts) != 1 {
		t.Errorf("asked %q", person.prompts)
	}
}

func TestNobodyIsAskedForAPassphraseThatTheHostHasNoUseFor(t *testing.T) {
	w := newTestHome(t)
	w.encryptedKey("id_ed25519")
	other, _ := newPrivateKey(t)
	s := serverAccepting(t, other)
	person := &scriptedPrompter{}
	w.Prompter = person
	_, err := w.trust(s).pool().Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindAuth)
	if len(person.prompts) != 0 {
		t.Errorf("asked %q", person.prompts)
	}
}

func TestTheTimeAPersonTakesIsNotTheHosts(t *testing.T) {
	t.Parallel()
	w := newTestHome(t)
	s := serverAccepting(t, w.encryptedKey("id_ed25519"))
	w.Prompter = &scriptedPrompter{replies: []string{"sesame"}, delay: 1200 * time.Millisecond}
	target := targetOf(s)
	target.Timeout = time.Second
	w.trust(s).dial(w.pool(), target)
}

func TestAnOldEncryptedKeyWithoutItsPublicHalfAsksFirst(t *testing.T) {
	w := newTestHome(t)
	key, err := cryptorsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 old keys are encrypted like that
	block, err := x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), []byte("sesame"), x509.PEMCipherAES128)
	if err != nil {
		t.Fatal(err)
	}
	w.write("id_rsa", "%s", pem.EncodeToMemory(block))
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s := serverAccepting(t, signer.PublicKey())
	w.Prompter = &scriptedPrompter{replies: []string{"sesame"}}
	w.trust(s).dial(w.pool(), targetOf(s))
}

func TestACertificateBesideItsKeyIsOffered(t *testing.T) {
	w := newTestHome(t)
	authority := newSigner(t, "")
	cert := &ssh.Certificate{Key: w.key.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"alice"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	s := serverAccepting(t, cert)
	w.write("id_ed25519-cert.pub", "%s", ssh.MarshalAuthorizedKey(cert))
	w.trust(s).dial(w.pool(), targetOf(s))
}

func TestASecurityKeyWithoutAnAgentIsSaidToNeedOne(t *testing.T) {
	w := newTestHome(t)
	s := serverAccepting(t, newSigner(t, "").PublicKey())
	os.Remove(w.path("id_ed25519"))
	os.Remove(w.path("id_ed25519.pub"))
	w.write("config", "IdentityFile ~/.ssh/id_ed25519_sk\n")
	// The shape of a security key's file: enough of it for the library to say that it does not know the kind.
	w.write("id_ed25519_sk", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
	w.write("id_ed25519_sk.pub", "%s", "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIIFEMk0fwWJQiGNSTOKLl3OdGZCxzTjhzzWuhyRKvcpXAAAABHNzaDo= me\n")
	_, err := w.trust(s).pool().Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindNoKey, "through an agent alone", "ssh-add")
}
