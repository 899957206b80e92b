//go:build lab

package lab_test

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

// The number of rounds of tests that depend on timing. To run more of them:
//
//	go test -tags lab ./internal/lab -run 'RandomKills|TwoOperators' -timeout 60m -v -kills 200 -races 50
var (
	kills = flag.Int("kills", 10, "kill a process or a host at a random moment of a deploy, `N` times")
	races = flag.Int("races", 3, "let two operators deploy at the same time, `N` times")
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the random moments")
)

// removeGenerations makes a machine look as if it had never been deployed.
func removeGenerations(t *testing.T, host string) {
	t.Helper()
	onHost(t, host, "sudo rm -rf /run/current-system /run/booted-system /nix/var/nix/profiles/system /nix/var/nix/profiles/system-*-link")
}

func TestFirstDeployThatBreaksSSHIsRolledBack(t *testing.T) {
	removeGenerations(t, "m2")
	push(t, "m2", "cut-ssh")
	r := fleetctl(t, "deploy", "m2", "--confirm-timeout", "10s")
	r.expectExit(t, 1)
	// no session was left to report the operator as present
	r.expect(t, "m2", fleet.RolledBack, "silent")
	if left := onHost(t, "m2", "ls -d /run/current-system /nix/var/nix/profiles/system 2>/dev/null; true"); left != "" {
		t.Errorf("the rolled back host still has %s", left)
	}
	assertIdle(t, "m2")
	deployHealthy(t, "m2")
}

func TestHostDecidesWhenNetworkFailsDuringActivation(t *testing.T) {
	before := deployHealthy(t, "m1")
	push(t, "m1", "slow-switch 4")
	defer runLab(t, "heal", "m1")
	run := abandon(t, fleet.StepStarted, fleet.Activate, "deploy", "m1", "--confirm-timeout", "5s")
	runLab(t, "cut", "m1")
	time.Sleep(45 * time.Second) // activation, confirm timeout and the host's own checks
	runLab(t, "heal", "m1")
	r := fleetctl(t, "attach", run)
	r.expectExit(t, 1)
	r.expect(t, "m1", fleet.RolledBack, "silent") // the host could not reach its remote
	if after := systemOf(t, "m1"); after != before {
		t.Errorf("the system changed from\n%s\nto\n%s", before, after)
	}
	assertIdle(t, "m1")
}

func TestAbandonedJobWaitsAfterItsBuild(t *testing.T) {
	before := deployHealthy(t, "m1")
	push(t, "m1", "slow-build 2")
	run := abandon(t, fleet.StepStarted, fleet.Build, "deploy", "m1")
	time.Sleep(6 * time.Second)
	if now := systemOf(t, "m1"); now != before {
		t.Errorf("it was activated without an operator: %s", now)
	}
	r := fleetctl(t, "attach", run)
	r.expectExit(t, 0)
	if result := r.expect(t, "m1", fleet.Switched, ""); result.Confirmed != "operator" {
		t.Errorf("confirmed by %q, want operator", result.Confirmed)
	}
	assertIdle(t, "m1")
}

// eightMachines boots eight machines and returns the path of an inventory with them in the given
// waves.
func eightMachines(t *testing.T, waves ...[]string) string {
	t.Helper()
	runLab(t, "up", "8")
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

func TestWavesStopAtFailureBudget(t *testing.T) {
	inventory := eightMachines(t, []string{"m1", "m2", "m4"}, []string{"m3", "m5", "m6"}, []string{"m7", "m8"})
	fleetctl(t, "--inventory", inventory, "deploy", "--all").expectExit(t, 0)
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
	r.expectExit(t, 1)
	for host, want := range map[string]fleet.Outcome{
		"m1": fleet.Switched, "m2": fleet.RolledBack, "m3": fleet.Switched, "m4": fleet.Switched, "m5": fleet.RolledBack,
		"m6": fleet.Skipped, "m7": fleet.Skipped, "m8": fleet.Skipped,
	} {
		if result := r.results[host]; result == nil || result.Outcome != want {
			t.Errorf("%s ended as %+v, want %s", host, result, want)
		}
		if same := systemOf(t, host) == before[host]; same != (want != fleet.Switched) {
			t.Errorf("%s (want %s) runs the system from before: %v", host, want, same)
		}
	}
}

func TestTwoOperatorsNeverActivateTheSameHost(t *testing.T) {
	inventory := eightMachines(t, []string{"m1", "m2", "m4", "m5"})
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
				reports[n] = awaitReport(t, labCommand("op", "env", "XDG_STATE_HOME="+state, fmt.Sprintf("USER=op%d", n), lab.fleetctl, "--inventory", inventory,
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
				case result.Outcome == fleet.Unchanged: // the other operator finished first
				case result.Code != "locked" && result.Code != "busy":
					t.Errorf("race %d: operator %d, %s: %+v", race, n, host, result)
				case result.Code == "locked" && !strings.Contains(result.Reason, other):
					t.Errorf("race %d: operator %d does not see that %s holds the lock: %s", race, n, other, result.Reason)
				}
			}
			if activated != 1 {
				t.Errorf("race %d: %s was activated by %d operators, want 1", race, host, activated)
			}
			assertIdle(t, host)
		}
	}
}

