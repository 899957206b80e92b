package engine

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// outcomes returns the outcomes of all hosts, in the run's order.
func (fx *fixture) outcomes() string {
	var all []string
	for _, h := range fx.state().Hosts {
		outcome := "unfinished"
		if h.Result != nil {
			outcome = string(h.Result.Outcome)
		}
		all = append(all, h.Name+" "+outcome)
	}
	return strings.Join(all, ", ")
}

func share(text string) (s fleet.Share) {
	if err := s.Set(text); err != nil {
		panic(err)
	}
	return s
}

// policyOf returns the policy of a run of hosts given as NAME:WAVE.
func policyOf(start fleet.Start, hosts ...string) *policy {
	for _, text := range hosts {
		name, wave, _ := strings.Cut(text, ":")
		number, err := strconv.Atoi(wave)
		if err != nil {
			panic(err)
		}
		start.Hosts = append(start.Hosts, fleet.PlannedHost{Name: name, Wave: number})
	}
	return newPolicy(&start)
}

// expectHalted fails the test unless the policy has halted the run for this reason in this wave. ""
// means that the run continues.
func (p *policy) expectHalted(t *testing.T, reason string, wave int) {
	t.Helper()
	halted := false
	select {
	case <-p.halted:
		halted = true
	default:
	}
	if p.reason() != reason || p.failedWave() != wave || halted != (reason != "") {
		t.Errorf("halted %v in wave %d because %q, want wave %d because %q", halted, p.failedWave(), p.reason(), wave, reason)
	}
}

