package sshexec

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// closingListener can close the connections that it has accepted.
type closingListener struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (l *closingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.conns = append(l.conns, c)
	}
	return c, err
}

func (l *closingListener) closeAccepted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.Close()
	}
}

func passwordServer(t testing.TB, question string) *sshtest.Server {
	return sshtest.Start(t, sshtest.Config{Password: "sesame", Question: question, Handler: sshtest.Shell{}.Handle})
}

func TestPasswordIsPromptedForOncePerHost(t *testing.T) {
	t.Parallel()
	for question, prompt := range map[string]string{"": "password for alice@web: ", "Code:\n": "(alice@web) Code: "} {
		home := newTestHome(t)
		s := passwordServer(t, question)
		prompter := &scriptedPrompter{replies: []string{"wrong", "sesame"}}
		home.Prompter = prompter
		p := home.trust(s).pool()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { home.dial(p, targetOf(s)) })
		}
		wg.Wait()
		if got := strings.Join(prompter.prompts, ","); got != prompt+","+prompt {
			t.Errorf("prompts %q", got)
		}
	}
}

func TestRejectedPasswordIsPromptedForThreeTimes(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := passwordServer(t, "")
	prompter := &scriptedPrompter{replies: []string{"a", "b", "c", "sesame"}}
	home.Prompter = prompter
	p := home.trust(s).pool()
	for range 2 {
		_, err := p.Dial(home.ctx(), targetOf(s))
		wantError(t, err, KindAuth, "rejected the password of alice", "ssh-copy-id web")
	}
	if len(prompter.prompts) != 3 || s.AuthFailures() != 3 {
		t.Errorf("prompts %q, %d rejected", prompter.prompts, s.AuthFailures())
	}
}

func TestDeclinedPasswordIsPromptedForOnce(t *testing.T) {
	t.Parallel()
	for _, question := range []string{"", "Password: "} {
		home := newTestHome(t)
		s := passwordServer(t, question)
		prompter := &scriptedPrompter{}
		home.Prompter = prompter
		p := home.trust(s).pool()
		for range 2 {
			_, err := p.Dial(home.ctx(), targetOf(s))
			wantError(t, err, KindAuth, "asks for the password of alice: declined")
		}
		if len(prompter.prompts) != 1 {
			t.Errorf("prompts %q", prompter.prompts)
		}
	}
}

func TestPasswordTypedTooLateIsUsedForNextConnection(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closer := &closingListener{Listener: l}
	s := sshtest.Start(t, sshtest.Config{Listener: closer, Password: "sesame", Handler: sshtest.Shell{}.Handle})
	prompter := &scriptedPrompter{replies: []string{"sesame"}, onPrompt: closer.closeAccepted}
	home.Prompter = prompter
	home.trust(s).dial(home.pool(), targetOf(s))
	if len(prompter.prompts) != 1 || s.Logins() != 1 {
		t.Errorf("prompts %q, %d logins", prompter.prompts, s.Logins())
	}
}

func TestPasswordPromptLetsOtherHostsLogIn(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	withPassword, withKey := passwordServer(t, ""), serverAccepting(t, home.key.PublicKey())
	prompted, other := make(chan struct{}), make(chan struct{})
	home.Prompter = &scriptedPrompter{replies: []string{"sesame"}, onPrompt: func() { close(prompted); <-other }}
	home.MaxHandshakes = 1
	p := home.trust(withPassword, withKey).pool()
	var wg sync.WaitGroup
	wg.Go(func() { home.dial(p, targetOf(withPassword)) })
	<-prompted
	home.dial(p, targetOf(withKey))
	close(other)
	wg.Wait()
}

func TestPasswordOnlyHostWithoutTerminal(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	s := passwordServer(t, "")
	_, err := home.trust(s).pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "asks for a password (password): cannot prompt without a terminal", "ssh-copy-id web")
	prompter := &scriptedPrompter{}
	home.Prompter = prompter
	home.write("config", "BatchMode yes\n")
	_, err = home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "BatchMode does not allow prompts")
	home.write("config", "PasswordAuthentication no\n")
	_, err = home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindAuth, "accepts only password, and this side only publickey, keyboard-interactive")
	if len(prompter.prompts) != 0 {
		t.Errorf("prompts %q", prompter.prompts)
	}
}

func TestHostThatRejectsKeysDoesNotPromptForPassword(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	d := sshtest.StartSSHD(t, sshtest.SSHDOptions{Config: "PasswordAuthentication yes\nPermitRootLogin yes"})
	home.User = d.User
	prompter := &scriptedPrompter{replies: []string{"wrong"}}
	home.Prompter = prompter
	home.write("known_hosts", "%s", hostKeyLine("web", d.HostKey))
	target := Target{Name: "web", Address: "127.0.0.1", Port: d.Port, Timeout: 10 * time.Second}
	home.write("config", "HostKeyAlias web\n")
	_, err := home.pool().Dial(home.ctx(), target)
	wantError(t, err, KindAuth, "accepts none of the 1 keys")
	if len(prompter.prompts) != 0 {
		t.Errorf("prompts %q", prompter.prompts)
	}
	// Unless the configuration prefers passwords.
	home.write("config", "HostKeyAlias web\nPreferredAuthentications password,publickey\nNumberOfPasswordPrompts 1\n")
	_, err = home.pool().Dial(home.ctx(), target)
	wantError(t, err, KindAuth, "accepts none of the 1 keys")
	if len(prompter.prompts) != 1 {
		t.Errorf("prompts %q", prompter.prompts)
	}
}

func TestConfigurationWithoutUsableMethodIsAnError(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	home.write("config", "Host web\n  PreferredAuthentications gssapi-with-mic,hostbased\n")
	home.ConfigFile = home.path("config")
	_, err := home.pool().Resolve(home.ctx(), Target{Name: "web"})
	wantError(t, err, KindConfig, home.path("config")+":2: it leaves no method", "publickey")
}
