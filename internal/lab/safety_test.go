//go:build lab

package lab_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

// systemOf returns the system that a machine runs and the one that its next boot starts, a line
// each.
func systemOf(t *testing.T, host string) string {
	t.Helper()
	return onHost(t, host, "readlink /run/current-system; readlink -f /nix/var/nix/profiles/system")
}

// abandon starts a run and kills the operator at the first event of the kind for the step. It
// returns the run's ID.
func abandon(t *testing.T, kind fleet.Type, step fleet.Step, args ...string) (run string) {
	t.Helper()
	cmd := fleetctlCommand(append(args, "--output", "json")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var e fleet.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		run = e.Run
		if e.Type == kind && e.Step == step {
			break
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return run
}

// deployHealthy deploys a configuration without faults to a host and returns its systems.
func deployHealthy(t *testing.T, host string) string {
	t.Helper()
	push(t, host, "")
	fleetctl(t, "deploy", host).expectExit(t, 0)
	return systemOf(t, host)
}

func TestSwitchThatBreaksSSHIsRolledBack(t *testing.T) {
	before := deployHealthy(t, "m1")
	push(t, "m1", "cut-ssh")
	r := fleetctl(t, "deploy", "m1", "--confirm-timeout", "15s")
	r.expectExit(t, 1)
	if result := r.results["m1"]; result == nil || result.Outcome != fleet.RolledBack {
		t.Fatalf("the result is %+v, want rolled-back\n%s", result, r.stderr)
	}
	if after := systemOf(t, "m1"); after != before {
		t.Errorf("the system changed from\n%s\nto\n%s", before, after)
	}
	assertSameLog(t, r.run(), "m1")
	assertIdle(t, "m1")
}

func TestUnattendedSwitchThatBreaksSSHIsRolledBack(t *testing.T) {
	before := deployHealthy(t, "m1")
	push(t, "m1", "cut-ssh")
	run := abandon(t, fleet.StepStarted, fleet.Activate, "deploy", "m1", "--confirm-timeout", "10s")
	r := fleetctl(t, "attach", run)
	r.expectExit(t, 1)
	if result := r.results["m1"]; result == nil || result.Outcome != fleet.RolledBack {
		t.Fatalf("the result is %+v, want rolled-back\n%s", result, r.stderr)
	}
	if after := systemOf(t, "m1"); after != before {
		t.Errorf("the system changed from\n%s\nto\n%s", before, after)
	}
	assertIdle(t, "m1")
}

func TestHealthyHostKeepsSwitchWhileOperatorIsAway(t *testing.T) {
	deployHealthy(t, "m1")
	push(t, "m1", "slow-switch 2")
	run := abandon(t, fleet.StepStarted, fleet.Activate, "deploy", "m1", "--confirm-timeout", "5s")
	time.Sleep(15 * time.Second)
	r := fleetctl(t, "attach", run)
	r.expectExit(t, 0)
	if result := r.expect(t, "m1", fleet.Switched, ""); result.Confirmed != "host" {
		t.Errorf("confirmed by %q, want host", result.Confirmed)
	}
	assertIdle(t, "m1")
}

func TestPowerLossBeforeConfirmBootsPreviousSystem(t *testing.T) {
	before := deployHealthy(t, "m2")
	push(t, "m2", "slow-switch 3")
	abandon(t, fleet.StepStarted, fleet.Activate, "deploy", "m2")
	time.Sleep(5 * time.Second) // it is activated and waits for the confirmation
	runLab(t, "kill", "m2")
	runLab(t, "boot", "m2")
	if next := onHost(t, "m2", "readlink -f /nix/var/nix/profiles/system"); next == "" || !strings.HasSuffix(before, "\n"+next) {
		t.Errorf("the next boot starts %s, want that of\n%s", next, before)
	}
	fleetctl(t, "attach")
	assertIdle(t, "m2")
}

func TestRollbackRestoresPreviousGeneration(t *testing.T) {
	before := deployHealthy(t, "m1")
	deployHealthy(t, "m1")
	r := fleetctl(t, "rollback", "m1", "--yes")
	r.expectExit(t, 0)
	r.expect(t, "m1", fleet.Switched, "")
	if after := systemOf(t, "m1"); after != before {
		t.Errorf("the system changed from\n%s\nto\n%s", before, after)
	}
}

func TestHealthChecksRunFromHostAndOperator(t *testing.T) {
	const server = "sudo systemd-run -q --unit lab-web --collect sh -c '%s exec python3 -m http.server 8080 --bind %s --directory /var/empty'"
	const stop = "sudo systemctl stop lab-web 2>/dev/null; sudo mkdir -p /var/empty"
	const text = `[fleet]
remote = "git://10.78.0.1/nixcfg.git"
[hosts.m1]
kind = "nixos"
repo = "~/Code/nixcfg"
health = [
  "curl -sf -o /dev/null http://127.0.0.1:8080/",
  "http://127.0.0.1:8080/",
  { check = "http://10.78.0.101:8080/nosuch", from = "operator", status = 404 },
  { check = "test $FLEETCTL_HOST = m1", from = "operator" },
]
`
	inventory := filepath.Join(t.TempDir(), "hosts.toml")
	if err := os.WriteFile(inventory, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	onHost(t, "m1", stop)
	defer onHost(t, "m1", stop)

	onHost(t, "m1", fmt.Sprintf(server, "", "127.0.0.1"))
	push(t, "m1", "")
	r := fleetctl(t, "deploy", "m1", "--inventory", inventory)
	r.expectExit(t, 1)
	if result := r.expect(t, "m1", fleet.Degraded, "health"); !strings.Contains(result.Reason, `"http://10.78.0.101:8080/nosuch (404) from the operator's machine" failed`) {
		t.Errorf("the reason does not name the check from the operator's machine: %q", result.Reason)
	}

	onHost(t, "m1", stop)
	onHost(t, "m1", fmt.Sprintf(server, "sleep 8;", "0.0.0.0"))
	push(t, "m1", "")
	r = fleetctl(t, "deploy", "m1", "--inventory", inventory)
	r.expectExit(t, 0)
	r.expect(t, "m1", fleet.Switched, "")
}
