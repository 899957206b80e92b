//go:build lab

package main_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

// How often what depends on the moment is tried; more often by hand:
//
//	go test -tags lab -run 'LabKills|LabTwo' -timeout 60m -v . -kills 200 -races 50
var (
	kills = flag.Int("kills", 10, "kill something at `N` random moments of a deploy")
	races = flag.Int("races", 3, "let two operators deploy at once `N` times")
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random moments")
)

// forget makes a machine one that was never deployed.
func forget(t *testing.T, host string) {
	t.Helper()
	on(t, host, "sudo rm -rf /run/current-system /run/booted-system /nix/var/nix/profiles/system /nix/var/nix/profiles/system-*-link")
}

func TestLabAFirstDeployThatCutsSSHIsUndone(t *testing.T) {
	forget(t, "m2")
	push(t, "m2", "cut-ssh")
	r := fleetctl(t, "deploy", "m2", "--confirm-timeout", "10s")
	r.exits(t, 1)
	r.wants(t, "m2", fleet.RolledBack, "silent") // no session was left to say that somebody is there
	if left := on(t, "m2", "ls -d /run/current-system /nix/var/nix/profiles/system 2>/dev/null; true"); left != "" {
		t.Errorf("it has %s", left)
	}
	settled(t, "m2")
	healthy(t, "m2")
}

func TestLabANetworkCutDuringTheActivationIsDecidedByTheHost(t *testing.T) {
	before := healthy(t, "m1")
	push(t, "m1", "slow-switch 4")
	defer must(t, "heal", "m1")
	run := abandon(t, fleet.StepStarted, fleet.Activate, "deploy", "m1", "--confirm-timeout", "5s")
	must(t, "cut", "m1")
	time.Sleep(45 * time.Second) // the activation, the time to confirm, and what the host tries by itself
	must(t, "heal", "m1")
	r := fleetctl(t, "attach", run)
	r.exits(t, 1)
	r.wants(t, "m1", fleet.RolledBack, "silent") // its configuration's remote was out of reach
	if after := systemOf(t, "m1"); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	settled(t, "m1")
}

func TestLabAJobThatWasLeftDuringItsBuildWaits(t *testing.T) {
	before := healthy(t, "m1")
	push(t, "m1", "slow-build 2")
	run := abandon(t, fleet.StepStarted, fleet.Build, "deploy", "m1")
	time.Sleep(6 * time.Second)
	if now := systemOf(t, "m1"); now != before {
		t.Errorf("it was activated with nobody there: %s", now)
	}
	r := fleetctl(t, "attach", run)
	r.exits(t, 0)
	if result := r.wants(t, "m1", fleet.Switched, ""); result.Confirmed != "operator" {
		t.Errorf("it was confirmed by %q", result.Confirmed)
	}
	settled(t, "m1")
}

