package sshexec

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
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

// serverAccepting starts a server that accepts only these keys.
func serverAccepting(t testing.TB, keys ...ssh.PublicKey) *sshtest.Server {
	return sshtest.Start(t, sshtest.Config{AuthorizedKeys: keys, Handler: sshtest.Shell{}.Handle})
}

// serveAgent serves an ssh-agent on a socket, sets SSH_AUTH_SOCK, and returns the number of
// connections.
func (home *testHome) serveAgent(a agent.Agent) (connections *atomic.Int64) {
	home.t.Helper()
	dir, err := os.MkdirTemp("", "agent") // socket paths are limited to about 100 bytes
	if err != nil {
		home.t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		home.t.Fatal(err)
	}
	home.env["SSH_AUTH_SOCK"] = l.Addr().String()
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
	home.t.Cleanup(func() { l.Close(); serving.Wait(); os.RemoveAll(dir) })
	return connections
}

// newKeyring returns an ssh-agent that holds unrelated new keys, followed by the given keys.
func newKeyring(t testing.TB, unrelated int, keys ...any) agent.Agent {
	t.Helper()
	ring := agent.NewKeyring()
	for range unrelated {
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

func TestDefaultIdentityFileLogsIn(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := serverAccepting(t, home.key.PublicKey())
	home.trust(s).dial(home.pool(), targetOf(s))
}

func TestIdentityFileIsOfferedBeforeAgentKeys(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := serverAccepting(t, home.newKey("work").PublicKey())
	home.serveAgent(newKeyring(t, 8))
	home.write("config", "Host web\n  IdentityFile ~/.ssh/work\n")
	home.trust(s).dial(home.pool(), targetOf(s))
	if s.AuthFailures() != 0 {
		t.Errorf("%d keys rejected first", s.AuthFailures())
	}
}

func TestIdentitiesOnlyExcludesOtherAgentKeys(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	public, private := newPrivateKey(t)
	s := serverAccepting(t, public)
	home.serveAgent(newKeyring(t, 0, private))
	home.write("config", "Host web\n  IdentityFile ~/.ssh/id_ed25519\n  IdentitiesOnly yes\n")
	_, err := home.trust(s).pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "accepts none of the 1 keys", "id_ed25519")
}

func TestPublicKeyFileSelectsAgentKey(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	public, private := newPrivateKey(t)
	s := serverAccepting(t, public)
	home.serveAgent(newKeyring(t, 7, private))
	home.write("work.pub", "%s", ssh.MarshalAuthorizedKey(public))
	// As with 1Password, and as with ssh-add after the private key was removed.
	for _, name := range []string{"work.pub", "work"} {
		home.write("config", "Host web\n  IdentityFile ~/.ssh/%s\n  IdentitiesOnly yes\n", name)
		home.trust(s).dial(home.pool(), targetOf(s))
	}
	if s.AuthFailures() != 0 {
		t.Errorf("%d keys rejected first", s.AuthFailures())
	}
}

func TestLoginsShareOneAgentConnection(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	public, private := newPrivateKey(t)
	s := serverAccepting(t, public)
	connections := home.serveAgent(newKeyring(t, 0, private))
	p := home.trust(s).pool()
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() { home.dial(p, targetOf(s)) })
	}
	wg.Wait()
	if connections.Load() != 1 {
		t.Errorf("%d connections", connections.Load())
	}
}

func TestLoginsReconnectToRestartedAgent(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	public, private := newPrivateKey(t)
	s := serverAccepting(t, public)
	connections := home.serveAgent(newKeyring(t, 0, private))
	p := home.trust(s).pool()
	home.dial(p, targetOf(s))
	before, err := p.sshAgent(home.ctx(), home.env["SSH_AUTH_SOCK"])
	if err != nil {
		t.Fatal(err)
	}
	before.close()
	time.Sleep(10 * time.Millisecond)
	// The first login may still use the broken connection.
	if _, err := p.Dial(home.ctx(), targetOf(s)); err != nil {
		home.dial(p, targetOf(s))
	}
	if connections.Load() != 2 {
		t.Errorf("%d connections", connections.Load())
	}
}

