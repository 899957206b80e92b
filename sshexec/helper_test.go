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
)

// These variables make another program of this test: the like of nc(1), or a server in a process of its own.
const (
	envConnectTo = "SSHEXEC_TEST_PIPE_TO"
	envServe  = "SSHEXEC_TEST_SERVE"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(envConnectTo) != "":
		connectStdio(os.Getenv(envConnectTo))
	case os.Getenv(envServe) != "":
		serveUntilEOF()
	default:
		os.Exit(m.Run())
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

// serveUntilEOF says its port and its line for known_hosts, and serves until its standard input ends. A script is
// answered with as many bytes of log lines as the variable says.
func serveUntilEOF() {
	var size int
	fmt.Sscan(os.Getenv(envServe), &size)
	s, err := sshtest.New(sshtest.Config{Handler: sshtest.RepeatLine(strings.Repeat("a line of a log ", 5), size)})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d %s", s.Port(), s.KnownHostsLine())
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.Close()
}

// world is an operator's home: a configuration, known hosts, and a key.
type testHome struct {
	t    testing.TB
	home string
	key  ssh.Signer
	env  map[string]string
	Options
}

func newTestHome(t testing.TB) *testHome {
	t.Helper()
	w := &testHome{t: t, home: t.TempDir(), env: map[string]string{}}
	if err := os.Mkdir(filepath.Join(w.home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.key = w.newKey("id_ed25519")
	w.Options = Options{Home: w.home, User: "alice", Getenv: func(name string) string { return w.env[name] }}
	return w
}

func (w *testHome) path(name string) string { return filepath.Join(w.home, ".ssh", name) }

func (w *testHome) newKey(name string) ssh.Signer {
	w.t.Helper()
	key, err := sshtest.WriteKeyFile(w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

// lockedKey puts a key there whose passphrase is "sesame". It was made with `ssh-keygen -a 1`, so that opening it takes
// no time.
func (w *testHome) encryptedKey(name string) ssh.PublicKey {
	w.t.Helper()
	for _, suffix := range []string{"", ".pub"} {
		text, err := os.ReadFile("testdata/locked" + suffix)
		if err != nil {
			w.t.Fatal(err)
		}
		w.write(name+suffix, "%s", text)
	}
	public, err := readPublicKey(w.path(name + ".pub"))
	if err != nil {
		w.t.Fatal(err)
	}
	return public
}

func (w *testHome) write(name, format string, args ...any) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), fmt.Appendf(nil, format, args...), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *testHome) read(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(w.path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Fatal(err)
	}
	return string(text)
}

// knows makes servers known hosts.
func (w *testHome) trust(servers ...*sshtest.Server) *testHome {
	w.t.Helper()
	text := w.read("known_hosts")
	for _, s := range servers {
		text += s.KnownHostsLine()
	}
	w.write("known_hosts", "%s", text)
	return w
}

func (w *testHome) pool() *Pool {
	w.t.Helper()
	p := NewPool(w.Options)
	w.t.Cleanup(func() {
		closed := make(chan struct{})
		go func() { p.Close(); close(closed) }()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			panic("the pool did not close")
		}
	})
	return p
}

// at is the target that a server is.
func targetOf(s *sshtest.Server) Target {
	return Target{Name: "web", Address: "127.0.0.1", Port: s.Port(), Timeout: 5 * time.Second}
}

func (w *testHome) dial(p *Pool, t Target) *Conn {
	w.t.Helper()
	c, err := p.Dial(w.ctx(), t)
	if err != nil {
		w.t.Fatalf("dial: %v", err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// ctx is long enough for anything that works.
func (w *testHome) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	w.t.Cleanup(cancel)
	return ctx
}

// fails wants an Error of a kind whose text and hint together hold all of the words.
func wantError(t testing.TB, err error, kind Kind, words ...string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("want a failure of kind %q, got %v", kind, err)
	}
	if e.Kind != kind {
		t.Fatalf("want a failure of kind %q, got %q: %v", kind, e.Kind, err)
	}
	text := e.Error() + "\n" + e.Hint()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in: %s", word, text)
		}
	}
	return e
}

// run runs a script that must end, and returns its status and both streams.
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