// An interruption is one deploy in which a process or the host is killed.
type interruption struct {
	host, victim string
	after        time.Duration
}

func TestRecoveryFromRandomKills(t *testing.T) {
	t.Logf("-seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 0))
	for _, host := range []string{"m1", "m2", "m3"} {
		deployHealthy(t, host)
	}
	tally := map[string]int{}
	for n := range *kills {
		s := interruption{victim: []string{"operator", "job", "root", "both"}[random.IntN(4)], after: time.Duration(random.IntN(4500)) * time.Millisecond}
		if n%10 == 9 {
			s.victim = "host"
		}
		s.host = []string{"m1", "m2", "m3"}[random.IntN(3)]
		if s.victim == "root" || s.victim == "both" {
			s.host = []string{"m1", "m2"}[random.IntN(2)] // a home has no root half
		}
		tally[s.victim+" "+s.run(t)]++
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

// run deploys, kills the victim, attaches, and checks that what the host runs matches the outcome.
// It returns the outcome and its code.
func (s interruption) run(t *testing.T) (outcome string) {
	before := s.current(t)
	push(t, s.host, "slow-build 1\nslow-switch 1")
	cmd := fleetctlCommand("deploy", s.host, "--confirm-timeout", "5s", "--output", "json")
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
		// fails if there is no job at this moment
		_ = labCommand("on", s.host, "sudo pkill -KILL -f '[j]ob\\.sh'").Run()
	case "root":
		_ = labCommand("on", s.host, "sudo pkill -KILL -f '[r]oot\\.sh'").Run()
	case "both":
		_ = labCommand("on", s.host, "sudo pkill -KILL -f '[jr]o[bo]t*\\.sh'").Run()
	case "host":
		runLab(t, "kill", s.host)
		runLab(t, "boot", s.host)
	}
	reading.Wait()
	_ = cmd.Wait()
	if run == "" {
		return "nothing started"
	}

	r := fleetctl(t, "attach", run)
	result := r.results[s.host]
	if result == nil {
		t.Errorf("attach reports no result: %s", r.stderr)
		return "none"
	}
	assertIdle(t, s.host)
	assertEventually(t, s.host, "", `ls .local/state/fleetctl/jobs/*/*.new 2>/dev/null; pgrep -af '^nix .*build|[m]ake\.sh'; true`)
	built = r.facts[s.host]["built"]
	now := s.current(t)
	switch result.Outcome {
	case fleet.Switched, fleet.Degraded:
		if now != built {
			t.Errorf("result is %+v, but the host runs %s, want %s", result, now, built)
		}
	case fleet.Failed, fleet.RolledBack, fleet.Cancelled, fleet.Unreachable, fleet.Skipped:
		if now != before {
			t.Errorf("result is %+v, but the host runs %s, want %s", result, now, before)
		}
	default:
		t.Errorf("unexpected result %+v", result)
	}
	if reported := reportedSystem(t, s.host); reported != now {
		t.Errorf("status reports %s, but the host runs %s", reported, now)
	}
	return string(result.Outcome) + " " + string(result.Code)
}

// current returns the store path that the host runs, after checking that its profile is the same.
func (s interruption) current(t *testing.T) string {
	t.Helper()
	if s.host == "m3" {
		return onHost(t, s.host, "readlink -f .local/state/nix/profiles/home-manager")
	}
	now := strings.Fields(systemOf(t, s.host))
	if len(now) != 2 || now[0] != now[1] {
		t.Errorf("the running system and the next boot's differ: %v", now)
		return strings.Join(now, " ")
	}
	return now[0]
}

// reportedSystem returns the store path that fleetctl status reports for a host.
func reportedSystem(t *testing.T, host string) string {
	t.Helper()
	out, err := fleetctlCommand("status", host, "--output", "json").Output()
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
