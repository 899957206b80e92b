package engine_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
	"github.com/markus-barta/nixfleet/internal/testrounds"
)

func TestRollbackReturnsToWhatRanBefore(t *testing.T) {
	// If a wave fails twice, the generation with the next lower number is the one that failed
	// first, not the one that ran before.
	kinds := map[string]bool{"nixos": true, "darwin": true, "home": true}
	for kind := range testrounds.Some(kinds, 1) {
		t.Run(kind, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: kind, User: "mba", Wave: 1})
			good, _ := f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0")
			// The check fails for every configuration, so the rollback must not depend on it.
			f.Inv.Host("web").Health = []inventory.Check{{What: "exit 1", Operator: true}}
			f.Inv.Host("web").Timeouts.Verify = time.Millisecond
			for _, words := range []string{"slow-build 0 bad", "slow-build 0 worse"} {
				f.Options.OnFailure = fleet.OnFailureRollback
				_, state := f.Deploy(t.Context(), func(fleet.Event) {}, words)
				if r := state.Host("web").Result; r.Outcome != fleet.RolledBack || r.After != good {
					t.Fatalf("%s: %+v, want revision %s", words, r, good)
				}
			}
		})
	}
}

func TestRollbackIgnoresSwitchCommand(t *testing.T) {
	for kind := range testrounds.Some(map[string]bool{"nixos": true, "home": true}, 1) {
		t.Run(kind, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: kind, User: "mba", Wave: 1})
			good, _ := f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0")
			f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0 again")
			f.Inv.Host("web").SwitchCommand = "true"
			state := f.Run(fleet.Options{Goal: fleet.GoalRollback})
			if r := state.Host("web").Result; r.Outcome != fleet.Switched || r.After != good {
				t.Errorf("%+v, want revision %s", r, good)
			}
		})
	}
}

func TestUnchangedSwitchCommandIsNotRolledBack(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0")
	f.Inv.Host("web").SwitchCommand = "true"
	f.Inv.Host("web").Health = []inventory.Check{{What: "exit 1"}}
	state := f.Run(fleet.Options{NoPull: true, OnFailure: fleet.OnFailureRollback})
	if r := state.Host("web").Result; r.Outcome != fleet.Degraded || r.Code != "health" || state.Rollback != "" {
		t.Errorf("%+v, rolled back by %q", r, state.Rollback)
	}
}

func TestUnbootableSystemIsReportedEachTime(t *testing.T) {
	// An unbootable system is typically one whose boot partition is full.
	for _, tt := range []struct {
		goal string
		want fleet.Outcome
	}{{fleet.GoalSwitch, fleet.Degraded}, {fleet.GoalBoot, fleet.Failed}} {
		t.Run(tt.goal, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
			f.Options.Goal = tt.goal
			for range testrounds.N(1, 2) {
				_, state := f.Deploy(t.Context(), func(fleet.Event) {}, "fail-boot")
				if r := state.Host("web").Result; r.Outcome != tt.want {
					t.Errorf("%+v, want %s", r, tt.want)
				}
				profile, _ := filepath.EvalSymlinks(f.Root("web") + "/nix/var/nix/profiles/system")
				if strings.Contains(profile, state.Host("web").Facts["built"]) {
					t.Error("the profile is the unbootable system")
				}
				state = f.Run(fleet.Options{Goal: tt.goal, NoPull: true})
				if r := state.Host("web").Result; r.Outcome != tt.want {
					t.Errorf("second deploy: %+v, want %s", r, tt.want)
				}
			}
		})
	}
}

func TestBootSkipsHealthChecks(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	f.Inv.Host("web").Health = []inventory.Check{{What: "exit 1"}}
	f.Options.Goal = fleet.GoalBoot
	_, state := f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0")
	if r := state.Host("web").Result; r.Outcome != fleet.RebootNeeded {
		t.Errorf("%+v", r)
	}
}

