package engine

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func TestHostsOfOneMachineTakeTurns(t *testing.T) {
	for name, tt := range map[string]struct {
		options fleet.Options
		set     func(fx *fixture)
		want    map[string]fleet.Outcome // others switch
	}{
		"all at once":        {},
		"one slot":           {options: fleet.Options{Parallel: 1}},
		"build first":        {options: fleet.Options{BuildFirst: true}},
		"one slot for gates": {options: fleet.Options{BuildFirst: true, Parallel: 1}},
		"waves":              {set: func(fx *fixture) { fx.host("system").Wave = 2 }},
		"waves that build first": {options: fleet.Options{BuildFirst: true, Parallel: 1}, set: func(fx *fixture) {
			fx.host("home2").Wave = 2
		}},
		"a failure": {set: func(fx *fixture) { fx.hosts["system"].log = failLog("build", "build", "x") },
			want: map[string]fleet.Outcome{"system": fleet.Failed}},
		"a failure that stops the run": {options: fleet.Options{MaxFailures: share("0")}, set: func(fx *fixture) {
			fx.hosts["system"].log = failLog("build", "build", "x")
		}, want: map[string]fleet.Outcome{"system": fleet.Failed, "home": fleet.Skipped, "home2": fleet.Skipped}},
		"a machine that comes online late": {options: fleet.Options{WaitOnline: time.Hour, Parallel: 1}, set: func(fx *fixture) {
			for _, host := range []string{"system", "home", "home2"} {
				start := time.Now()
				fx.hosts[host].onDial = func(int) error {
					if time.Since(start) < 10*time.Minute {
						return fakeRefusal{"no answer", true}
					}
					return nil
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "system", "home", "other", "home2")
				for _, host := range []string{"system", "home", "home2"} {
					fx.host(host).Address = "10.0.0.1"
				}
				if tt.options.BuildFirst {
					for _, h := range fx.hosts {
						h.log = confirmLog(time.Minute)
					}
				}
				if tt.set != nil {
					tt.set(fx)
				}
				fx.run(tt.options)
				busy := ""
				for _, ev := range fx.events {
					switch {
					case ev.Host == "other" || ev.Host == "":
					case ev.Type == fleet.StepStarted && ev.Step == fleet.Connect && busy != "":
						t.Errorf("%s started while %s was running", ev.Host, busy)
					case ev.Type == fleet.StepStarted && ev.Step == fleet.Connect:
						busy = ev.Host
					case ev.Type == fleet.HostFinished && ev.Host == busy:
						busy = ""
					}
				}
				for _, host := range []string{"system", "home", "other", "home2"} {
					want := tt.want[host]
					if want == "" {
						want = fleet.Switched
					}
					if got := fx.result(host).Outcome; got != want && !(host == "other" && tt.want != nil) {
						t.Errorf("%s: %s, want %s", host, got, want)
					}
				}
			})
		})
	}
}

func TestPortsAreMachinesOfTheirOwn(t *testing.T) {
	a := &inventory.Host{Name: "a", Address: "Gate.example.org.", Port: 2201}
	b := &inventory.Host{Name: "b", Address: "gate.example.org", Port: 2202}
	c := &inventory.Host{Name: "gate.example.org", Port: 2201}
	if a.Machine() == b.Machine() || a.Machine() != c.Machine() {
		t.Errorf("%q, %q, %q", a.Machine(), b.Machine(), c.Machine())
	}
}

// TestHostLockedByItsOwnRunWaits has two hosts that are one machine, which only the machine knows.
func TestHostLockedByItsOwnRunWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		options fleet.Options
		stop    bool
		want    fleet.Outcome
	}{
		"until the other job ends": {want: fleet.Switched},
		"build first":              {options: fleet.Options{BuildFirst: true, Parallel: 1}, want: fleet.Switched},
		"until the run stops":      {stop: true, want: fleet.Skipped},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "system", "home")
				system := fx.hosts["system"]
				if tt.options.BuildFirst {
					for _, h := range fx.hosts {
						h.log = confirmLog(time.Minute)
					}
				}
				fx.hosts["home"].reply = func(verb string, args arguments) string {
					job := system.job(strings.TrimSuffix(args["id"], "home") + "system")
					if verb != "launch" || job != nil && job.isOver() {
						return ""
					}
					return "refused locked job=" + strings.TrimSuffix(args["id"], "home") + "system who=me@here"
				}
				if tt.stop {
					system.log[1].pause = time.Hour
				}
				fx.runWith(t.Context(), tt.options, func(ev fleet.Event) {
					if tt.stop && ev.Type == fleet.LogLine && strings.HasPrefix(ev.Line, "waits for") {
						fx.engine.Stop()
					}
				})
				fx.expect("home", tt.want, fx.result("home").Code)
				if want := "waits for system, which is on the same machine"; strings.Count(fx.lines("home"), want) != 1 {
					t.Errorf("lines of home:\n%s", fx.lines("home"))
				}
			})
		})
	}
}

func (j *fakeJob) isOver() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.over
}
