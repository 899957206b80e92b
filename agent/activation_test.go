package agent

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// activate starts this test binary with sockets, as systemd starts a service, and returns what
// TestActivatedProcess prints.
func activate(t *testing.T, fds string, sockets ...*os.File) string {
	t.Helper()
	// LISTEN_PID is known only after the fork: a shell sets it and then becomes the test binary.
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" -test.run '^TestActivatedProcess$' -test.v`, os.Args[0])
	cmd.Env = append(os.Environ(), "LISTEN_FDS="+fds, "ACTIVATED=yes")
	cmd.ExtraFiles = sockets
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if result, found := strings.CutPrefix(strings.TrimSpace(line), "result: "); found {
			return result
		}
	}
	t.Fatalf("no result in its output:\n%s", out)
	return ""
}

// TestActivatedProcess runs in the process that activate starts. It tests nothing on its own.
func TestActivatedProcess(t *testing.T) {
	if os.Getenv("ACTIVATED") == "" {
		return
	}
	l, err := SystemdSocket(os.Getenv)
	switch {
	case err != nil:
		os.Stdout.WriteString("result: " + err.Error() + "\n")
	case l == nil:
		os.Stdout.WriteString("result: no socket\n")
	default:
		os.Stdout.WriteString("result: " + l.Addr().String() + "\n")
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSystemdSocketReturnsPassedSocket(t *testing.T) {
	path := socketPath(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := activate(t, "1", f); got != path {
		t.Errorf("got %q, want %q", got, path)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("closing the listener removed systemd's socket: %v", err)
	}
	if got := activate(t, "2", f, f); !strings.Contains(got, "exactly one ListenStream") {
		t.Errorf("with two sockets: got %q", got)
	}
}

func TestSystemdSocketRejectsTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := activate(t, "1", f); !strings.Contains(got, "only unix sockets") {
		t.Errorf("got %q", got)
	}
}

func TestSystemdSocketIgnoresSocketsOfOtherProcesses(t *testing.T) {
	env := map[string]string{"LISTEN_PID": strconv.Itoa(os.Getpid() + 1), "LISTEN_FDS": "1"}
	if l, err := SystemdSocket(func(name string) string { return env[name] }); l != nil || err != nil {
		t.Errorf("got %v, %v", l, err)
	}
}