func TestPolicyJudgesFailures(t *testing.T) {
	eight := []string{"canary:0", "a1:1", "a2:1", "a3:1", "a4:1", "b1:2", "b2:2", "c1:3"}
	for _, tt := range []struct {
		name    string
		start   fleet.Start
		failing string // hosts in the order in which they fail
		ended   []int  // waves that end afterwards
		reason  string
		wave    int
	}{
		{"no failure", fleet.Start{}, "", []int{0, 1, 2, 3}, "", 0},
		{"wave has not ended", fleet.Start{}, "a1", nil, "", 0},
		{"other wave ends", fleet.Start{}, "b1", []int{0, 1}, "", 0},
		{"wave fails", fleet.Start{}, "b1", []int{1, 2}, "wave 2 failed: b1", 2},
		{"hosts in the order of the plan", fleet.Start{}, "a3 a1 a2", []int{1}, "wave 1 failed: a1, a2, a3", 1},
		{"first failed wave is the reason", fleet.Start{}, "b1 a1", []int{1, 2}, "wave 1 failed: a1", 1},
		{"canary fails", fleet.Start{}, "canary", []int{0}, "the canary failed: canary", 0},

		{"continue", fleet.Start{OnFailure: fleet.OnFailureContinue}, "canary a1 b1", []int{0, 1, 2}, "", 0},
		{"continue within the limit of the run", fleet.Start{OnFailure: fleet.OnFailureContinue, MaxFailures: new(1)}, "a1", []int{1}, "", 0},
		{"continue over the limit of the run", fleet.Start{OnFailure: fleet.OnFailureContinue, MaxFailures: new(1)}, "a1 b1", nil,
			"2 of at most 1 failures: a1, b1", 2},
		{"continue over the limit of a wave", fleet.Start{OnFailure: fleet.OnFailureContinue, MaxWaveFailures: "1"}, "a1 a2", nil,
			"wave 1 failed with 2 of at most 1 failures: a1, a2", 1},
		{"rollback", fleet.Start{OnFailure: fleet.OnFailureRollback}, "a1", []int{1}, "wave 1 failed: a1", 1},

		{"within the limit of the run", fleet.Start{MaxFailures: new(2)}, "a1 b1", []int{1, 2, 3}, "", 0},
		{"over the limit of the run", fleet.Start{MaxFailures: new(2)}, "a2 b1 a1", nil, "3 of at most 2 failures: a2, b1, a1", 1},
		{"no failure allowed in the run", fleet.Start{MaxFailures: new(0)}, "c1", nil, "1 of at most 0 failures: c1", 3},
		{"canary fails within the limit of the run", fleet.Start{MaxFailures: new(2)}, "canary", []int{0}, "the canary failed: canary", 0},

		{"within the limit of each wave", fleet.Start{MaxWaveFailures: "1"}, "a1 b1 c1", []int{1, 2, 3}, "", 0},
		{"over the limit of a wave", fleet.Start{MaxWaveFailures: "1"}, "a1 b2 b1", nil, "wave 2 failed with 2 of at most 1 failures: b1, b2", 2},
		{"no failure allowed in a wave", fleet.Start{MaxWaveFailures: "0"}, "a1", nil, "wave 1 failed: a1", 1},
		{"percentage of each wave", fleet.Start{MaxWaveFailures: "50%"}, "a1 a2 b1", []int{1, 2}, "", 0},
		{"over the percentage of a wave", fleet.Start{MaxWaveFailures: "50%"}, "a4 a2 a1", nil, "wave 1 failed with 3 of at most 2 failures: a1, a2, a4", 1},
		{"percentage below one host", fleet.Start{MaxWaveFailures: "50%"}, "c1", nil, "wave 3 failed: c1", 3},
		{"canary has no limit of its own", fleet.Start{MaxWaveFailures: "1"}, "canary", nil, "the canary failed: canary", 0},
		{"limit of a newer version", fleet.Start{MaxWaveFailures: "most"}, "a1", []int{1}, "wave 1 failed: a1", 1},
		{"limit of a newer version, before the wave ends", fleet.Start{MaxWaveFailures: "most"}, "a1", nil, "", 0},

		{"within both limits", fleet.Start{MaxFailures: new(2), MaxWaveFailures: "1"}, "a1 b1", []int{1, 2}, "", 0},
		{"over the limit of the run only", fleet.Start{MaxFailures: new(1), MaxWaveFailures: "1"}, "a1 b1", nil, "2 of at most 1 failures: a1, b1", 2},
		{"over the limit of a wave only", fleet.Start{MaxFailures: new(2), MaxWaveFailures: "1"}, "a1 a2", nil,
			"wave 1 failed with 2 of at most 1 failures: a1, a2", 1},
		{"over both limits", fleet.Start{MaxFailures: new(1), MaxWaveFailures: "1"}, "a1 a2", nil, "2 of at most 1 failures: a1, a2", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := policyOf(tt.start, eight...)
			for _, host := range strings.Fields(tt.failing) {
				p.count(host, fleet.Failed)
			}
			for _, wave := range tt.ended {
				p.endWave(wave)
			}
			p.expectHalted(t, tt.reason, tt.wave)
		})
	}
}

func TestPolicyCountsFailuresOnly(t *testing.T) {
	for _, o := range fleet.Outcomes {
		p := policyOf(fleet.Start{}, "a:1")
		p.count("a", o)
		p.endWave(1)
		switch o {
		case fleet.Degraded, fleet.RolledBack, fleet.Failed, fleet.Cancelled, fleet.Unknown:
			p.expectHalted(t, "wave 1 failed: a", 1)
		default:
			p.expectHalted(t, "", 0)
		}
	}
}

func TestPolicyKeepsFirstReason(t *testing.T) {
	p := policyOf(fleet.Start{MaxFailures: new(0)}, "a:1", "b:2")
	p.count("b", fleet.Failed)
	p.count("a", fleet.Failed)
	p.endWave(fleet.CanaryWave)
	p.halt("wave 1 failed", 1)
	p.expectHalted(t, "1 of at most 0 failures: b", 2)
}

func TestPolicyHaltsOnRequest(t *testing.T) {
	p := policyOf(fleet.Start{}, "a:1", "b:2")
	p.expectHalted(t, "", 0)
	p.halt("wave 2 failed", 2)
	p.expectHalted(t, "wave 2 failed", 2)
}

func TestPolicyCountsHostOutsideThePlan(t *testing.T) {
	p := policyOf(fleet.Start{MaxFailures: new(0)}, "a:1")
	p.count("removed", fleet.Failed)
	p.expectHalted(t, "1 of at most 0 failures: removed", 0)
}

