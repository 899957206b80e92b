package sshexec

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// startRealHost starts a real sshd and returns a home directory that can log in to it as web.
func startRealHost(t testing.TB, o sshtest.SSHDOptions) (*testHome, *sshtest.SSHD, Target) {
	t.Helper()
	d := sshtest.StartSSHD(t, o)
	home := newTestHome(t)
	home.User = d.User
	home.write("config", "Host web\n  HostName 127.0.0.1\n  Port %d\n  IdentityFile %s\n", d.Port, d.KeyFile)
	home.write("known_hosts", "%s", hostKeyLine(fmt.Sprintf("[127.0.0.1]:%d", d.Port), d.HostKey))
	return home, d, Target{Name: "web", Timeout: 10 * time.Second}
}

func TestSSHDRunPassesTrickyArguments(t *testing.T) {
	t.Parallel()
	home, _, web := startRealHost(t, sshtest.SSHDOptions{})
	c := home.dial(home.pool(), web)
	for _, args := range trickyArgs {
		_, out, errs := run(t, c, printArgs, args...)
		var got []string
		if out != "" {
			got = strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
		}
		if !sameStrings(got, args) || errs != "" {
			t.Errorf("got %.100q, want %.100q; stderr %q", got, args, errs)
		}
	}
	if exit, _, _ := run(t, c, "kill -KILL $$"); exit != 128+9 {
		t.Errorf("status %d", exit)
	}
	var out strings.Builder
	input := strings.Repeat("input\n", 50_000)
	if _, err := c.Run(home.ctx(), Command{Script: "cat", Stdin: strings.NewReader(input), Stdout: &out}); err != nil || out.String() != input {
		t.Errorf("read %d bytes, want %d; error %v", out.Len(), len(input), err)
	}
}

func TestSSHDHostKeyTypesAreVerified(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		home, d, web := startRealHost(t, sshtest.SSHDOptions{KeyType: kind})
		home.dial(home.pool(), web)
		home.write("known_hosts", "%s", hostKeyLine(fmt.Sprintf("[127.0.0.1]:%d", d.Port), newSigner(t, "").PublicKey()))
		_, err := home.pool().Dial(home.ctx(), web)
		wantError(t, err, KindHostKeyChanged)
	}
}

func TestSSHDBusyServerEventuallyAcceptsEveryLogin(t *testing.T) {
	t.Parallel()
	home, _, web := startRealHost(t, sshtest.SSHDOptions{Config: "MaxStartups 3:100:3"})
	p := home.pool()
	web.Timeout = 20 * time.Second
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { home.dial(p, web) })
	}
	wg.Wait()
}

// TestSSHDPenaltyIsReportedAndWaitedOut needs OpenSSH 9.8 or newer.
func TestSSHDPenaltyIsReportedAndWaitedOut(t *testing.T) {
	t.Parallel()
	penalties := "PerSourcePenalties authfail:10s min:1s"
	if !sshtest.SSHDAccepts(penalties) {
		t.Skip("this sshd has no PerSourcePenalties")
	}
	home, d, web := startRealHost(t, sshtest.SSHDOptions{Config: penalties})
	stranger := web
	stranger.User = "nobody"
	if _, err := home.pool().Dial(home.ctx(), stranger); err == nil {
		t.Fatal("logged in as another user")
	}
	// The server counts a failure when it has seen its process exit.
	web.Timeout = 2 * time.Second
	var err error
	for try := 0; try < 20 && err == nil; try++ {
		time.Sleep(100 * time.Millisecond)
		_, err = home.pool().Dial(home.ctx(), web)
	}
	wantError(t, err, KindBusy, "Not allowed at this time", "PerSourcePenalties")
	web.Timeout = 30 * time.Second
	if exit, _, _ := run(t, home.dial(home.pool(), web), "exit 4"); exit != 4 {
		t.Errorf("exit status %d on %s", exit, d.Addr)
	}
}

func TestSSHDLimitsSessionsButNotForwardings(t *testing.T) {
	t.Parallel()
	home, d, web := startRealHost(t, sshtest.SSHDOptions{Config: "MaxSessions 2"})
	c := home.dial(home.pool(), web)
	var running sync.WaitGroup
	stdin, release := io.Pipe()
	for range 2 {
		running.Go(func() { _, _ = c.Run(home.ctx(), Command{Script: "read x", Stdin: stdin}) })
	}
	defer running.Wait()
	defer release.Close()
	time.Sleep(200 * time.Millisecond)
	_, err := c.Run(home.ctx(), Command{Script: "true"})
	wantError(t, err, KindSession, "MaxSessions")
	for range 30 {
		conn, err := c.DialContext(home.ctx(), "tcp", d.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
}

func TestSSHDBastionWithAgentKey(t *testing.T) {
	t.Parallel()
	home, bastion, _ := startRealHost(t, sshtest.SSHDOptions{})
	target := sshtest.Start(t, shellConfig())
	home.write("config", "Host bastion\n  HostName 127.0.0.1\n  Port %d\nHost web\n  HostName 127.0.0.1\n  Port %d\n  User bob\n  ProxyJump bastion\n", bastion.Port, target.Port())
	home.trust(target)
	key, err := os.ReadFile(bastion.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ssh.ParseRawPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	home.serveAgent(ring)
	p := home.pool()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if exit, _, _ := run(t, home.dial(p, Target{Name: "web"}), "exit 9"); exit != 9 {
				t.Error(exit)
			}
		})
	}
	wg.Wait()
}

func TestSSHDForwardsUnixSocket(t *testing.T) {
	t.Parallel()
	home, d, web := startRealHost(t, sshtest.SSHDOptions{})
	l, err := net.Listen("unix", filepath.Join(d.Dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if conn, err := l.Accept(); err == nil {
			fmt.Fprint(conn, "hello")
			conn.Close()
		}
	}()
	c := home.dial(home.pool(), web)
	conn, err := c.DialContext(home.ctx(), "unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if text, err := io.ReadAll(conn); err != nil || string(text) != "hello" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestSSHDAbandonedScriptKeepsRunning(t *testing.T) {
	t.Parallel()
	home, d, web := startRealHost(t, sshtest.SSHDOptions{})
	p := home.pool()
	c := home.dial(p, web)
	mark := filepath.Join(d.Dir, "mark")
	ctx, cancel := context.WithTimeout(home.ctx(), 200*time.Millisecond)
	defer cancel()
	_, err := c.Run(ctx, Command{Script: `sleep 1; echo done > "$1"`, Args: []string{mark}})
	wantError(t, err, KindTimeout)
	if exit, _, _ := run(t, c, "exit 2"); exit != 2 {
		t.Error("the connection is not usable afterwards")
	}
	for range 100 {
		if text, err := os.ReadFile(mark); err == nil && string(text) == "done\n" {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the script did not continue")
}

func TestSSHDBastionWithMaxStartupsServesManyHosts(t *testing.T) {
	t.Parallel()
	home, bastion, _ := startRealHost(t, sshtest.SSHDOptions{Config: "MaxStartups 10:30:100"})
	target := sshtest.Start(t, shellConfig())
	home.write("config", "Host bastion\n  HostName 127.0.0.1\n  Port %d\n  IdentityFile %s\nHost web*\n  HostName 127.0.0.1\n  Port %d\n  ProxyJump bastion\n",
		bastion.Port, bastion.KeyFile, target.Port())
	home.trust(target)
	p := home.pool()
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() { home.dial(p, Target{Name: fmt.Sprint("web", i)}) })
	}
	wg.Wait()
	if target.Logins() != 64 {
		t.Errorf("%d logins", target.Logins())
	}
}
