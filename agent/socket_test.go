package agent

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"
)

func TestListenCreatesSocketForOwnerAndGroup(t *testing.T) {
	path := socketPath(t)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != os.ModeSocket|0o660 {
		t.Errorf("the mode is %v", info.Mode())
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("Close left the socket behind: %v", err)
	}
}

func TestListenReplacesSocketOfKilledAgent(t *testing.T) {
	path := socketPath(t)
	killed, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	killed.SetUnlinkOnClose(false)
	if err := killed.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestListenFailsIfAgentIsRunning(t *testing.T) {
	path, _ := startAgent(t, nil)
	if _, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v", err)
	}
	if status, _ := get(t, newHTTPClient(t, path), "/v1/version"); status != 200 {
		t.Errorf("the running agent answers with %d", status)
	}
}

func TestListenKeepsFileThatIsNotASocket(t *testing.T) {
	path := socketPath(t)
	write(t, path, "mine")
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
		t.Errorf("the file now contains %q: %v", text, err)
	}
}

func TestCloseKeepsSocketOfOtherAgent(t *testing.T) {
	path := socketPath(t)
	first, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}

func TestListenRejectsLongPath(t *testing.T) {
	if _, err := Listen("/tmp/" + strings.Repeat("x", 100)); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("got %v", err)
	}
}
