package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
)

// testEnv is an Env with temporary directories, a fixed time and buffers for the output.
type testEnv struct {
	*Env
	out, err *syncBuffer
}

func newTestEnv(t *testing.T) *testEnv {
	env := &testEnv{out: new(syncBuffer), err: new(syncBuffer)}
	variables := map[string]string{"TERM": "xterm-256color"}
	env.Env = &Env{
		In: strings.NewReader(""), Out: env.out, Err: env.err,
		Getenv:  func(name string) string { return variables[name] },
		Environ: []string{"TERM=xterm-256color"},
		Home:    t.TempDir(), User: "mba", Machine: "imac0", Dir: t.TempDir(),
		Now: func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) },
	}
	return env
}

// newDemoTestEnv returns a testEnv with git and a running clock, which the demo needs.
func newDemoTestEnv(t *testing.T) *testEnv {
	env := newTestEnv(t)
	env.Now = time.Now
	env.Environ = append(env.Environ, "PATH="+os.Getenv("PATH"))
	return env
}

// startDemoFleet starts a demo fleet of these hosts and returns the environment of its operator.
func startDemoFleet(t *testing.T, hosts ...demo.Host) (*testEnv, *demo.Fleet) {
	t.Helper()
	f, err := demo.Start(t.Context(), demo.Options{Hosts: hosts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	env := newDemoTestEnv(t)
	env.Env = env.Env.forDemo(f)
	return env, f
}

// nixEnv returns an Env in which nix has an empty store of its own. Without nix it skips the test.
func nixEnv(t *testing.T) *Env {
	t.Helper()
	if _, err := exec.LookPath("nix"); err != nil {
		t.Skip("needs nix")
	}
	home := t.TempDir()
	environ := append(os.Environ(), "HOME="+home)
	for _, part := range []string{"store", "state", "log", "conf"} {
		environ = append(environ, "NIX_"+strings.ToUpper(part)+"_DIR="+filepath.Join(home, part))
	}
	return &Env{Home: home, User: "mba", Environ: environ, Out: t.Output()}
}

// exitCodeOf returns the exit code that a command's error leads to.
func exitCodeOf(err error) int { return exitCode(err, true) }

// syncBuffer is a bytes.Buffer that is safe for concurrent use.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// hostsNamed returns hosts with these names and default settings.
func hostsNamed(names ...string) []*inventory.Host {
	var hosts []*inventory.Host
	for _, name := range names {
		hosts = append(hosts, &inventory.Host{Name: name, Kind: inventory.NixOS, Wave: 1, Timeouts: inventory.DefaultTimeouts()})
	}
	return hosts
}

// fakeHosts is a [host.Dialer]. It maps a host's name to a function that runs commands; hosts that
// are not in it are offline.
type fakeHosts map[string]func(ctx context.Context, cmd host.Command) (int, error)

func (f fakeHosts) Dial(_ context.Context, h *inventory.Host) (host.Conn, error) {
	run, ok := f[h.Name]
	if !ok {
		return nil, offlineError{h.Name}
	}
	return fakeConn{run}, nil
}

type fakeConn struct {
	run func(context.Context, host.Command) (int, error)
}

func (c fakeConn) Run(ctx context.Context, cmd host.Command) (int, error) { return c.run(ctx, cmd) }
func (fakeConn) Close() error                                             { return nil }
func (fakeConn) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errors.ErrUnsupported
}

type offlineError struct{ host string }

func (e offlineError) Error() string { return e.host + ": connect: connection refused" }
func (offlineError) Offline() bool   { return true }
func (offlineError) Hint() string    { return "is it on?" }

// printing returns a command of [fakeHosts] with a fixed output and exit status.
func printing(stdout, stderr string, exit int) func(context.Context, host.Command) (int, error) {
	return func(_ context.Context, cmd host.Command) (int, error) {
		io.WriteString(cmd.Stdout, stdout)
		io.WriteString(cmd.Stderr, stderr)
		return exit, nil
	}
}

const testRunID = "20261124-120000-k3f9"

// replay returns an engineFunc that passes these events to its sink, with sequence numbers and
// times.
func replay(events ...fleet.Event) engineFunc {
	return func(_ context.Context, _ *engine.Engine, sink func(fleet.Event)) (fleet.Summary, error) {
		var state fleet.State
		for i, ev := range events {
			ev.Run, ev.Seq, ev.Time = testRunID, uint64(i+1), time.Date(2026, 11, 24, 12, 0, i, 0, time.UTC)
			if ev.Type == fleet.RunFinished {
				sum := state.Summarize()
				ev.Summary = &sum
			}
			state.Apply(ev)
			sink(ev)
		}
		return state.Summarize(), nil
	}
}

// runStarted returns the first event of a run of these hosts, each in a wave of its own.
func runStarted(names ...string) fleet.Event {
	start := fleet.Start{Fleet: "barta", Goal: "switch", Revision: "3f9c2ab0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6"}
	for i, name := range names {
		start.Hosts = append(start.Hosts, fleet.PlannedHost{Name: name, Kind: "nixos", Wave: 1 + i})
	}
	return fleet.Event{Type: fleet.RunStarted, Start: &start}
}

func hostFinished(host string, r fleet.Result) fleet.Event {
	return fleet.Event{Type: fleet.HostFinished, Host: host, Result: &r}
}

// failingRun returns a run in which hsb0 is switched and the build fails on csb0.
func failingRun() engineFunc {
	ok := false
	return replay(
		runStarted("hsb0", "csb0"),
		fleet.Event{Type: fleet.StepStarted, Host: "hsb0", Step: fleet.Build},
		fleet.Event{Type: fleet.LogLine, Host: "hsb0", Stream: "out", Line: "building hello"},
		hostFinished("hsb0", fleet.Result{Outcome: fleet.Switched, Before: "a1b2c3d4e5", After: "3f9c2ab0d1", Generation: 42, Seconds: 34.5}),
		fleet.Event{Type: fleet.StepStarted, Host: "csb0", Step: fleet.Build},
		fleet.Event{Type: fleet.LogLine, Host: "csb0", Stream: "out", Line: "building world"},
		fleet.Event{Type: fleet.LogLine, Host: "csb0", Stream: "warn", Line: "no output for 5m"},
		fleet.Event{Type: fleet.LogLine, Host: "csb0", Stream: "out", Line: "error: it does not compile"},
		fleet.Event{Type: fleet.LogLine, Host: "csb0", Stream: "out", Line: "  in world.nix"},
		fleet.Event{Type: fleet.StepFinished, Host: "csb0", Step: fleet.Build, OK: &ok},
		hostFinished("csb0", fleet.Result{Outcome: fleet.Failed, Step: fleet.Build, Reason: "it does not compile", Hint: "fix world.nix", Seconds: 3}),
		fleet.Event{Type: fleet.RunFinished},
	)
}

// writeFile writes a file and creates its directory.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// git runs git in a directory.
func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@t", "-C", dir}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
}