func TestPolicyNamesAtMostTenHosts(t *testing.T) {
	var hosts []string
	for i := range 12 {
		hosts = append(hosts, fmt.Sprint("h", i))
	}
	const ten = "h0, h1, h2, h3, h4, h5, h6, h7, h8, h9"
	for n, want := range map[int]string{0: "", 1: "h0", 10: ten, 11: ten + " and 1 more", 12: ten + " and 2 more"} {
		if got := someOf(hosts[:n]); got != want {
			t.Errorf("%d hosts: %q, want %q", n, got, want)
		}
	}
}

// eightHosts returns a fixture with eight hosts in three waves, on some of which the build fails.
func eightHosts(t *testing.T, failing string) *fixture {
	fx := newFixture(t, "a1", "a2", "b1", "b2", "b3", "c1", "c2", "c3")
	for _, h := range fx.inv.Hosts {
		h.Wave = int(h.Name[0]-'a') + 1
		if strings.Contains(failing, h.Name) {
			fx.hosts[h.Name].log = failLog("build", "build", "x")
		}
	}
	return fx
}

func TestFailureBudgets(t *testing.T) {
	for _, tt := range []struct {
		name    string
		failing string
		o       fleet.Options
		started string
		reason  string
	}{
		{"canary fails", "a1", fleet.Options{Canary: share("1"), MaxFailures: share("1")}, "a1", "the canary failed: a1"},
		{"within the budget", "b1", fleet.Options{Canary: share("1"), MaxFailures: share("1")}, "a1 a2 b1 b2 b3 c1 c2 c3", ""},
		{"over the budget", "b1 b2", fleet.Options{Canary: share("1"), MaxFailures: share("1"), Parallel: 1},
			"a1 a2 b1 b2", "2 of at most 1 failures: b1, b2"},
		{"over the budget of the run, across waves", "a1 b1", fleet.Options{MaxFailures: share("20%"), Parallel: 1},
			"a1 a2 b1", "2 of at most 1 failures: a1, b1"},
		{"no budget", "b1", fleet.Options{MaxFailures: share("0"), Parallel: 1}, "a1 a2 b1", "1 of at most 0 failures: b1"},
		{"wave fails", "b1", fleet.Options{Parallel: 1}, "a1 a2 b1 b2 b3", "wave 2 failed: b1"},
		{"continue", "a1 b1 c1", fleet.Options{OnFailure: fleet.OnFailureContinue}, "a1 a2 b1 b2 b3 c1 c2 c3", ""},
		{"within the budget of each wave", "a1 b1 c1", fleet.Options{MaxWaveFailures: share("50%")}, "a1 a2 b1 b2 b3 c1 c2 c3", ""},
		{"over the budget of a wave", "a1 b1 b2", fleet.Options{MaxWaveFailures: share("1"), Parallel: 1},
			"a1 a2 b1 b2", "wave 2 failed with 2 of at most 1 failures: b1, b2"},
		{"percentage below one host", "a1", fleet.Options{MaxWaveFailures: share("10%")}, "a1 a2", "wave 1 failed: a1"},
		{"budgets of wave and run", "a1 b1", fleet.Options{MaxWaveFailures: share("1"), MaxFailures: share("1"), Parallel: 1},
			"a1 a2 b1", "2 of at most 1 failures: a1, b1"},
		{"canary has no budget", "a1", fleet.Options{Canary: share("1"), MaxWaveFailures: share("1")}, "a1", "the canary failed: a1"},
		{"continue within the budget", "a1 b1", fleet.Options{OnFailure: fleet.OnFailureContinue, MaxFailures: share("1"), Parallel: 1},
			"a1 a2 b1", "2 of at most 1 failures: a1, b1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := eightHosts(t, tt.failing)
				fx.expectExit(fx.run(tt.o), fleet.ExitFailed)
				var started []string
				for _, h := range fx.state().Hosts {
					if fx.hosts[h.Name].logins > 0 {
						started = append(started, h.Name)
					} else if h.Result.Outcome != fleet.Skipped || h.Result.Code != "wave" || h.Result.Reason != tt.reason {
						t.Errorf("%s: %+v", h.Name, h.Result)
					}
				}
				if got := strings.Join(started, " "); got != tt.started {
					t.Errorf("started %s, want %s", got, tt.started)
				}
			})
		})
	}
}