// refusingAgent is an ssh-agent that declines the first signatures.
type refusingAgent struct {
	agent.Agent
	refusals atomic.Int64 // how many are left
}

func (r *refusingAgent) Sign(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	if r.refusals.Add(-1) >= 0 {
		return nil, errors.New("not touched")
	}
	return r.Agent.Sign(key, data)
}

func TestDeclinedSignatureContinuesWithNextKey(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	first, firstPrivate := newPrivateKey(t)
	second, secondPrivate := newPrivateKey(t)
	s := serverAccepting(t, first, second)
	a := &refusingAgent{Agent: newKeyring(t, 0, firstPrivate, secondPrivate)}
	a.refusals.Store(1)
	home.serveAgent(a)
	home.trust(s).dial(home.pool(), targetOf(s))
}

func TestAuthErrorNamesKeyThatDidNotSign(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	public, private := newPrivateKey(t)
	s := serverAccepting(t, public)
	a := &refusingAgent{Agent: newKeyring(t, 0, private)}
	a.refusals.Store(1)
	home.serveAgent(a)
	_, err := home.trust(s).pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "web: login", "ssh-agent key")
}

func TestAuthErrorNamesRejectedKeysAndLoginIsNotRetried(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	other, _ := newPrivateKey(t)
	s := serverAccepting(t, other)
	_, err := home.trust(s).pool().Dial(home.ctx(), targetOf(s))
	e := wantError(t, err, KindAuth, "web: login", "alice@127.0.0.1", "id_ed25519", "authorized_keys")
	if e.Offline() || s.Connections() != 1 || s.AuthFailures() != 1 {
		t.Errorf("%d connections, %d failures", s.Connections(), s.AuthFailures())
	}
}

func TestTooManyKeysSuggestsIdentitiesOnly(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	other, _ := newPrivateKey(t)
	s := serverAccepting(t, other)
	home.serveAgent(newKeyring(t, 8))
	_, err := home.trust(s).pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "IdentitiesOnly")
}

func TestLoginWithoutKeysFailsWithKindNoKey(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := serverAccepting(t, home.key.PublicKey())
	os.Remove(home.path("id_ed25519"))
	os.Remove(home.path("id_ed25519.pub"))
	_, err := home.trust(s).pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindNoKey, "web: login", "no key", "ssh-add")
	home.write("config", "IdentityFile ~/.ssh/missing\nIdentityAgent /nowhere\n")
	_, err = home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindNoKey, "missing: no such file", "/nowhere")
}

func TestKeyReadableByOthersIsIgnored(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := serverAccepting(t, home.key.PublicKey())
	if err := os.Chmod(home.path("id_ed25519"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := home.trust(s).pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindNoKey, "chmod 600")
}

// scriptedPrompter answers prompts with replies, in order, and declines once there are none left.
// It fails concurrent prompts.
type scriptedPrompter struct {
	mu      sync.Mutex
	replies []string
	prompts []string
	busy    atomic.Int64
	delay   time.Duration

	onPrompt func() // may be nil
}

func (a *scriptedPrompter) Secret(ctx context.Context, prompt string) (string, error) {
	if a.busy.Add(1) > 1 {
		return "", errors.New("concurrent prompts")
	}
	defer a.busy.Add(-1)
	time.Sleep(a.delay)
	if a.onPrompt != nil {
		a.onPrompt()
	}
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

func TestEncryptedKeyIsDecryptedOnceForAllHosts(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := serverAccepting(t, home.encryptedKey("id_ed25519"))
	prompter := &scriptedPrompter{replies: []string{"wrong", "sesame"}}
	home.Prompter = prompter
	p := home.trust(s).pool()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { home.dial(p, targetOf(s)) })
	}
	wg.Wait()
	if len(prompter.prompts) != 2 || !strings.Contains(prompter.prompts[0], home.path("id_ed25519")) {
		t.Errorf("prompts %q", prompter.prompts)
	}
}

