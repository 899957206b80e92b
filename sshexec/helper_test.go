package sshexec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/markus-barta/nixfleet/internal/sshtest"
	"github.com/markus-barta/nixfleet/internal/testmain"
)

// These environment variables turn the test binary into another program: one that connects its
// standard streams to an address, like nc(1), or an SSH server.
const (
	envConnectTo = "SSHEXEC_TEST_CONNECT_TO"
	envServe     = "SSHEXEC_TEST_SERVE"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(envConnectTo) != "":
		connectStdio(os.Getenv(envConnectTo))
	case os.Getenv(envServe) != "":
		serveUntilEOF()
	default:
		testmain.Run(m)
	}
}

func connectStdio(address string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() { _, _ = io.Copy(conn, os.Stdin) }()
	_, _ = io.Copy(os.Stdout, conn)
}

// serveUntilEOF prints its port and its known_hosts line, and serves until its standard input ends.
// It answers every script with as many bytes of log lines as the environment variable says.
func serveUntilEOF() {
	var size int
	fmt.Sscan(os.Getenv(envServe), &size)
	l, err := net.Listen("tcp", "0.0.0.0:0") // for all of 127.0.0.0/8
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s, err := sshtest.New(sshtest.Config{Listener: l, Handler: sshtest.RepeatLine(strings.Repeat("a line of a log ", 5), size)})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d %s", s.Port(), s.KnownHostsLine())
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.Close()
}

// testHome is an operator's home directory, with an ssh_config(5), known hosts and a key, and the
// Options that use it.
type testHome struct {
	t   testing.TB
	dir string
	key ssh.Signer
	env map[string]string
	Options
}

func newTestHome(t testing.TB) *testHome {
	t.Helper()
	home := &testHome{t: t, dir: t.TempDir(), env: map[string]string{}}
	if err := os.Mkdir(filepath.Join(home.dir, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	home.key = home.newKey("id_ed25519")
	home.Options = Options{Home: home.dir, User: "alice", Getenv: func(name string) string { return home.env[name] }}
	return home
}

func (home *testHome) path(name string) string { return filepath.Join(home.dir, ".ssh", name) }

func (home *testHome) newKey(name string) ssh.Signer {
	home.t.Helper()
	key, err := sshtest.WriteKeyFile(home.path(name))
	if err != nil {
		home.t.Fatal(err)
	}
	return key
}

// encryptedKey installs a key with the passphrase "sesame". It was created with `ssh-keygen -a 1`,
// so that decrypting it is fast.
func (home *testHome) encryptedKey(name string) ssh.PublicKey {
	home.t.Helper()
	for _, suffix := range []string{"", ".pub"} {
		text, err := os.ReadFile("testdata/encrypted" + suffix)
		if err != nil {
			home.t.Fatal(err)
		}
		home.write(name+suffix, "%s", text)
	}
	public, err := readPublicKey(home.path(name + ".pub"))
	if err != nil {
		home.t.Fatal(err)
	}
	return public
}

func (home *testHome) write(name, format string, args ...any) {
	home.t.Helper()
	if err := os.WriteFile(home.path(name), fmt.Appendf(nil, format, args...), 0o600); err != nil {
		home.t.Fatal(err)
	}
}

func (home *testHome) read(name string) string {
	home.t.Helper()
	text, err := os.ReadFile(home.path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		home.t.Fatal(err)
	}
	return string(text)
}

// trust adds servers to known_hosts.
func (home *testHome) trust(servers ...*sshtest.Server) *testHome {
	home.t.Helper()
	text := home.read("known_hosts")
	for _, s := range servers {
		text += s.KnownHostsLine()
	}
	home.write("known_hosts", "%s", text)
	return home
}

func (home *testHome) pool() *Pool {
	home.t.Helper()
	p := NewPool(home.Options)
	home.t.Cleanup(func() {
		closed := make(chan struct{})
		go func() { p.Close(); close(closed) }()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			panic("Pool.Close did not return within 10 s")
		}
	})
	return p
}

// targetOf returns the target for a server, under the name web.
func targetOf(s *sshtest.Server) Target {
	return Target{Name: "web", Address: "127.0.0.1", Port: s.Port(), Timeout: 5 * time.Second}
}

func (home *testHome) dial(p *Pool, t Target) *Conn {
	home.t.Helper()
	c, err := p.Dial(home.ctx(), t)
	if err != nil {
		home.t.Fatalf("dial: %v", err)
	}
	home.t.Cleanup(func() { c.Close() })
	return c
}

// ctx returns a context with a timeout that no successful operation reaches.
func (home *testHome) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	home.t.Cleanup(cancel)
	return ctx
}

// wantError fails the test unless err is an Error of a kind whose text and hint contain all words.
func wantError(t testing.TB, err error, kind Kind, words ...string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want kind %q", err, kind)
	}
	if e.Kind != kind {
		t.Fatalf("got kind %q, want %q: %v", e.Kind, kind, err)
	}
	text := e.Error() + "\n" + e.Hint()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q does not contain %q", text, word)
		}
	}
	return e
}

// run runs a script and returns its exit status and both streams.
func run(t testing.TB, c *Conn, script string, args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	exit, err := c.Run(ctx, Command{Script: script, Args: args, Stdout: &out, Stderr: &errs})
	if err != nil {
		t.Fatalf("run: %v (stderr: %s)", err, errs.String())
	}
	return exit, out.String(), errs.String()
}

func shellConfig() sshtest.Config { return sshtest.Config{Handler: sshtest.Shell{}.Handle} }
