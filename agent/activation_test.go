package agent

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// handOver starts this test binary with sockets of a kind, as systemd starts a service, and returns what it says of them.
func handOver(t *testing.T, fds string, sockets ...*os.File) string {
	t.Helper()
	// LISTEN_PID is known only once there is a process: a shell becomes it.
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" -test.run '^TestHandedOver$' -test.v`, os.Args[0])
	cmd.Env = append(os.Environ(), "LISTEN_FDS="+fds, "HANDED_OVER=yes")
	cmd.ExtraFiles = sockets
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if said, found := strings.CutPrefix(strings.TrimSpace(line), "handed over: "); found {
			return said
		}
	}
	t.Fatalf("it said:\n%s", out)
	return ""
}

// TestHandedOver is the process that handOver starts; without it, there is nothing to test.
func TestHandedOver(t *testing.T) {
	if os.Getenv("HANDED_OVER") == "" {
		return
	}
	l, err := Activated(os.Getenv)
	switch {
	case err != nil:
		os.Stdout.WriteString("handed over: " + err.Error() + "\n")
	case l == nil:
		os.Stdout.WriteString("handed over: nothing\n")
	default:
		os.Stdout.WriteString("handed over: " + l.Addr().String() + "\n")
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSystemdsSocketIsTakenOver(t *testing.T) {
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
	if got := handOver(t, "1", f); got != path {
		t.Errorf("got %q, want %q", got, path)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the socket is systemd's, and the agent removed it: %v", err)
	}
	if got := handOver(t, "2", f, f); !strings.Contains(got, "may have one ListenStream") {
		t.Errorf("of two sockets it said %q", got)
	}
}

func TestAPortIsRefused(t *testing.T) {
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
	if got := handOver(t, "1", f); !strings.Contains(got, "a unix socket alone") {
		t.Errorf("it said %q", got)
	}
}

func TestSocketsOfAnotherProcessAreNotTaken(t *testing.T) {
	environment := map[string]string{"LISTEN_PID": strconv.Itoa(os.Getpid() + 1), "LISTEN_FDS": "1"}
	if l, err := Activated(func(name string) string { return environment[name] }); l != nil || err != nil {
		t.Errorf("got %v, %v", l, err)
	}
}
