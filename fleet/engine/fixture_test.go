package engine

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
)

// fixture is a fleet in memory, and an engine that deploys to it.
type fixture struct {
	t      *testing.T
	hosts  fakeFleet
	inv    *inventory.Inventory
	engine *Engine
	events []fleet.Event
}

// newFixture returns a fixture with hosts of these names, in wave 1. A deploy succeeds on each
// unless the test changes that.
func newFixture(t *testing.T, names ...string) *fixture {
	fx := &fixture{t: t, hosts: fakeFleet{}, inv: &inventory.Inventory{
		Path: "hosts.toml", Name: "test", Remote: "git@example.com:cfg.git", Branch: "main", Parallel: 16,
	}}
	for _, name := range names {
		fx.hosts[name] = &fakeHost{name: name, log: fullLog(switched)}
		t.Cleanup(fx.hosts[name].running.Wait)
		fx.inv.Hosts = append(fx.inv.Hosts, &inventory.Host{
			Name: name, Kind: inventory.NixOS, Attr: name, Repo: "~/cfg", Wave: 1,
			Timeouts: inventory.Timeouts{
				Connect: 15 * time.Second, Reconnect: 10 * time.Minute, Preflight: 30 * time.Second, Pull: 5 * time.Minute,
				Build: time.Hour, Quiet: 5 * time.Minute, Activate: 15 * time.Minute, Verify: 2 * time.Minute,
			},
		})
	}
	fx.engine = fx.newEngine(t.TempDir())
	return fx
}

func (fx *fixture) newEngine(dir string) *Engine {
	return &Engine{
		Dialer:   fx.hosts,
		Records:  &record.Store{Dir: dir},
		LocalGit: gitReports(rev2),
	}
}

// gitReports returns the operator's git that finds a commit on every branch.
func gitReports(commit string) LocalGit {
	return func(_ context.Context, _ fleet.Source, name string) (fleet.Revision, error) {
		return fleet.Revision{Commit: commit, Ref: name}, nil
	}
}

// another returns the engine of another process, on the same records.
func (fx *fixture) another() *Engine { return fx.newEngine(fx.engine.Records.Dir) }

func (fx *fixture) host(name string) *inventory.Host {
	for _, h := range fx.inv.Hosts {
		if h.Name == name {
			return h
		}
	}
	fx.t.Fatalf("no host %q", name)
	return nil
}

func (fx *fixture) plan(o fleet.Options) *fleet.Plan {
	fx.t.Helper()
	p, err := fleet.NewPlan(fx.inv, fx.inv.Hosts, o, "me@here")
	if err != nil {
		fx.t.Fatal(err)
	}
	return p
}

// run deploys to all hosts and collects the events.
func (fx *fixture) run(o fleet.Options) fleet.Summary {
	fx.t.Helper()
	return fx.runWith(fx.t.Context(), o, func(fleet.Event) {})
}

func (fx *fixture) runWith(ctx context.Context, o fleet.Options, sink func(fleet.Event)) fleet.Summary {
	fx.t.Helper()
	summary, err := fx.engine.Run(ctx, fx.plan(o), fx.sink(sink))
	if err != nil {
		fx.t.Error(err)
	}
	return summary
}

func (fx *fixture) attach() fleet.Summary {
	fx.t.Helper()
	fx.events = nil
	summary, err := fx.another().Attach(fx.t.Context(), fx.record(), fx.inv, fx.sink(func(fleet.Event) {}))
	if err != nil {
		fx.t.Error(err)
	}
	return summary
}

// sink returns a sink that collects the events and checks that their numbers rise.
func (fx *fixture) sink(more func(fleet.Event)) func(fleet.Event) {
	return func(ev fleet.Event) {
		if n := len(fx.events); n > 0 && ev.Seq <= fx.events[n-1].Seq {
			fx.t.Errorf("event %d comes after event %d", ev.Seq, fx.events[n-1].Seq)
		}
		fx.events = append(fx.events, ev)
		more(ev)
	}
}

// state returns the state that the collected events describe.
func (fx *fixture) state() *fleet.State {
	s := &fleet.State{}
	for _, ev := range fx.events {
		s.Apply(ev)
	}
	return s
}

func (fx *fixture) result(host string) fleet.Result {
	fx.t.Helper()
	h := fx.state().Host(host)
	if h == nil || h.Result == nil {
		fx.t.Fatalf("%s has no result", host)
	}
	return *h.Result
}

func (fx *fixture) expect(host string, o fleet.Outcome, code fleet.Code) {
	fx.t.Helper()
	if r := fx.result(host); r.Outcome != o || r.Code != code {
		fx.t.Errorf("%s: %s %q (%s), want %s %q", host, r.Outcome, r.Code, r.Reason, o, code)
	}
}

func (fx *fixture) expectExit(got fleet.Summary, code int) {
	fx.t.Helper()
	if got.ExitCode != code {
		fx.t.Errorf("exit code %d, want %d (%v)", got.ExitCode, code, got.Counts)
	}
}

func (fx *fixture) record() *record.Record {
	fx.t.Helper()
	r, err := fx.engine.Records.Latest()
	if err != nil {
		fx.t.Fatal(err)
	}
	return r
}

// expectWholeLog fails the test unless the recorded log equals the log on the host.
func (fx *fixture) expectWholeLog(host string) {
	fx.t.Helper()
	recorded, err := os.ReadFile(filepath.Join(fx.record().Dir, "hosts", host+".log"))
	if err != nil {
		fx.t.Error(err)
		return
	}
	if want := fx.hosts[host].job(fx.record().Run + "." + host).all(); string(recorded) != want {
		fx.t.Errorf("%s: recorded %d bytes of %d", host, len(recorded), len(want))
	}
}

// lines returns the log lines of a host among the events.
func (fx *fixture) lines(host string) string {
	var all []string
	for _, ev := range fx.events {
		if ev.Type == fleet.LogLine && ev.Host == host {
			all = append(all, ev.Stream+": "+ev.Line)
		}
	}
	return strings.Join(all, "\n")
}

// trace returns the events of a host, each as a word or two, without log lines and progress.
func (fx *fixture) trace(host string) string { return trace(fx.events, host) }

func trace(events []fleet.Event, host string) string {
	var all []string
	for _, ev := range events {
		if ev.Host != host {
			continue
		}
		switch ev.Type {
		case fleet.StepStarted:
			all = append(all, string(ev.Step))
		case fleet.StepFinished:
			word := "failed"
			if *ev.OK {
				word = "ok"
			}
			all = append(all, word)
		case fleet.FactLearned:
			all = append(all, ev.Key+"="+ev.Value)
		case fleet.HostFinished:
			all = append(all, string(ev.Result.Outcome))
		}
	}
	return strings.Join(all, " ")
}