func TestNextWaveStartsAfterSoak(t *testing.T) {
	for _, tt := range []struct {
		name   string
		breaks bool
		o      fleet.Options
		want   string
	}{
		{"no failure", false, fleet.Options{}, "a switched, b switched"},
		{"service fails", true, fleet.Options{}, "a degraded, b skipped"},
		{"service fails, continue", true, fleet.Options{OnFailure: fleet.OnFailureContinue}, "a degraded, b switched"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "a", "b")
				fx.host("b").Wave = 2
				fx.host("a").Health = []inventory.Check{{What: "tcp://127.0.0.1:53"}}
				started := time.Now()
				fx.hosts["a"].dialTCP = func() error {
					return errorIf(tt.breaks && time.Since(started) > 5*time.Minute, errors.New("refused"))
				}
				tt.o.Soak = 10 * time.Minute
				summary := fx.run(tt.o)
				if got := fx.outcomes(); got != tt.want || (summary.ExitCode == fleet.ExitOK) == tt.breaks {
					t.Errorf("got %s, exit code %d, want %s", got, summary.ExitCode, tt.want)
				}
				if since := fx.state().Host("b").Began.Sub(started); since < 10*time.Minute {
					t.Errorf("b started after %v", since)
				}
				if tt.breaks != strings.Contains(fx.lines("a"), `after the soak, health check "tcp://127.0.0.1:53" failed`) {
					t.Errorf("lines: %s", fx.lines("a"))
				}
			})
		})
	}
}

func TestBuildFirstActivatesAfterAllBuilds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "fast", "slow", "broken", "last")
		fx.host("last").Wave = 2
		for name, h := range fx.hosts {
			h.log = confirmLog(time.Minute)
			if name == "slow" {
				h.log[4].pause = time.Hour
				fx.host(name).Timeouts.Build = 2 * time.Hour
			}
		}
		fx.hosts["broken"].log = failLog("pull", "dirty", "x")
		built, activated := 0, 0
		fx.runWith(t.Context(), fleet.Options{BuildFirst: true, Parallel: 1, MaxFailures: share("1")}, func(ev fleet.Event) {
			if ev.Type == fleet.StepFinished && ev.Step == fleet.Build {
				built++
			}
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Activate {
				activated++
				if built != 3 {
					t.Errorf("%s activates after %d builds", ev.Host, built)
				}
				if ev.Host == "last" && activated != 3 {
					t.Errorf("wave 2 activates after %d activations", activated)
				}
			}
		})
		if got := fx.outcomes(); got != "fast switched, slow switched, broken failed, last switched" {
			t.Errorf("got %s", got)
		}
	})
}

func TestBuildFirstCancelsHostsOfLaterWaves(t *testing.T) {
	for _, tt := range []struct {
		name string
		stop func(fx *fixture, ev fleet.Event)
		code string
	}{
		{"earlier wave fails", func(*fixture, fleet.Event) {}, "wave"},
		{"operator stops", func(fx *fixture, ev fleet.Event) {
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Activate {
				fx.engine.Stop()
			}
		}, "interrupted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "a", "b")
				fx.host("b").Wave = 2
				for _, h := range fx.hosts {
					h.log = confirmLog(time.Minute)
				}
				if tt.code == "wave" {
					fx.hosts["a"].log[len(fx.hosts["a"].log)-1].text = "NONCE end degraded units verify x\n"
				}
				fx.runWith(t.Context(), fleet.Options{BuildFirst: true}, func(ev fleet.Event) { tt.stop(fx, ev) })
				fx.expect("b", fleet.Skipped, fleet.Code(tt.code))
				if log := fx.hosts["b"].job(fx.record().Run + ".b").all(); strings.Contains(log, "activate") || !strings.Contains(log, "end cancelled") {
					t.Errorf("the job of b:\n%s", log)
				}
			})
		})
	}
}

func TestAttachKeepsBuildFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "slow", "b")
		fx.host("b").Wave = 2
		for _, h := range fx.hosts {
			h.log = confirmLog(time.Minute)
		}
		fx.hosts["slow"].log[4].pause = 30 * time.Minute
		fx.abandonAt(fleet.Options{BuildFirst: true}, func(ev fleet.Event) bool { return ev.Key == "awaiting" })
		fx.attach()
		if got := fx.outcomes(); got != "a switched, slow switched, b switched" {
			t.Errorf("got %s", got)
		}
		slow := false
		for _, ev := range fx.events {
			slow = slow || ev.Type == fleet.StepFinished && ev.Step == fleet.Build && ev.Host == "slow"
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Activate && !slow {
				t.Errorf("%s activates before slow has built", ev.Host)
			}
		}
	})
}

func TestAttachContinuesSoak(t *testing.T) {
	for _, tt := range []struct {
		name   string
		breaks bool
		away   time.Duration // between the two processes
		want   string
		least  time.Duration // from the end of the first wave to the activation of the next
	}{
		{"rest of the soak", false, 4 * time.Minute, "a switched, b switched", 10 * time.Minute},
		{"checks after the soak", true, time.Hour, "a degraded, b skipped", 0},
		{"service fails in the rest of the soak", true, 4 * time.Minute, "a degraded, b skipped", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "a", "b")
				fx.host("b").Wave = 2
				fx.host("a").Health = []inventory.Check{{What: "tcp://127.0.0.1:53"}}
				for _, h := range fx.hosts {
					h.log = confirmLog(time.Minute)
				}
				var finished time.Time
				fx.hosts["a"].dialTCP = func() error {
					return errorIf(tt.breaks && !finished.IsZero() && time.Since(finished) > 5*time.Minute, errors.New("refused"))
				}
				fx.abandonAt(fleet.Options{BuildFirst: true, Soak: 10 * time.Minute}, func(ev fleet.Event) bool {
					if ev.Type == fleet.HostFinished && ev.Host == "a" {
						finished = time.Now()
					}
					return strings.Contains(ev.Line, "soaks")
				})
				time.Sleep(tt.away)
				fx.attach()
				if got := fx.outcomes(); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				for _, ev := range fx.events {
					if ev.Type == fleet.StepStarted && ev.Step == fleet.Activate && ev.Host == "b" {
						if waited := ev.Time.Sub(finished); waited < tt.least || waited > tt.least+time.Minute {
							t.Errorf("b activates %v after a finished", waited)
						}
					}
				}
			})
		})
	}
}

func TestSoakIgnoresClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b")
		fx.host("b").Wave = 2
		for _, h := range fx.hosts {
			h.log = confirmLog(time.Minute)
		}
		fx.engine.Now = func() time.Time { return time.Now().Add(5 * time.Hour) }
		fx.abandonAt(fleet.Options{BuildFirst: true, Soak: 10 * time.Minute}, func(ev fleet.Event) bool {
			return strings.Contains(ev.Line, "soaks")
		})
		abandoned := time.Now()
		fx.attach()
		fx.expect("b", fleet.Switched, "")
		if took := time.Since(abandoned); took > 11*time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

func TestSoakChecksOnlySuccessfulHosts(t *testing.T) {
	for _, o := range []fleet.Options{{MaxWaveFailures: share("1")}, {MaxFailures: share("1")}} {
		synctest.Test(t, func(t *testing.T) {
			fx := newFixture(t, "a", "b", "next")
			fx.host("next").Wave = 2
			fx.host("a").Health = []inventory.Check{{What: "tcp://127.0.0.1:53"}}
			fx.hosts["a"].dialTCP = func() error { return errors.New("refused") }
			o.Soak = time.Minute
			fx.run(o)
			if got := fx.outcomes(); got != "a degraded, b switched, next switched" {
				t.Errorf("got %s", got)
			}
		})
	}
}
