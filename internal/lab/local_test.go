//go:build lab

package lab_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
)

// TestMachineWithoutSSHServerIsDeployedLocally runs fleetctl on a host itself, as its login user,
// while its SSH server is stopped.
func TestMachineWithoutSSHServerIsDeployedLocally(t *testing.T) {
	pid := runLab(t, "pid", "m2")
	inside := func(user string, command ...string) *exec.Cmd {
		args := []string{"-t", pid, "-a", "env", "-i", "HOME=/home/mba", "USER=mba", "LOGNAME=mba", "SHELL=/bin/sh", "PATH=/usr/bin:/bin:/usr/sbin:/sbin"}
		if user != "root" {
			args = append(args, "setpriv", "--reuid="+user, "--regid="+user, "--init-groups")
		}
		return exec.Command("nsenter", append(args, command...)...)
	}
	root := func(script string) {
		t.Helper()
		if out, err := inside("root", "/bin/sh", "-c", script).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	binary, err := os.ReadFile(lab.fleetctl)
	if err != nil {
		t.Fatal(err)
	}
	install := inside("root", "/bin/sh", "-c", "cat >/usr/local/bin/fleetctl && chmod 755 /usr/local/bin/fleetctl")
	install.Stdin = bytes.NewReader(binary)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	root(`cat >/home/mba/hosts.toml <<'END'
[fleet]
name = "laptop"
remote = "git://10.78.0.1/nixcfg.git"

[hosts.m2]
kind = "nixos"
repo = "~/Code/nixcfg"
END
chown mba /home/mba/hosts.toml
systemctl stop ssh.socket ssh.service 2>/dev/null; ! systemctl is-active -q ssh.service`)
	t.Cleanup(func() { root("systemctl start ssh.socket 2>/dev/null || systemctl start ssh.service") })
	run := func(args ...string) report {
		t.Helper()
		return awaitReport(t, inside("mba", append([]string{"/usr/local/bin/fleetctl", "--inventory", "/home/mba/hosts.toml"}, append(args, "--output", "json")...)...))
	}
	rev := push(t, "m2", "")
	r := run("deploy", "m2", "--yes")
	if got := r.results["m2"]; got == nil || got.Outcome != fleet.Switched || got.After != rev || got.Confirmed != "operator" {
		t.Fatalf("deploy: %+v\n%s", got, r.stderr)
	}
	next := push(t, "m2", "slow-switch 1")
	r = run("deploy", "m2", "--yes")
	if got := r.results["m2"]; got == nil || got.Outcome != fleet.Switched || got.Before != rev || got.After != next {
		t.Fatalf("the next deploy: %+v\n%s", got, r.stderr)
	}
	r = run("rollback", "m2", "--yes")
	if got := r.results["m2"]; got == nil || got.Outcome != fleet.Switched || got.Before != next || got.After != rev {
		t.Fatalf("rollback: %+v\n%s", got, r.stderr)
	}
}
