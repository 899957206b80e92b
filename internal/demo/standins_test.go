package demo

import (
	"strconv"
	"strings"
	"testing"
)

func TestBuildDependsOnlyOnCommit(t *testing.T) {
	t.Parallel()
	f := start(t, Options{Hosts: trio()})
	for _, host := range []string{"web", "mac", "desk"} {
		before := f.sh(t, host, build(host)+"; cd built && pwd -P").ok(t)
		f.sh(t, host, "git -C ~/Code/nixcfg pull -q").ok(t)
		after := f.sh(t, host, build(host)+"; cd built && pwd -P").ok(t)
		again := f.sh(t, host, build(host)+"; cd built && pwd -P").ok(t)
		if before == after || after != again {
			t.Errorf("%s: built %s, then from a newer commit %s, then again %s", host, before, after, again)
		}
	}
}

func TestFailedBuildPrintsErrorAndMakesNoLink(t *testing.T) {
	t.Parallel()
	f := start(t, Options{Hosts: trio()})
	f.push(t, "web", "fail-build")
	got := f.sh(t, "web", "git -C ~/Code/nixcfg pull -q; "+build("web"))
	if got.exit != 1 || !strings.Contains(got.err, `"action":"msg","level":0`) || !strings.Contains(got.err, "peers/allow.go:87:21") {
		t.Errorf("exit %d: %s", got.exit, got.err)
	}
	if f.sh(t, "web", "ls built").exit == 0 {
		t.Error("the out-link exists")
	}
}

func TestBuildRejectsUnknownAttribute(t *testing.T) {
	t.Parallel()
	f := start(t, Options{Hosts: trio()})
	got := f.sh(t, "web", `cd Code/nixcfg && nix build '.#nixosConfigurations.unknown.config.system.build.toplevel'`)
	if got.exit != 1 || !strings.Contains(got.err, "does not provide attribute") {
		t.Errorf("exit %d: %s", got.exit, got.err)
	}
}

func TestSwitchMakesSystemCurrent(t *testing.T) {
	t.Parallel()
	f := start(t, Options{Hosts: trio()})
	for _, host := range []string{"web", "mac"} {
		f.push(t, host, "no-op")
		f.sh(t, host, "git -C ~/Code/nixcfg pull -q; "+build(host)+"; "+activate(host)).ok(t)
		if got := f.sh(t, host, "cd \"$FLEETCTL_ROOT/run/current-system\" && pwd -P").out; got != f.sh(t, host, "cd built && pwd -P").out {
			t.Errorf("%s runs %s", host, got)
		}
	}
}

func TestSwitchExitsWithCodeOfDirective(t *testing.T) {
	t.Parallel()
	f := start(t, Options{Hosts: trio()})
	for code, switched := range map[int]bool{1: false, 2: true, 4: true, 100: false} {
		f.push(t, "web", "fail-switch "+strconv.Itoa(code))
		got := f.sh(t, "web", "git -C ~/Code/nixcfg pull -q; "+build("web")+"; "+activate("web"))
		if got.exit != code {
			t.Errorf("fail-switch %d: exit %d: %s", code, got.exit, got.err)
		}
		if current := f.sh(t, "web", "cd \"$FLEETCTL_ROOT/run/current-system\" && pwd -P").out == f.sh(t, "web", "cd built && pwd -P").out; current != switched {
			t.Errorf("fail-switch %d: switched: %v", code, current)
		}
		if code == 1 || code == 100 {
			continue // nothing was activated, so units are as they were
		}
		failed := f.sh(t, "web", "systemctl list-units --failed --plain --no-legend").out
		if (code == 4) != strings.HasPrefix(failed, "toy.service ") {
			t.Errorf("fail-switch %d: failed units: %q", code, failed)
		}
	}
}

func TestNixEnvManagesGenerations(t *testing.T) {
	t.Parallel()
	f := start(t, Options{Hosts: trio()})
	f.sh(t, "web", "git -C ~/Code/nixcfg pull -q; "+build("web")).ok(t)
	set := "nix-env -p $FLEETCTL_ROOT/nix/var/nix/profiles/system "
	f.sh(t, "web", set+"--set built").ok(t)
	f.sh(t, "web", set+"--set built").ok(t)
	if got := f.sh(t, "web", set+"--list-generations | awk '{ print $1, $4 }'").ok(t); got != "1 \n2 (current)" {
		t.Errorf("generations: %q", got)
	}
	f.sh(t, "web", set+"--rollback").ok(t)
	if got := f.sh(t, "web", "readlink $FLEETCTL_ROOT/nix/var/nix/profiles/system").ok(t); got != "system-1-link" {
		t.Errorf("after a rollback: %s", got)
	}
	if got := f.sh(t, "web", set+"--rollback"); got.exit == 0 {
		t.Error("a rollback from the first generation succeeded")
	}
}

func TestSudoRequiresPassword(t *testing.T) {
	t.Parallel()
	hosts := trio()
	hosts[0].SudoPassword = "hunter2 $x"
	f := start(t, Options{Hosts: hosts})
	if got := f.sh(t, "desk", "sudo -n -- id -u").ok(t); got != "0" {
		t.Errorf("without a password: %q", got)
	}
	if got := f.sh(t, "web", "id -u; sudo -n -- id -u"); got.exit != 1 || got.out != "1000" || got.err != "sudo: a password is required" {
		t.Errorf("non-interactive: %+v", got)
	}
	ask := "sudo -S -k -p MORE -- sh -c 'id -u; cat'"
	if got := f.sh(t, "web", ask, "hunter2 $x\nthe rest\n"); got.out != "0\nthe rest" || got.err != "MORE" {
		t.Errorf("correct password: %+v", got)
	}
	if got := f.sh(t, "web", ask, "wrong\nhunter2 $x\n"); got.out != "0" || got.err != "MORESorry, try again.\nMORE" {
		t.Errorf("correct second password: %+v", got)
	}
	if got := f.sh(t, "web", ask, "wrong\n"); got.exit != 1 || got.out != "" {
		t.Errorf("wrong password: %+v", got)
	}
}