// eight is an inventory of eight machines, in the waves that are given.
func eight(t *testing.T, waves ...[]string) string {
	t.Helper()
	must(t, "up", "8")
	text, err := os.ReadFile(filepath.Join(lab.dir, "operator/hosts.toml"))
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(text), "[hosts.")
	for n, hosts := range waves {
		for _, host := range hosts {
			head += fmt.Sprintf("[hosts.%s]\nkind = \"nixos\"\nwave = %d\n\n", host, n+1)
		}
	}
	path := filepath.Join(t.TempDir(), "hosts.toml")
	if err := os.WriteFile(path, []byte(head), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLabWavesStopAtTheBudget(t *testing.T) {
	inventory := eight(t, []string{"m1", "m2", "m4"}, []string{"m3", "m5", "m6"}, []string{"m7", "m8"})
	fleetctl(t, "--inventory", inventory, "deploy", "--all").exits(t, 0)
	hosts := []string{"m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"}
	before := map[string]string{}
	for _, host := range hosts {
		before[host] = systemOf(t, host)
	}
	push(t, "m2", "fail-switch 2")
	push(t, "m5", "fail-switch 2")
	defer push(t, "m2", "")
	defer push(t, "m5", "")
	r := fleetctl(t, "--inventory", inventory, "deploy", "--all", "--canary", "1", "--max-failures", "1", "--parallel", "1")
	r.exits(t, 1)
	for host, want := range map[string]fleet.Outcome{
		"m1": fleet.Switched, "m2": fleet.RolledBack, "m3": fleet.Switched, "m4": fleet.Switched, "m5": fleet.RolledBack,
		"m6": fleet.Skipped, "m7": fleet.Skipped, "m8": fleet.Skipped,
	} {
		if result := r.results[host]; result == nil || result.Outcome != want {
			t.Errorf("%s ended as %+v, want %s", host, result, want)
		}
		if same := systemOf(t, host) == before[host]; same != (want != fleet.Switched) {
			t.Errorf("%s, which is %s, runs what it ran: %v", host, want, same)
		}
	}
}

func TestLabTwoOperatorsNeverActivateOneHost(t *testing.T) {
	inventory := eight(t, []string{"m1", "m2", "m4", "m5"})
	hosts := []string{"m1", "m2", "m4", "m5"}
	for _, host := range hosts {
		push(t, host, "slow-switch 1")
	}
	defer func() {
		for _, host := range hosts {
			push(t, host, "")
		}
	}()
	for race := range *races {
		push(t, "m1", "slow-switch 1")
		var reports [2]report
		var wait sync.WaitGroup
		for n := range reports {
			wait.Go(func() {
				state := filepath.Join(lab.dir, "operator", fmt.Sprintf("state%d", n))
				time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
				reports[n] = ends(t, command("op", "env", "XDG_STATE_HOME="+state, fmt.Sprintf("USER=op%d", n), lab.fleetctl, "--inventory", inventory,
					"deploy", "--all", "--output", "json"))
			})
		}
		wait.Wait()
		for _, host := range hosts {
			activated := 0
			for n, r := range reports {
				result := r.results[host]
				if result == nil {
					t.Fatalf("race %d: operator %d has no result for %s\n%s", race, n, host, r.stderr)
				}
				switch other := fmt.Sprintf("op%d@", 1-n); {
				case result.Outcome == fleet.Switched:
					activated++
				case result.Outcome == fleet.Unchanged: // the other had ended before
				case result.Code != "locked" && result.Code != "busy":
					t.Errorf("race %d: operator %d, %s: %+v", race, n, host, result)
				case result.Code == "locked" && !strings.Contains(result.Reason, other):
					t.Errorf("race %d: operator %d is not told of %s: %s", race, n, other, result.Reason)
				}
			}
			if activated != 1 {
				t.Errorf("race %d: %s was activated by %d", race, host, activated)
			}
			settled(t, host)
		}
	}
}

// scene is one deploy in which something is killed.
type scene struct {
	host, victim string
	after        time.Duration
}

func TestLabKillsAtRandomMoments(t *testing.T) {
	t.Logf("-seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 0))
	for _, host := range []string{"m1", "m2", "m3"} {
		healthy(t, host)
	}
	tally := map[string]int{}
	for n := range *kills {
		s := scene{victim: []string{"operator", "job", "root", "both"}[random.IntN(4)], after: time.Duration(random.IntN(4500)) * time.Millisecond}
		if n%10 == 9 {
			s.victim = "host"
		}
		s.host = []string{"m1", "m2", "m3"}[random.IntN(3)]
		if s.victim == "root" || s.victim == "both" {
			s.host = []string{"m1", "m2"}[random.IntN(2)] // a home has no root half
		}
		tally[s.victim+" "+s.play(t)]++
		if t.Failed() {
			t.Fatalf("kill %d: %+v", n, s)
		}
	}
	var lines []string
	for what, n := range tally {
		lines = append(lines, fmt.Sprintf("%3d %s", n, what))
	}
	slices.Sort(lines)
	t.Logf("victim and outcome:\n%s", strings.Join(lines, "\n"))
}

func (s scene) play(t *testing.T) (outcome string) {
	before := s.runs(t)
	push(t, s.host, "slow-build 1 slow-switch 1")
	cmd := operator("deploy", s.host, "--confirm-timeout", "5s", "--output", "json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	var reading sync.WaitGroup
	run, built := "", ""
	reading.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e fleet.Event
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				run = e.Run
			}
		}
	})
	time.Sleep(s.after)
	switch s.victim {
	case "operator":
		_ = cmd.Process.Kill()
	case "job":
		_ = command("on", s.host, "sudo pkill -KILL -f '[j]ob\\.sh'").Run() // there may be none yet, or any more
	case "root":
		_ = command("on", s.host, "sudo pkill -KILL -f '[r]oot\\.sh'").Run()
	case "both":
		_ = command("on", s.host, "sudo pkill -KILL -f '[jr]o[bo]t*\\.sh'").Run()
	case "host":
		must(t, "kill", s.host)
		must(t, "boot", s.host)
	}
	reading.Wait()
	_ = cmd.Wait()
	if run == "" {
		return "nothing begun"
	}

	r := fleetctl(t, "attach", run)
	result := r.results[s.host]
	if result == nil {
		t.Errorf("no result: %s", r.stderr)
		return "none"
	}
	settled(t, s.host)
	comesTo(t, s.host, "", `sudo ls /var/run/fleetctl/jobs 2>/dev/null; ls .local/state/fleetctl/jobs/*/*.new 2>/dev/null; pgrep -af '^nix .*build|[m]ake\.sh'; true`)
	built = r.facts[s.host]["built"]
	now := s.runs(t)
	switch result.Outcome {
	case fleet.Switched, fleet.Degraded:
		if now != built {
			t.Errorf("%+v, but it runs %s, not %s", result, now, built)
		}
	case fleet.Failed, fleet.RolledBack, fleet.Cancelled, fleet.Unreachable, fleet.Skipped:
		if now != before {
			t.Errorf("%+v, but it runs %s, not %s", result, now, before)
		}
	default:
		t.Errorf("%+v", result)
	}
	if said := statusOf(t, s.host); said != now {
		t.Errorf("status says %s, it runs %s", said, now)
	}
	return string(result.Outcome) + " " + string(result.Code)
}

// runs is what the host runs, wholly: what is current is what the profile says.
func (s scene) runs(t *testing.T) string {
	t.Helper()
	if s.host == "m3" {
		return on(t, s.host, "readlink -f .local/state/nix/profiles/home-manager")
	}
	now := strings.Fields(systemOf(t, s.host))
	if len(now) != 2 || now[0] != now[1] {
		t.Errorf("what runs and what the next boot starts differ: %v", now)
		return strings.Join(now, " ")
	}
	return now[0]
}

// statusOf is what fleetctl status says that a host runs.
func statusOf(t *testing.T, host string) string {
	t.Helper()
	out, err := operator("status", host, "--output", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var status struct {
		Health struct {
			System struct {
				Deployed string `json:"deployed"`
			} `json:"system"`
		} `json:"health"`
	}
	if err := json.Unmarshal(out, &status); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return status.Health.System.Deployed
}