func TestDeclinedPassphraseIsPromptedForOnce(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := serverAccepting(t, home.encryptedKey("id_ed25519"))
	prompter := &scriptedPrompter{}
	home.Prompter = prompter
	p := home.trust(s).pool()
	for range 2 {
		_, err := p.Dial(home.ctx(), targetOf(s))
		wantError(t, err, KindAuth, "id_ed25519", "declined")
	}
	if len(prompter.prompts) != 1 {
		t.Errorf("prompts %q", prompter.prompts)
	}
}

func TestPassphraseIsNotPromptedForIfHostRejectsKey(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	home.encryptedKey("id_ed25519")
	other, _ := newPrivateKey(t)
	s := serverAccepting(t, other)
	prompter := &scriptedPrompter{}
	home.Prompter = prompter
	_, err := home.trust(s).pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindAuth)
	if len(prompter.prompts) != 0 {
		t.Errorf("prompts %q", prompter.prompts)
	}
}

func TestDialTimeoutExcludesPrompts(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := serverAccepting(t, home.encryptedKey("id_ed25519"))
	home.Prompter = &scriptedPrompter{replies: []string{"sesame"}, delay: 1200 * time.Millisecond}
	target := targetOf(s)
	target.Timeout = time.Second
	home.trust(s).dial(home.pool(), target)
}

func TestEncryptedPEMKeyWithoutPublicKeyPromptsFirst(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	key, err := cryptorsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 old keys are encrypted this way
	block, err := x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), []byte("sesame"), x509.PEMCipherAES128)
	if err != nil {
		t.Fatal(err)
	}
	home.write("id_rsa", "%s", pem.EncodeToMemory(block))
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s := serverAccepting(t, signer.PublicKey())
	home.Prompter = &scriptedPrompter{replies: []string{"sesame"}}
	home.trust(s).dial(home.pool(), targetOf(s))
}

func TestCertificateNextToKeyIsOffered(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	authority := newSigner(t, "")
	cert := &ssh.Certificate{Key: home.key.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"alice"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	s := serverAccepting(t, cert)
	home.write("id_ed25519-cert.pub", "%s", ssh.MarshalAuthorizedKey(cert))
	home.trust(s).dial(home.pool(), targetOf(s))
}

func TestSecurityKeyWithoutAgentSuggestsSSHAdd(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := serverAccepting(t, newSigner(t, "").PublicKey())
	os.Remove(home.path("id_ed25519"))
	os.Remove(home.path("id_ed25519.pub"))
	home.write("config", "IdentityFile ~/.ssh/id_ed25519_sk\n")
	// Enough of a security key's file for the library to report an unknown key type.
	home.write("id_ed25519_sk", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
	home.write("id_ed25519_sk.pub", "%s", "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIIFEMk0fwWJQiGNSTOKLl3OdGZCxzTjhzzWuhyRKvcpXAAAABHNzaDo= me\n")
	_, err := home.trust(s).pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindNoKey, "only work through an ssh-agent", "ssh-add")
}

func TestIdentityFileNoneKeepsOtherFiles(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	key := home.newKey("work")
	s := serverAccepting(t, key.PublicKey())
	home.trust(s)
	home.write("config", "IdentityFile none\nIdentityFile ~/.ssh/work\n")
	home.dial(home.pool(), targetOf(s))
	home.write("config", "IdentityFile none\n")
	_, err := home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindNoKey)
}

func TestCertificateFileReplacesCertificateNextToKey(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := serverAccepting(t, home.key.PublicKey())
	home.trust(s)
	home.write("config", "IdentityFile ~/.ssh/id_ed25519\nCertificateFile ~/.ssh/none-cert.pub\n")
	cert := &ssh.Certificate{Key: home.key.PublicKey(), CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, newSigner(t, "")); err != nil {
		t.Fatal(err)
	}
	home.write("id_ed25519-cert.pub", "%s", ssh.MarshalAuthorizedKey(cert))
	p := home.pool()
	settings, err := p.Resolve(home.ctx(), targetOf(s))
	if err != nil {
		t.Fatal(err)
	}
	list, _ := p.identities(home.ctx(), settings)
	if len(list) != 1 || list[0].public.Type() != ssh.KeyAlgoED25519 {
		t.Errorf("offers %d keys, first %s", len(list), list[0].public.Type())
	}
}

