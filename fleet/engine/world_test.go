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

// world is a fleet and the operator's side.
type world struct {
	t      *testing.T
	hosts  fakeFleet
	inv    *inventory.Inventory
	engine *Engine
	events []fleet.Event
}

// newWorld has hosts of these names, in wave 1. Each does well unless told otherwise.
func newWorld(t *testing.T, names ...string) *world {
	w := &world{t: t, hosts: fakeFleet{}, inv: &inventory.Inventory{Path: "hosts.toml", Name: "test", Remote: "git@example.com:cfg.git", Branch: "main", Parallel: 16}}
	for _, name := range names {
		w.hosts[name] = &fakeHost{name: name, log: steps(switched)}
		t.Cleanup(w.hosts[name].playing.Wait)
		w.inv.Hosts = append(w.inv.Hosts, &inventory.Host{
			Name: name, Kind: inventory.NixOS, Attr: name, Repo: "~/cfg", Wave: 1,
			Timeouts: inventory.Timeouts{
				Connect: 15 * time.Second, Reconnect: 10 * time.Minute, Preflight: 30 * time.Second, Pull: 5 * time.Minute,
				Build: time.Hour, Quiet: 5 * time.Minute, Activate: 15 * time.Minute, Verify: 2 * time.Minute,
			},
		})
	}
	w.engine = w.newEngine(t.TempDir())
	return w
}

func (w *world) newEngine(dir string) *Engine {
	return &Engine{
		Dialer:   w.hosts,
		Records:  &record.Store{Dir: dir},
		LocalGit: func(context.Context, string, string) (string, error) { return rev2, nil },
	}
}

// another is another process of the operator's, on the same records.
func (w *world) another() *Engine { return w.newEngine(w.engine.Records.Dir) }

func (w *world) host(name string) *inventory.Host {
	for _, h := range w.inv.Hosts {
		if h.Name == name {
			return h
		}
	}
	w.t.Fatalf("no host %q", name)
	return nil
}

func (w *world) plan(o fleet.Options) *fleet.Plan {
	w.t.Helper()
	p, err := fleet.NewPlan(w.inv, w.inv.Hosts, o, "me@here")
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// run deploys to all hosts.
func (w *world) run(o fleet.Options) fleet.Summary {
	w.t.Helper()
	return w.runWith(w.t.Context(), o, func(fleet.Event) {})
}

func (w *world) runWith(ctx context.Context, o fleet.Options, sink func(fleet.Event)) fleet.Summary {
	w.t.Helper()
	summary, err := w.engine.Run(ctx, w.plan(o), w.sink(sink))
	if err != nil {
		w.t.Error(err)
	}
	return summary
}

func (w *world) attach() fleet.Summary {
	w.t.Helper()
	w.events = nil
	summary, err := w.another().Attach(w.t.Context(), w.record(), w.inv, w.sink(func(fleet.Event) {}))
	if err != nil {
		w.t.Error(err)
	}
	return summary
}

// sink keeps the events, and checks their numbers.
func (w *world) sink(more func(fleet.Event)) func(fleet.Event) {
	return func(ev fleet.Event) {
		if n := len(w.events); n > 0 && ev.Seq <= w.events[n-1].Seq {
			w.t.Errorf("event %d comes after event %d", ev.Seq, w.events[n-1].Seq)
		}
		w.events = append(w.events, ev)
		more(ev)
	}
}

// state is what somebody who saw all events knows.
func (w *world) state() *fleet.State {
	s := &fleet.State{}
	for _, ev := range w.events {
		s.Apply(ev)
	}
	return s
}

func (w *world) result(host string) fleet.Result {
	w.t.Helper()
	h := w.state().Host(host)
	if h == nil || h.Result == nil {
		w.t.Fatalf("%s has no result", host)
	}
	return *h.Result
}

func (w *world) expect(host string, o fleet.Outcome, code fleet.Code) {
	w.t.Helper()
	if r := w.result(host); r.Outcome != o || r.Code != code {
		w.t.Errorf("%s: %s %q (%s), want %s %q", host, r.Outcome, r.Code, r.Reason, o, code)
	}
}

func (w *world) expectExit(got fleet.Summary, code int) {
	w.t.Helper()
	if got.ExitCode != code {
		w.t.Errorf("exit code %d, want %d (%v)", got.ExitCode, code, got.Counts)
	}
}

func (w *world) record() *record.Record {
	w.t.Helper()
	r, err := w.engine.Records.Latest()
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// expectWholeLog compares the kept log with the host's own.
func (w *world) expectWholeLog(host string) {
	w.t.Helper()
	kept, err := os.ReadFile(filepath.Join(w.record().Dir, "hosts", host+".log"))
	if err != nil {
		w.t.Error(err)
		return
	}
	if want := w.hosts[host].job(w.record().Run + "." + host).all(); string(kept) != want {
		w.t.Errorf("%s: kept %d bytes, the host's log has %d", host, len(kept), len(want))
	}
}

// lines are the log lines that were shown of a host.
func (w *world) lines(host string) string {
	var all []string
	for _, ev := range w.events {
		if ev.Type == fleet.LogLine && ev.Host == host {
			all = append(all, ev.Stream+": "+ev.Line)
		}
	}
	return strings.Join(all, "\n")
}

// story is a host's events without log lines and progress, each in a word or two.
func (w *world) story(host string) string { return story(w.events, host) }

func story(events []fleet.Event, host string) string {
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
