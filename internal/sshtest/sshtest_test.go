package sshtest

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// login returns a client that is logged in to a server.
func login(t *testing.T, s *Server) *ssh.Client {
	t.Helper()
	c, err := dial(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func dial(s *Server) (*ssh.Client, error) {
	key, err := NewKey()
	if err != nil {
		return nil, err
	}
	return ssh.Dial("tcp", s.Addr(), &ssh.ClientConfig{User: "alice", Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.FixedHostKey(s.HostKey())})
}

func session(t *testing.T, c *ssh.Client) *ssh.Session {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// waitForFile waits until a file exists.
func waitForFile(t *testing.T, file string) {
	t.Helper()
	for range 200 {
		if _, err := os.Stat(file); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s does not exist after 4 s", file)
}

func TestShellRunsInDirectoryAndEnvironment(t *testing.T) {
	dir := t.TempDir()
	s := Start(t, Config{Handler: Shell{Dir: dir, Env: []string{"PATH=/usr/bin:/bin", "HOME=" + dir}}.Handle})
	session := session(t, login(t, s))
	if err := session.Setenv("LANG", "C"); err != nil {
		t.Fatal(err)
	}
	session.Stdin = strings.NewReader("input")
	out, err := session.CombinedOutput(`cat; pwd; echo "$HOME $LANG ${GOPATH-}"; exit 3`)
	if status, ok := err.(*ssh.ExitError); !ok || status.ExitStatus() != 3 {
		t.Errorf("error %v", err)
	}
	if want := "input" + dir + "\n" + dir + " C \n"; string(out) != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestShellReportsSignal(t *testing.T) {
	s := Start(t, Config{Handler: Shell{}.Handle})
	err := session(t, login(t, s)).Run("kill -TERM $$")
	if status, ok := err.(*ssh.ExitError); !ok || status.Signal() != "TERM" {
		t.Errorf("error %v", err)
	}
}

func TestShellHangUpOnlyEndsCommandsThatWrite(t *testing.T) {
	dir := t.TempDir()
	s := Start(t, Config{Handler: Shell{Dir: dir}.Handle})
	c := login(t, s)
	if err := session(t, c).Start("sleep 0.5; touch silent"); err != nil {
		t.Fatal(err)
	}
	writer := session(t, c)
	writer.Stdout = io.Discard
	if err := writer.Start("trap '' PIPE; while echo x; do sleep 0.02; done; touch writer"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	c.Close()
	waitForFile(t, filepath.Join(dir, "writer"))
	waitForFile(t, filepath.Join(dir, "silent"))
}

func TestShellWaitsForBackgroundOutput(t *testing.T) {
	s := Start(t, Config{Handler: Shell{}.Handle})
	out, err := session(t, login(t, s)).Output("(sleep 0.2; echo late) & echo early")
	if err != nil || string(out) != "early\nlate\n" {
		t.Errorf("%q, %v", out, err)
	}
}

func TestCloseKillsRunningCommands(t *testing.T) {
	s, err := New(Config{Handler: Shell{}.Handle})
	if err != nil {
		t.Fatal(err)
	}
	c := login(t, s)
	if err := session(t, c).Start("sleep 100"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	if err := c.Wait(); err == nil {
		t.Error("the client did not notice")
	}
}

func TestCutFaultsAreByteExact(t *testing.T) {
	const hello = "SSH-2.0-test\r\n"
	for fault, n := range map[Fault]int64{{CutOut: 1}: 1, {CutOut: 5}: 5, {CutOut: 100}: 100, {CutTotal: int64(len(hello)) + 50}: 50} {
		s := Start(t, Config{Fault: func(int) Fault { return fault }})
		conn, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		// A server sends its version and SSH_MSG_KEXINIT without waiting for the client's.
		if _, err := io.WriteString(conn, hello); err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(conn)
		if int64(len(got)) != n || !bytes.HasPrefix([]byte("SSH-2.0-sshtest\r\n"), got[:min(len(got), 17)]) {
			t.Errorf("%+v: got %d bytes, %q", fault, len(got), got)
		}
	}
}

func TestFaultAppliesToItsConnection(t *testing.T) {
	s := Start(t, Config{Fault: func(nth int) Fault {
		if nth == 2 {
			return Fault{Refuse: "Exceeded MaxStartups\r\n"}
		}
		return Fault{}
	}})
	for nth := 1; nth <= 3; nth++ {
		c, err := dial(s)
		if (err == nil) != (nth != 2) {
			t.Errorf("connection %d: %v", nth, err)
		}
		if err == nil {
			c.Close()
		}
	}
	if s.Connections() != 3 || s.Logins() != 2 {
		t.Errorf("%d connections, %d logins", s.Connections(), s.Logins())
	}
}

func TestThawResumesFrozenServer(t *testing.T) {
	s := Start(t, Config{Handler: Shell{}.Handle})
	c := login(t, s)
	s.Freeze()
	result := make(chan error)
	go func() { result <- session(t, c).Run("true") }()
	select {
	case err := <-result:
		t.Fatalf("Run returned while frozen: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	s.Thaw()
	if err := <-result; err != nil {
		t.Error(err)
	}
}

func TestUnauthorizedKeysAreRejectedAndCounted(t *testing.T) {
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	s := Start(t, Config{AuthorizedKeys: []ssh.PublicKey{key.PublicKey()}})
	if c, err := dial(s); err == nil {
		c.Close()
		t.Error("an unauthorized key was accepted")
	}
	if s.AuthFailures() != 1 {
		t.Errorf("%d failures", s.AuthFailures())
	}
}

func TestForwardingReachesPortsAndSockets(t *testing.T) {
	s := Start(t, Config{})
	c := login(t, s)
	dir, err := os.MkdirTemp("", "sshtest") // socket paths are limited to about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(dir, "s")} {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		echoed := make(chan struct{})
		go func() {
			defer close(echoed)
			if conn, err := l.Accept(); err == nil {
				_, _ = io.Copy(conn, conn)
				conn.Close()
			}
		}()
		conn, err := c.Dial(network, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "there and back"); err != nil {
			t.Fatal(err)
		}
		_ = conn.(interface{ CloseWrite() error }).CloseWrite()
		if got, err := io.ReadAll(conn); err != nil || string(got) != "there and back" {
			t.Errorf("%s: %q, %v", network, got, err)
		}
		conn.Close()
		l.Close()
		<-echoed
	}
	if s.Forwards() != 2 {
		t.Errorf("%d forwardings", s.Forwards())
	}
}

func TestSSHDAcceptsItsKey(t *testing.T) {
	d := StartSSHD(t, SSHDOptions{})
	text, err := os.ReadFile(d.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ssh.Dial("tcp", d.Addr, &ssh.ClientConfig{User: d.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.FixedHostKey(d.HostKey)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if out, err := session(t, c).Output("echo hello"); err != nil || !strings.HasSuffix(string(out), "hello\n") {
		t.Errorf("%q, %v", out, err)
	}
}