func TestPubkeyAcceptedAlgorithmsLimitsKeys(t *testing.T) {
	t.Parallel()
	needsSSH(t)
	home := newTestHome(t)
	s := serverAccepting(t, home.key.PublicKey())
	home.trust(s)
	home.write("config", "PubkeyAcceptedAlgorithms rsa-sha2-512\n")
	_, err := home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindNoKey, "PubkeyAcceptedAlgorithms does not allow ssh-ed25519")
	if s.AuthFailures() != 0 {
		t.Error("the key was offered")
	}
	home.write("config", "PubkeyAcceptedAlgorithms ssh-ed25519\n")
	home.dial(home.pool(), targetOf(s))
}

func TestAcceptedSignaturesAreOpenSSHsDefaults(t *testing.T) {
	t.Parallel()
	rsaKey := newSigner(t, "rsa").PublicKey()
	cert := &ssh.Certificate{Key: rsaKey, CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
	for _, c := range []struct {
		key     ssh.PublicKey
		allowed string
		want    string
	}{
		{rsaKey, "", "rsa-sha2-512 rsa-sha2-256"},
		{rsaKey, "ssh-ed25519 rsa-sha2-256", "rsa-sha2-256"},
		{rsaKey, "ssh-rsa rsa-sha2-256", "rsa-sha2-256 ssh-rsa"},
		{rsaKey, "ssh-ed25519", ""},
		{cert, "", "rsa-sha2-512 rsa-sha2-256"},
		{cert, "rsa-sha2-256", ""},
		{cert, "rsa-sha2-256-cert-v01@openssh.com", "rsa-sha2-256"},
		{newSigner(t, "").PublicKey(), "", "ssh-ed25519"},
		{newSigner(t, "ecdsa").PublicKey(), "ecdsa-sha2-nistp384", ""},
	} {
		s := Settings{}
		if c.allowed != "" {
			s.PubkeyAcceptedAlgorithms = strings.Fields(c.allowed)
		}
		if got := strings.Join(acceptedSignatures(s, c.key), " "); got != c.want {
			t.Errorf("%s, %q: got %q, want %q", c.key.Type(), c.allowed, got, c.want)
		}
	}
}

func TestRSAKeyLogsInWithSHA2(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	private, err := cryptorsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	s := serverAccepting(t, public)
	home.trust(s)
	home.serveAgent(newKeyring(t, 0, private))
	home.dial(home.pool(), targetOf(s))
	home.write("config", "RequiredRSASize 4096\n")
	_, err = home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "2048 bits")
}

func TestBatchModeDoesNotPrompt(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	home.write("config", "BatchMode yes\nIdentityFile ~/.ssh/locked\n")
	s := serverAccepting(t, home.encryptedKey("locked"))
	home.trust(s)
	prompter := &scriptedPrompter{replies: []string{"sesame"}}
	home.Prompter = prompter
	_, err := home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "BatchMode")
}

// hangingAgent lists its keys, or hangs there, and never signs.
type hangingAgent struct {
	agent.Agent
	hangOnList bool
	lists      atomic.Int64
	done       chan struct{}
}

func (a *hangingAgent) List() ([]*agent.Key, error) {
	a.lists.Add(1)
	if a.hangOnList {
		<-a.done
	}
	return a.Agent.List()
}

