//go:build lab

package lab_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

// duringRun runs a command of fleetctl, calls do when the first event matches, and returns the
// report.
func duringRun(t *testing.T, match func(fleet.Event) bool, do func(run string), args ...string) report {
	t.Helper()
	cmd := fleetctlCommand(append(args, "--output", "json")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr, all bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(3*time.Minute, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	found := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		all.Write(append(lines.Bytes(), '\n'))
		var e fleet.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err == nil && !found && match(e) {
			found = true
			do(e.Run)
		}
	}
	_ = cmd.Wait()
	if !found {
		t.Fatalf("no event matched\n%s\n%s", all.String(), stderr.String())
	}
	r := readReport(t, &all)
	r.exit, r.stderr = cmd.ProcessState.ExitCode(), stderr.String()
	return r
}

func started(host string, step fleet.Step) func(fleet.Event) bool {
	return func(e fleet.Event) bool { return e.Host == host && e.Type == fleet.StepStarted && e.Step == step }
}

// writeInventory writes an inventory with the lab's first lines and the given hosts, and returns
// its path.
func writeInventory(t *testing.T, hosts string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hosts.toml")
	text := "[fleet]\nremote = \"git://10.78.0.1/nixcfg.git\"\n\n[defaults]\nrepo = \"~/Code/nixcfg\"\n\n" + hosts
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLoginUserCannotRedirectRoot has a process of the login user plant links and words in the
// directory of a job while it builds.
func TestLoginUserCannotRedirectRoot(t *testing.T) {
	before := deployHealthy(t, "m1")
	push(t, "m1", "slow-build 4")
	onHost(t, "m1", "sudo rm -rf /etc/planted; sudo mkdir /etc/planted; sudo rm -f /root-was-here")
	r := duringRun(t, started("m1", fleet.Build), func(run string) {
		onHost(t, "m1", `cd .local/state/fleetctl/jobs/`+run+`.m1
for name in activated activated.new concluded concluded.new started units root.pid running before word log.new; do
  ln -sfn /etc/planted/$name $name
done
mkdir -p ~/planted/bin
printf '#!/bin/sh\ntouch /root-was-here\n' >~/planted/bin/switch-to-configuration
chmod +x ~/planted/bin/switch-to-configuration
cp ~/planted/bin/switch-to-configuration root.sh
# The job replaces its own files. A directory keeps it from that.
printf '%s\n0\n%s\n\n22\n' "$HOME/planted" "$HOME/Code/nixcfg" >activate
ls -l >&2`)
	}, "deploy", "m1")
	r.expectExit(t, 1)
	r.expect(t, "m1", fleet.Failed, "rejected")
	if left := onHost(t, "m1", "ls -A /etc/planted; ls -d /root-was-here 2>/dev/null; true"); left != "" {
		t.Errorf("root has written %s", left)
	}
	if now := systemOf(t, "m1"); now != before {
		t.Errorf("the system changed from\n%s\nto\n%s", before, now)
	}
	assertIdle(t, "m1")
}

// TestJobOutlivesItsSession ends all sessions of the login user, as logind does at a logout with
// KillUserProcesses.
func TestJobOutlivesItsSession(t *testing.T) {
	for _, host := range []string{"m1", "m3"} {
		onHost(t, host, "sudo mkdir -p /etc/systemd/logind.conf.d; printf '[Login]\\nKillUserProcesses=yes\\n' | sudo tee /etc/systemd/logind.conf.d/lab.conf >/dev/null; sudo systemctl restart systemd-logind")
		defer onHost(t, host, "sudo rm /etc/systemd/logind.conf.d/lab.conf; sudo systemctl restart systemd-logind")
		push(t, host, "slow-build 4")
		run := abandon(t, fleet.StepStarted, fleet.Build, "deploy", host)
		onHost(t, host, `for session in $(loginctl list-sessions --no-legend | awk '$3 == "mba" && $1 != "'"$XDG_SESSION_ID"'" { print $1 }'); do
  sudo loginctl terminate-session "$session"
done; true`)
		r := fleetctl(t, "attach", run)
		r.expectExit(t, 0)
		r.expect(t, host, fleet.Switched, "")
		assertSameLog(t, run, host)
		assertIdle(t, host)
	}
}

// TestJobKeepsEnvironmentOfLogin compares what a command of a job sees with what a login does.
func TestJobKeepsEnvironmentOfLogin(t *testing.T) {
	onHost(t, "m1", `mkdir -p .config/fish && cat >.config/fish/config.fish <<'EOF'
set -gx GREETING "hello 'world'"
umask 027
EOF`)
	defer onHost(t, "m1", "rm -r .config/fish")
	inventory := writeInventory(t, "[hosts.m1]\nkind = \"nixos\"\nhealth = [\"{ env; umask; pwd; } >~/seen; cat /proc/self/cgroup >~/cgroup\"]\n")
	push(t, "m1", "")
	r := fleetctl(t, "deploy", "m1", "--inventory", inventory)
	r.expectExit(t, 0)
	seen := strings.Split(onHost(t, "m1", "cat seen"), "\n")
	for _, line := range []string{"GREETING=hello 'world'", "0027", "PWD=/home/mba/Code/nixcfg", "HOME=/home/mba", "LOGNAME=mba", "SHELL=/usr/bin/fish", "XDG_RUNTIME_DIR=/run/user/1000"} {
		if !slices.Contains(seen, line) {
			t.Errorf("the job's environment lacks %q:\n%s", line, strings.Join(seen, "\n"))
		}
	}
	for name, want := range map[string]bool{"SSH_CONNECTION": true, "INVOCATION_ID": false, "JOURNAL_STREAM": false} {
		if got := strings.Contains("\n"+strings.Join(seen, "\n"), "\n"+name+"="); got != want {
			t.Errorf("%s is set: %v, want %v", name, got, want)
		}
	}
	if cgroup := onHost(t, "m1", "cat cgroup"); strings.Contains(cgroup, "session-") || !strings.Contains(cgroup, "fleetctl-job-") {
		t.Errorf("the user half runs in %s", cgroup)
	}
}

// watch starts a unit that looks for a word in what every user can read of processes and units, and
// in the environment of root's processes.
const watch = `sudo mkdir /root/watch
echo geheim | sudo tee /root/watch/word >/dev/null
sudo tee /root/watch/run >/dev/null <<'RUN'
cd /root/watch
n=0
while [ ! -e /run/lab-watched ]; do
  n=$((n + 1))
  for process in /proc/[0-9]*; do
    tr '\0' ' ' 2>/dev/null <$process/cmdline | grep -f word >>found
    if [ "$(stat -c %u $process 2>/dev/null)" = 0 ]; then tr '\0' '\n' 2>/dev/null <$process/environ | grep -f word >>found; fi
  done
  systemctl show 'fleetctl-*' >show
  grep -f word show >>found
  grep ^Id=fleetctl- show >>units
  sleep 0.1
done
echo $n >rounds
RUN
sudo systemd-run --quiet --collect --unit=lab-watch sh /root/watch/run`

// TestArgumentsOfJobAreSecret looks for the arguments of a job in everything that other users of
// the host can read while it runs.
func TestArgumentsOfJobAreSecret(t *testing.T) {
	inventory := writeInventory(t, "[hosts.m1]\nkind = \"nixos\"\nhealth = [\": check-geheim; sleep 1\"]\n[hosts.m2]\nkind = \"nixos\"\nswitch_command = \": switch-geheim; sleep 3\"\n")
	t.Setenv("USER", "operator-geheim")
	for _, host := range []string{"m1", "m2"} {
		push(t, host, "slow-build 1\nslow-switch 2")
		onHost(t, host, watch)
		since := onHost(t, host, "date +%s")
		r := fleetctl(t, "deploy", host, "--inventory", inventory)
		onHost(t, host, "sudo touch /run/lab-watched")
		assertEventually(t, host, "", "systemctl is-active --quiet lab-watch && echo watching; true")
		if r.exit != 0 {
			t.Errorf("%+v\n%s", r.results[host], r.stderr)
		}
		if found := onHost(t, host, "sudo cat /root/watch/found; true"); found != "" {
			t.Errorf("%s: every user can read\n%s", host, found)
		}
		if journal := onHost(t, host, fmt.Sprintf("sudo journalctl --no-pager --since @%s -o cat | grep geheim; true", since)); journal != "" {
			t.Errorf("%s: the journal has\n%s", host, journal)
		}
		if rounds := onHost(t, host, "sudo cat /root/watch/rounds"); rounds == "0" {
			t.Errorf("%s: the watch has not looked", host)
		}
		units := strings.Fields(onHost(t, host, "sudo sort -u /root/watch/units"))
		both := slices.ContainsFunc(units, func(unit string) bool {
			id, isJob := strings.CutPrefix(unit, "Id=fleetctl-job-")
			return isJob && slices.Contains(units, "Id=fleetctl-"+id)
		})
		if host == "m1" && !both {
			t.Errorf("%s: the watch has not seen both units of the job: %q", host, units)
		}
		onHost(t, host, "sudo rm -rf /run/lab-watched /root/watch")
	}
}

// TestSmallestSudoRuleSuffices has the rule of docs/requirements.md and no other.
func TestSmallestSudoRuleSuffices(t *testing.T) {
	text, err := os.ReadFile("docs/requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	const rule = "ALL = (root) NOPASSWD: /bin/sh"
	if !strings.Contains(string(text), "\ndeploy "+rule+"\n") {
		t.Fatalf("docs/requirements.md does not have the rule %q", rule)
	}
	deployHealthy(t, "m1")
	onHost(t, "m1", "sudo sh -c 'echo \"mba "+rule+"\" >/etc/sudoers.d/mba'")
	defer onHost(t, "m1", "sudo /bin/sh -c 'echo \"mba ALL=(ALL) NOPASSWD: ALL\" >/etc/sudoers.d/mba'")
	if out := onHost(t, "m1", "sudo -n id 2>&1; true"); !strings.Contains(out, "password is required") {
		t.Fatalf("sudo allows more than the rule: %s", out)
	}
	push(t, "m1", "")
	if out, err := fleetctlCommand("check", "--connect").CombinedOutput(); err != nil || strings.Contains(string(out), "sudo") {
		t.Errorf("check --connect: %v\n%s", err, out)
	}
	if out, err := fleetctlCommand("plan", "m1", "--build").CombinedOutput(); err != nil {
		t.Errorf("plan: %v\n%s", err, out)
	}
	r := fleetctl(t, "deploy", "m1")
	r.expectExit(t, 0)
	r.expect(t, "m1", fleet.Switched, "")
	assertIdle(t, "m1")
}