func TestRunTestsIgnoresBackgroundProcess(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	pid := filepath.Join(t.TempDir(), "pid")
	f.SetTests("web", "mba", map[string]string{"10-daemon.sh": "sleep 300 & echo $! >" + pid})
	t.Cleanup(func() { exec.Command("sh", "-c", "kill $(cat "+pid+")").Run() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	f.Client.RunTests(ctx, f.Inv.Hosts, func(got host.TestResults) {
		if got.Err != nil || len(got.Tests) != 1 || ctx.Err() != nil {
			t.Errorf("%+v, %v", got, ctx.Err())
		}
	})
}

func TestDeadJobIsSettledByProfile(t *testing.T) {
	// The host lost power, or the job was killed, before it wrote its result.
	for _, tt := range []struct {
		goal, want string
	}{{fleet.GoalBoot, "reboot-needed died confirm"}, {fleet.GoalSwitch, "degraded died confirm"}, {fleet.GoalTest, "degraded died confirm"}} {
		t.Run(tt.goal, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
			f.Options.Goal = tt.goal
			_, state := f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0")
			job := filepath.Join(f.Root("web"), "home/mba/.local/state/fleetctl/jobs", state.Run+".web")
			if err := os.WriteFile(filepath.Join(job, "pid"), []byte("1999999 another-boot\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(job, "result")); err != nil {
				t.Fatal(err)
			}
			conn, err := f.Dial(t.Context(), f.Inv.Host("web"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			script := remote.Attach("t", state.Run+".web", 0)
			if _, err := conn.Run(t.Context(), host.Command{Script: script.Text, Args: script.Args}); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(job, "result")); err != nil || string(got) != tt.want+"\n" {
				t.Errorf("%q, %v, want %s", got, err, tt.want)
			}
			nonce, err := os.ReadFile(filepath.Join(job, "nonce"))
			if err != nil {
				t.Fatal(err)
			}
			log, err := os.ReadFile(filepath.Join(job, "log"))
			if err != nil {
				t.Fatal(err)
			}
			var end remote.Item // the last one
			parser := remote.NewParser(strings.TrimSpace(string(nonce)), func(it remote.Item) { end = it })
			parser.Write(log)
			if got := fmt.Sprint(end.Word, " ", end.Code, " ", end.Step); end.Kind != remote.EndItem || got != tt.want || !strings.Contains(end.Text, "the new configuration") {
				t.Errorf("the log ends with %+v, want %s", end, tt.want)
			}
		})
	}
}

func TestRollbackOfBootRestoresProfile(t *testing.T) {
	// The configuration that was due at the next boot is due again, and nothing else is activated.
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "bad", Kind: "nixos", User: "mba", Wave: 1})
	at := func(link string) string {
		path, err := filepath.EvalSymlinks(filepath.Join(f.Root("web"), link))
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	const runs, next = "run/current-system", "nix/var/nix/profiles/system"
	f.Options.Goal = fleet.GoalBoot
	f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0")
	running, pending := at(runs), at(next)
	f.Inv.Host("bad").Attr = "nosuch"
	f.Options.OnFailure = fleet.OnFailureRollback
	_, state := f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0 again")
	if r := state.Host("web").Result; r.Outcome != fleet.RolledBack {
		t.Errorf("%+v", r)
	}
	if running == pending || at(runs) != running || at(next) != pending {
		t.Errorf("runs %s, next %s; before %s, %s", at(runs), at(next), running, pending)
	}
	if failed, err := f.Engine.Records.Failed(f.Inv.Name); err != nil || len(failed) != 2 {
		t.Errorf("failed hosts: %q, %v", failed, err)
	}
}

func TestFailedRootHalfLeavesNothingBehind(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	root := f.Root("web")
	if err := os.MkdirAll(filepath.Join(root, "run/systemd/system"), 0o755); err != nil {
		t.Fatal(err)
	}
	systemdRun := filepath.Join(root, "nix/var/nix/profiles/default/bin/systemd-run")
	if err := os.WriteFile(systemdRun, []byte("#!/bin/sh\necho no bus >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, state := f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0")
	if r := state.Host("web").Result; r.Outcome != fleet.Failed || !strings.Contains(r.Reason, "no bus") {
		t.Errorf("%+v", r)
	}
	for _, of := range []string{"run/fleetctl", "home/mba/.local/state/fleetctl"} {
		for _, what := range []string{"lock", "jobs/*"} {
			if left, _ := filepath.Glob(filepath.Join(root, of, what)); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		}
	}
}