func TestHangingAgentCostsBoundedTimeOnce(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := serverAccepting(t, home.key.PublicKey())
	home.trust(s)
	hanging := &hangingAgent{Agent: newKeyring(t, 1), hangOnList: true, done: make(chan struct{})}
	home.serveAgent(hanging)
	t.Cleanup(func() { close(hanging.done) })
	p := home.pool()
	p.agentListTimeout = 300 * time.Millisecond
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { home.dial(p, targetOf(s)) }) // with the key file
	}
	wg.Wait()
	asked := hanging.lists.Load()
	home.dial(p, targetOf(s))
	if asked == 0 || hanging.lists.Load() != asked {
		t.Errorf("the agent was asked %d times, then %d times", asked, hanging.lists.Load())
	}
}

func TestMistypedPassphraseIsPromptedForThreeTimes(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := serverAccepting(t, home.encryptedKey("id_ed25519"))
	prompter := &scriptedPrompter{replies: []string{"wrong", "wrong", "wrong", "sesame"}}
	home.Prompter = prompter
	_, err := home.trust(s).pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "accepts a key that could not be used", "incorrect passphrase", "ssh-add")
	if len(prompter.prompts) != 3 {
		t.Errorf("prompts %q", prompter.prompts)
	}
}

func TestAskpassFollowsOpenSSHsRules(t *testing.T) {
	t.Parallel()
	const program = "/askpass"
	for _, c := range []struct {
		require, display string
		terminal         bool
		want             string
	}{
		{"", "", true, ""}, {"", "", false, ""}, {"", ":0", true, ""}, {"", ":0", false, program},
		{"never", ":0", false, ""}, {"force", "", true, program}, {"prefer", ":0", true, program}, {"prefer", "", true, ""},
	} {
		env := map[string]string{"SSH_ASKPASS": program, "SSH_ASKPASS_REQUIRE": c.require, "DISPLAY": c.display}
		o := Options{Getenv: func(name string) string { return env[name] }}
		if c.terminal {
			o.Prompter = &scriptedPrompter{}
		}
		if got := o.askpassProgram(); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

func TestAskpassAnswersPassphrase(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := serverAccepting(t, home.encryptedKey("id_ed25519"))
	home.trust(s)
	home.write("askpass", "#!/bin/sh\ncase $1 in *id_ed25519*) echo sesame ;; esac\n")
	if err := os.Chmod(home.path("askpass"), 0o700); err != nil {
		t.Fatal(err)
	}
	home.env["SSH_ASKPASS"], home.env["SSH_ASKPASS_REQUIRE"] = home.path("askpass"), "force"
	home.dial(home.pool(), targetOf(s))
	home.write("askpass", "#!/bin/sh\nexit 1\n")
	_, err := home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "was canceled")
}

func TestNegotiationErrorNamesConfigurationLine(t *testing.T) {
	t.Parallel()
	needsSSH(t)
	home := newTestHome(t)
	s := sshtest.Start(t, shellConfig())
	home.trust(s)
	home.write("config", "Host web\n  Ciphers aes256-cbc,aes128-cbc\n")
	_, err := home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindProtocol, home.path("config")+":2: Ciphers", "aes128-cbc", "no common algorithm")
}

func TestTouchOfSecurityKeyIsAnnounced(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	blob := ssh.Marshal(struct {
		Type, Key, Application string
	}{"sk-ssh-ed25519@openssh.com", strings.Repeat("k", 32), "ssh:"})
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		t.Fatal(err)
	}
	s := serverAccepting(t, key)
	home.serveAgent(untouchedKey{newKeyring(t, 0), &agent.Key{Format: key.Type(), Blob: blob, Comment: "token"}})
	var notices []string
	home.Log = func(format string, args ...any) { notices = append(notices, fmt.Sprintf(format, args...)) }
	_, err = home.trust(s).pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "accepts a key that could not be used", "token")
	if got := strings.Join(notices, "\n"); !strings.Contains(got, "touch the security key") || !strings.Contains(got, ssh.FingerprintSHA256(key)) {
		t.Errorf("notices %q", got)
	}
}

// untouchedKey is an agent with a security key that is not touched in time.
type untouchedKey struct {
	agent.Agent
	key *agent.Key
}

func (a untouchedKey) List() ([]*agent.Key, error) { return []*agent.Key{a.key}, nil }
