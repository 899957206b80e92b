// Package fleettest starts a fleet for tests: hosts that run the real scripts behind real SSH, each
// in a directory of its own, with the stand-ins of package demo for nix and sudo.
package fleettest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/localexec"
	"github.com/markus-barta/nixfleet/sshexec"
)

// Fleet is a fleet of demo hosts, an inventory of them, and an engine that reaches them over SSH.
// It is a [host.Dialer].
type Fleet struct {
	*demo.Fleet
	t    *testing.T
	Inv  *inventory.Inventory
	pool *sshexec.Pool
	// Addresses maps the name of a host to the host:port to dial instead of its server.
	Addresses map[string]string
	Shut      atomic.Bool   // makes every Dial fail
	Local     bool          // hosts are worked on without SSH
	Options   fleet.Options // options of Deploy
	Engine    *engine.Engine
	Client    *host.Client
}

// New starts the hosts and stops them when the test ends. The test runs in parallel with others.
func New(t *testing.T, hosts ...demo.Host) *Fleet {
	t.Parallel()
	d, err := demo.Start(t.Context(), demo.Options{Hosts: hosts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	inv, findings, err := inventory.Load(d.Inventory)
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	f := &Fleet{Fleet: d, t: t, Inv: inv, Addresses: map[string]string{}}
	f.pool = sshexec.NewPool(sshexec.Options{
		Home: d.Home, User: "mba", ConfigFile: filepath.Join(d.Home, ".ssh", "config"), Getenv: func(string) string { return "" },
	})
	t.Cleanup(func() { f.pool.Close() })
	f.Engine = f.NewEngine(t.TempDir())
	f.Client = &host.Client{Dialer: f, Inventory: inv}
	return f
}

// NewEngine returns another engine on the records in a directory, as a second process would have.
func (f *Fleet) NewEngine(records string) *engine.Engine {
	return &engine.Engine{Dialer: f, Records: &record.Store{Dir: records}, LocalGit: f.localGit}
}

// localGit looks up refs, and branches by their names, in the fleet's repository.
func (f *Fleet) localGit(ctx context.Context, _ fleet.Source, name string) (fleet.Revision, error) {
	ref := "refs/heads/" + strings.TrimPrefix(name, "refs/heads/")
	out, err := exec.CommandContext(ctx, "git", "ls-remote", f.Origin, ref).Output()
	commit, _, _ := strings.Cut(string(out), "\t")
	return fleet.Revision{Commit: commit, Ref: ref}, err
}

// Dial logs in to a host.
func (f *Fleet) Dial(ctx context.Context, h *inventory.Host) (host.Conn, error) {
	if f.Shut.Load() {
		return nil, errors.New("no route to host")
	}
	if f.Local {
		home := filepath.Join(f.Root(h.Name), "home", h.User)
		return localConn{localexec.New(h.Name, home, append(os.Environ(), f.HostEnviron(h.Name)...))}, nil
	}
	target := sshexec.Target{Name: h.Name, Address: h.Address, Port: h.Port, User: h.User, Timeout: h.Timeouts.Connect}
	if address := f.Addresses[h.Name]; address != "" {
		_, port, _ := net.SplitHostPort(address)
		target.Port, _ = strconv.Atoi(port)
	}
	conn, err := f.pool.Dial(ctx, target)
	if err != nil {
		return nil, err
	}
	return sshConn{conn}, nil
}

type localConn struct{ *localexec.Conn }

func (c localConn) Run(ctx context.Context, cmd host.Command) (int, error) {
	return c.Conn.Run(ctx, sshexec.Command(cmd))
}

type sshConn struct{ *sshexec.Conn }

func (c sshConn) Run(ctx context.Context, cmd host.Command) (int, error) {
	return c.Conn.Run(ctx, sshexec.Command(cmd))
}

// Deploy pushes a commit that contains words for the first host and deploys it to all hosts.
func (f *Fleet) Deploy(ctx context.Context, sink func(fleet.Event), words ...string) (rev string, state fleet.State) {
	f.t.Helper()
	rev, err := f.Push(f.t.Context(), f.Inv.Hosts[0].Name, words...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.Options.Pinned.Commit = rev
	return rev, f.run(ctx, f.Options, sink)
}

// ExpectWholeLog fails the test unless the recorded log equals the log on the host.
func (f *Fleet) ExpectWholeLog(run, host string) {
	f.t.Helper()
	record, err := f.Engine.Records.Open(run)
	if err != nil {
		f.t.Fatal(err)
	}
	log, err := record.Log(host)
	if err != nil {
		f.t.Error(err)
		return
	}
	defer log.Close()
	recorded, _ := io.ReadAll(log)
	path := filepath.Join(f.Root(host), "home/mba/.local/state/fleetctl/jobs", run+"."+host, "log")
	original, err := os.ReadFile(path)
	if err != nil || string(recorded) != string(original) {
		f.t.Errorf("%s: recorded %d bytes of a log of %d: %v", host, len(recorded), len(original), err)
	}
}

// Preview previews a run on the first host.
func (f *Fleet) Preview(o fleet.Options, rev string, build bool) host.Preview {
	f.t.Helper()
	o.Pinned.Commit = rev
	return f.Client.Preview(f.t.Context(), f.plan(o), f.Inv.Hosts[0], build)
}

// Refs returns everything in a checkout that a command must not change when it only looks.
func Refs(t *testing.T, dir string) string {
	t.Helper()
	text := Git(t, dir, "for-each-ref") + Git(t, dir, "status", "--porcelain") + Git(t, dir, "rev-parse", "HEAD") + Git(t, dir, "reflog", "--all")
	for _, name := range []string{"index", "FETCH_HEAD", "config", "logs/HEAD"} {
		b, err := os.ReadFile(filepath.Join(dir, ".git", name))
		text += name + string(b)
		if err != nil {
			text += " is not there"
		}
	}
	return text
}

// Status polls every host once.
func (f *Fleet) Status() map[string]host.Status {
	found := make(map[string]host.Status)
	f.Client.Status(f.t.Context(), f.Inv.Hosts, func(s host.Status) { found[s.Host] = s })
	return found
}

// Health returns the health of a host, which must answer.
func (f *Fleet) Health(host string) health.Health {
	f.t.Helper()
	s := f.Status()[host]
	if s.Err != nil || s.Health == nil || !s.Reachable {
		f.t.Fatalf("%s: %+v", host, s)
	}
	return *s.Health
}

// Checkout returns the path of a user's checkout on a host.
func (f *Fleet) Checkout(host, user string) string {
	return filepath.Join(f.Root(host), "home", user, "Code", "nixcfg")
}

// Git runs git in a directory and returns what it prints.
func Git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// SetTests replaces the repository tests of a host, in its checkout.
func (f *Fleet) SetTests(host, user string, scripts map[string]string) {
	f.t.Helper()
	dir := filepath.Join(f.Checkout(host, user), "hosts", host)
	if err := os.RemoveAll(dir); err != nil { // a file in the demo's repository
		f.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "tests"), 0o755); err != nil {
		f.t.Fatal(err)
	}
	for name, text := range scripts {
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(filepath.Join(dir, "tests", name), []byte(text), mode); err != nil {
			f.t.Fatal(err)
		}
	}
}

// RunTests runs the repository tests of every host.
func (f *Fleet) RunTests() map[string]host.TestResults {
	results := make(map[string]host.TestResults)
	f.Client.RunTests(f.t.Context(), f.Inv.Hosts, func(r host.TestResults) { results[r.Host] = r })
	return results
}

// Reboot reboots every host and waits at most 20 s for each unless o says otherwise.
func (f *Fleet) Reboot(o host.RebootOptions) map[string]host.RebootResult {
	if o.Limit == 0 {
		o.Limit = 20 * time.Second
	}
	results := make(map[string]host.RebootResult)
	f.Client.Reboot(f.t.Context(), f.Inv.Hosts, o, func(r host.RebootResult) { results[r.Host] = r })
	return results
}

// Run runs a plan for all hosts and returns its final state.
func (f *Fleet) Run(o fleet.Options) fleet.State {
	f.t.Helper()
	return f.run(f.t.Context(), o, func(fleet.Event) {})
}

func (f *Fleet) run(ctx context.Context, o fleet.Options, sink func(fleet.Event)) (state fleet.State) {
	f.t.Helper()
	_, err := f.Engine.Run(ctx, f.plan(o), func(ev fleet.Event) {
		state.Apply(ev)
		sink(ev)
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return state
}

// plan returns a plan for all hosts.
func (f *Fleet) plan(o fleet.Options) *fleet.Plan {
	f.t.Helper()
	plan, err := fleet.NewPlan(f.Inv, f.Inv.Hosts, o, "me@here")
	if err != nil {
		f.t.Fatal(err)
	}
	return plan
}
