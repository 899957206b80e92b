//go:build lab

package main_test

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

// systemOf is what a machine runs, and what its next boot starts.
func systemOf(t *testing.T, host string) string {
	t.Helper()
	return on(t, host, "readlink /run/current-system; readlink -f /nix/var/nix/profiles/system")
}

// abandon deploys to a host and kills the operator when it sees the step of the host end (or begin); it returns the run.
func abandon(t *testing.T, kind fleet.Type, step fleet.Step, args ...string) (run string) {
	t.Helper()
	cmd := operator(append(args, "--output", "json")...)
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

// healthy brings a host to a configuration that behaves.
func healthy(t *testing.T, host string) string {
	t.Helper()
	push(t, host, "")
	fleetctl(t, "deploy", host).exits(t, 0)
	return systemOf(t, host)
}

func TestLabASwitchThatCutsSSHIsUndone(t *testing.T) {
	before := healthy(t, "m1")
	push(t, "m1", "cut-ssh")
	r := fleetctl(t, "deploy", "m1", "--confirm-timeout", "15s")
	r.exits(t, 1)
	if result := r.results["m1"]; result == nil || result.Outcome != fleet.RolledBack {
		t.Fatalf("it ended as %+v\n%s", result, r.stderr)
	}
	if after := systemOf(t, "m1"); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	sameLog(t, r.run(), "m1")
	settled(t, "m1")
}

func TestLabASwitchThatCutsSSHIsUndoneWithNobodyThere(t *testing.T) {
	before := healthy(t, "m1")
	push(t, "m1", "cut-ssh")
	run := abandon(t, fleet.StepStarted, fleet.Activate, "deploy", "m1", "--confirm-timeout", "10s")
	r := fleetctl(t, "attach", run)
	r.exits(t, 1)
	if result := r.results["m1"]; result == nil || result.Outcome != fleet.RolledBack {
		t.Fatalf("it ended as %+v\n%s", result, r.stderr)
	}
	if after := systemOf(t, "m1"); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	settled(t, "m1")
}

func TestLabAHealthyHostIsNotUndoneForAnOperatorWhoIsAway(t *testing.T) {
	healthy(t, "m1")
	push(t, "m1", "slow-switch 2")
	run := abandon(t, fleet.StepStarted, fleet.Activate, "deploy", "m1", "--confirm-timeout", "5s")
	time.Sleep(15 * time.Second)
	r := fleetctl(t, "attach", run)
	r.exits(t, 0)
	if result := r.wants(t, "m1", fleet.Switched, ""); result.Confirmed != "host" {
		t.Errorf("it was confirmed by %q", result.Confirmed)
	}
	settled(t, "m1")
}

func TestLabAPowerCutBeforeTheConfirmationBootsWhatWas(t *testing.T) {
	before := healthy(t, "m2")
	push(t, "m2", "slow-switch 3")
	abandon(t, fleet.StepStarted, fleet.Activate, "deploy", "m2")
	time.Sleep(5 * time.Second) // it was activated, and waits
	must(t, "kill", "m2")
	must(t, "boot", "m2")
	if next := on(t, "m2", "readlink -f /nix/var/nix/profiles/system"); next == "" || !strings.HasSuffix(before, "\n"+next) {
		t.Errorf("the next boot starts %s; before it was\n%s", next, before)
	}
	fleetctl(t, "attach")
	settled(t, "m2")
}

func TestLabARollbackGoesBackAGeneration(t *testing.T) {
	before := healthy(t, "m1")
	healthy(t, "m1")
	r := fleetctl(t, "rollback", "m1")
	r.exits(t, 0)
	r.wants(t, "m1", fleet.Switched, "")
	if after := systemOf(t, "m1"); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
}

func TestLabHealthChecksAreMadeFromTheHostAndFromTheOperator(t *testing.T) {
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
	on(t, "m1", stop)
	defer on(t, "m1", stop)

	on(t, "m1", fmt.Sprintf(server, "", "127.0.0.1"))
	push(t, "m1", "")
	r := fleetctl(t, "deploy", "m1", "--inventory", inventory)
	r.exits(t, 1)
	if result := r.wants(t, "m1", fleet.Degraded, "health"); !strings.Contains(result.Reason, `"http://10.78.0.101:8080/nosuch (404) from the operator's machine" fails`) {
		t.Errorf("what answers on the host alone: %q", result.Reason)
	}

	on(t, "m1", stop)
	on(t, "m1", fmt.Sprintf(server, "sleep 8;", "0.0.0.0"))
	push(t, "m1", "")
	r = fleetctl(t, "deploy", "m1", "--inventory", inventory)
	r.exits(t, 0)
	r.wants(t, "m1", fleet.Switched, "")
}
