package fleet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/sshexec"
)

// realFleet is hosts that run the real scripts behind real SSH, each in a directory of its own.
type realFleet struct {
	*demo.Fleet
	t      *testing.T
	inv    *inventory.Inventory
	pool   *sshexec.Pool
	ways   map[string]string // where to dial a host instead of its server
	shut   atomic.Bool       // nobody gets in any more
	o      fleet.Options     // of a deploy
	engine *fleet.Engine
}

func newRealFleet(t *testing.T, hosts ...demo.Host) *realFleet {
	t.Parallel() // its hosts take their time, and little of the machine's
	d, err := demo.Start(t.Context(), demo.Options{Hosts: hosts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	inv, findings, err := inventory.Load(d.Inventory)
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	f := &realFleet{Fleet: d, t: t, inv: inv, ways: map[string]string{}}
	f.pool = sshexec.NewPool(sshexec.Options{
		Home: d.Home, User: "mba", ConfigFile: filepath.Join(d.Home, ".ssh", "config"), Getenv: func(string) string { return "" },
	})
	t.Cleanup(func() { f.pool.Close() })
	f.engine = f.newEngine(t.TempDir())
	return f
}

func (f *realFleet) newEngine(records string) *fleet.Engine {
	return &fleet.Engine{Dialer: f, Records: &fleet.Records{Dir: records}}
}

func (f *realFleet) Dial(ctx context.Context, h *inventory.Host) (fleet.Conn, error) {
	if f.shut.Load() {
		return nil, errors.New("no route to host")
	}
	target := sshexec.Target{Name: h.Name, Address: h.Address, Port: h.Port, User: h.User, Timeout: h.Timeouts.Connect}
	if way := f.ways[h.Name]; way != "" {
		_, port, _ := net.SplitHostPort(way)
		target.Port, _ = strconv.Atoi(port)
	}
	conn, err := f.pool.Dial(ctx, target)
	if err != nil {
		return nil, err
	}
	return sshConn{conn}, nil
}

type sshConn struct{ *sshexec.Conn }

func (c sshConn) Run(ctx context.Context, cmd fleet.Command) (int, error) {
	return c.Conn.Run(ctx, sshexec.Command(cmd))
}

// deploy pushes a commit with these words for the first host, and deploys it to all.
func (f *realFleet) deploy(ctx context.Context, sink func(fleet.Event), words ...string) (rev string, state fleet.State) {
	f.t.Helper()
	rev, err := f.Push(f.t.Context(), f.inv.Hosts[0].Name, words...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.o.Rev = rev
	plan, err := fleet.NewPlan(f.inv, f.inv.Hosts, f.o, "me@here")
	if err != nil {
		f.t.Fatal(err)
	}
	_, err = f.engine.Run(ctx, plan, func(ev fleet.Event) {
		state.Apply(ev)
		sink(ev)
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return rev, state
}

// expectWholeLog compares what was kept of a log with the host's own.
func (f *realFleet) expectWholeLog(run, host string) {
	f.t.Helper()
	record, err := f.engine.Records.Open(run)
	if err != nil {
		f.t.Fatal(err)
	}
	log, err := record.Log(host)
	if err != nil {
		f.t.Error(err)
		return
	}
	defer log.Close()
	kept, _ := io.ReadAll(log)
	own, err := os.ReadFile(filepath.Join(f.Root(host), "home", "mba", ".local", "state", "fleetctl", "jobs", run+"."+host, "log"))
	if err != nil || string(kept) != string(own) {
		f.t.Errorf("%s: kept %d bytes of a log of %d: %v", host, len(kept), len(own), err)
	}
}

func TestARealRunIsLeftAndAttachedTo(t *testing.T) {
	f := newRealFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1}, demo.Host{Name: "desk", Kind: "home", User: "mba", Wave: 1})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	rev, state := f.deploy(ctx, func(ev fleet.Event) {
		if ev.Host == "web" && ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
			leave()
		}
	}, "slow-build 2")
	if state.Settled() {
		t.Fatal("it was over before it was left")
	}
	record, err := f.engine.Records.Open(state.Run)
	if err != nil {
		t.Fatal(err)
	}
	var seen fleet.State
	summary, err := f.newEngine(f.engine.Records.Dir).Attach(t.Context(), record, f.inv, seen.Apply)
	if err != nil || summary.ExitCode != fleet.ExitOK {
		t.Errorf("%+v, %v", summary, err)
	}
	for _, h := range seen.Hosts {
		if h.Result.Outcome != fleet.Switched || h.Result.After != rev || h.Result.Before == "" || h.Result.Generation == 0 {
			t.Errorf("%s: %+v", h.Name, *h.Result)
		}
		f.expectWholeLog(state.Run, h.Name)
	}
}

func TestARealRunIsCancelled(t *testing.T) {
	f := newRealFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	cancelled := make(chan error, 1)
	_, state := f.deploy(t.Context(), func(ev fleet.Event) {
		if ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
			go func() {
				record, err := f.engine.Records.Open(ev.Run)
				if err == nil {
					err = f.newEngine(f.engine.Records.Dir).Cancel(t.Context(), record, f.inv, func(host, answer string) {
						if host != "web" || answer != "cancelled" {
							t.Errorf("%s answers %q", host, answer)
						}
					})
				}
				cancelled <- err
			}()
		}
	}, "slow-build 60")
	if err := <-cancelled; err != nil {
		t.Error(err)
	}
	if r := state.Host("web").Result; r.Outcome != fleet.Cancelled {
		t.Errorf("%+v", *r)
	}
	f.expectWholeLog(state.Run, "web")
}

func TestARealHostThatNobodyCanLogInToGoesBack(t *testing.T) {
	f := newRealFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	f.o.ConfirmTimeout = 2 * time.Second
	_, state := f.deploy(t.Context(), func(ev fleet.Event) {
		if ev.Type == fleet.StepStarted && ev.Step == fleet.Activate {
			f.shut.Store(true)
		}
	})
	if r := state.Host("web").Result; r.Outcome != fleet.RolledBack || r.Code != "unconfirmed" || r.After != r.Before {
		t.Errorf("%+v", *r)
	}

	f.shut.Store(false)
	rev, state := f.deploy(t.Context(), func(fleet.Event) {})
	if r := state.Host("web").Result; r.Outcome != fleet.Switched || r.After != rev || r.Confirmed != "operator" {
		t.Errorf("once the way is free: %+v", *r)
	}
	f.o = fleet.Options{Goal: fleet.GoalRollback}
	plan, err := fleet.NewPlan(f.inv, f.inv.Hosts, f.o, "me@here")
	if err != nil {
		t.Fatal(err)
	}
	var back fleet.State
	if _, err := f.engine.Run(t.Context(), plan, back.Apply); err != nil {
		t.Fatal(err)
	}
	if r := back.Host("web").Result; r.Outcome != fleet.Switched || r.Before != rev || r.After == rev {
		t.Errorf("rolled back: %+v", *r)
	}
}
