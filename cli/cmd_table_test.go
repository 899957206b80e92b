package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/tmuxtest"
	"github.com/markus-barta/nixfleet/tui"
)

func TestFleetctlPrintsHelpWithoutTerminal(t *testing.T) {
	env := newTestEnv(t)
	if code := Main(env.Env, nil); code != fleet.ExitOK {
		t.Errorf("exit code %d: %s", code, env.err)
	}
	if !strings.Contains(env.out.String(), "deploy") {
		t.Errorf("no help:\n%s", env.out)
	}
	if code := Main(env.Env, []string{"table"}); code != fleet.ExitFailed || !strings.Contains(env.err.String(), "the table needs a terminal") {
		t.Errorf("exit code %d: %s", code, env.err)
	}
}

func TestTableWithoutInventorySuggestsInitAndDemo(t *testing.T) {
	env := newTestEnv(t)
	env.InTTY, env.OutTTY = true, true
	if code := Main(env.Env, nil); code != fleet.ExitUsage {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"no inventory", "fleetctl init", "fleetctl demo"} {
		if !strings.Contains(env.err.String(), want) {
			t.Errorf("standard error lacks %q: %s", want, env.err)
		}
	}
}

// runningStep matches the step of a host that is being deployed.
var runningStep = regexp.MustCompile(`▸ (pull|build|activate|switch|check|confirm)`)

// untilRunning waits until a host is being deployed. It accepts any step because a slow terminal
// does not show each of them.
func untilRunning(p *tmuxtest.Pane) {
	p.UntilScreen("shows no run", runningStep.MatchString)
}

// TestTableInTerminal filters, marks two hosts, deploys, reads the log of the failed host,
// retries, and runs a command.
func TestTableInTerminal(t *testing.T) {
	t.Parallel()
	p := tmuxtest.Open(t, 100, 30, "fleetctl demo -- table")
	p.Until("9 behind") // every host has been polled
	p.Keys("/", "csb", "Enter")
	p.Until("2 hosts, esc shows all")
	p.Keys("a", "d")
	p.Until("deploy 2 hosts?")
	p.Until("csb0")
	p.Keys("Tab", "Enter")
	untilRunning(p)
	p.Keys("j") // csb0
	p.Resize(60, 15)
	p.Until("1 failed")
	p.Resize(250, 70)
	p.Until("peers/allow.go:87:21") // why csb0 failed
	p.Keys("l")
	p.Until("f follow")
	p.Keys("Escape")
	p.Until("2 hosts, esc shows all")
	p.Keys("F")
	p.Until("deploy 1 host?")
	p.Keys("Escape")
	p.UntilGone("deploy 1 host?")
	p.Keys("a", "!")
	p.Until("run a command on 2 hosts")
	p.Keys("echo same", "Enter")
	p.Until("2 hosts, all with the same output")
	p.Keys("H")
	p.Until("✗ 1 failed") // the outcomes of the run
	p.Until("peers/allow.go:87:21")
	p.Keys("Escape")
	p.UntilGone("STARTED")
	p.Keys("q")
	p.Until("exit status 0")
}

func TestTableAttachesToAbandonedRun(t *testing.T) {
	t.Parallel()
	p := tmuxtest.Open(t, 100, 30, `dir=$(mktemp -d)
fleetctl demo --dir "$dir" --tick 100s -- table
fleetctl demo --dir "$dir" -- table`)
	p.Until("9 behind")
	p.Keys("d")
	p.Until("deploy 1 host?")
	p.Keys("Tab", "Enter")
	p.Until("▸ build") // so that there is a job, which stops with its host
	p.Keys("q")
	p.Until("press A to see the outcome")
	p.Keys("Tab", "Enter")
	p.Until("was abandoned before it finished: press A to attach")
	p.Keys("A")
	p.Keys("Tab") // the fleet's log
	p.Until("finished: 1 failed")
	p.Keys("q")
	p.Until("the jobs stop with the demo's hosts:\n  fleetctl demo --dir ")
}

func TestTableShowsRunOfOtherProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := tmuxtest.Open(t, 110, 30, fmt.Sprintf(`dir=%q
fleetctl demo --hosts 1 --dir "$dir/fleet" -- exec --all --yes -- 'echo here; sleep 100' >"$dir/said" 2>&1 &
demo=$!
until grep -q here "$dir/said"; do sleep 0.1; done
export HOME="$dir/fleet/operator" XDG_CONFIG_HOME= XDG_STATE_HOME= SSH_AUTH_SOCK= FLEETCTL_INVENTORY="$dir/fleet/hosts.toml"
{ until [ -e "$dir/go" ]; do sleep 0.1; done; fleetctl deploy --all --yes; } >"$dir/deploy" 2>&1 &
fleetctl
kill $demo`, dir))
	p.Until("1 behind")
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p.UntilScreen("shows no run", func(screen string) bool {
		if runningStep.MatchString(screen) {
			return true
		}
		p.Keys("r")
		return false
	})
	p.Keys("Tab") // the fleet's log
	p.Until("finished: 1 failed")
	p.Keys("q")
	p.Until("exit status 0")
}

func TestShellTakesTerminalAndTableReturns(t *testing.T) {
	p := tmuxtest.Open(t, 100, 30, "fleetctl demo --hosts 2 -- table")
	p.Until("2 behind")
	p.Keys("s")
	p.Until("hsb1$")
	p.Keys("echo at $((40 + 2)) of it; exit 3", "Enter")
	p.Until("at 42 of it")
	p.Until("2 behind")
	p.UntilGone("exit status")
	p.Keys("q")
}

func TestShellErrorStaysVisible(t *testing.T) {
	p := tmuxtest.Open(t, 100, 30, `bin=$(mktemp -d)
printf '#!/bin/sh\necho no route to this host >&2\nexit 255\n' >"$bin/ssh"
chmod +x "$bin/ssh"
PATH="$bin:$PATH" fleetctl demo --hosts 2 -- table`)
	p.Until("2 behind")
	p.Keys("s")
	p.Until("ssh failed; press enter to return to the table")
	p.Until("no route to this host")
	p.Keys("Enter")
	p.Until("2 behind")
	p.Keys("q")
}

func TestTableRunsNotificationCommand(t *testing.T) {
	t.Parallel()
	p := tmuxtest.Open(t, 140, 30, `dir=$(mktemp -d)/demo
fleetctl demo --hosts 1 --dir "$dir" -- list
mkdir -p "$dir/operator/.config/fleetctl"
printf '[notifications]\ncommand = "cat >%s/report"\n' "$dir" >"$dir/operator/.config/fleetctl/config.toml"
fleetctl demo --hosts 1 --dir "$dir" -- table
cat "$dir/report"`)
	p.Until("1 behind")
	p.Keys("p")
	p.Until("pull 1 host?")
	p.Keys("Tab", "Enter")
	p.Keys("Tab") // the fleet's log
	p.Until("finished: 1 pulled")
	p.Keys("q")
	p.Until("exit status 0")
	p.Until(`"goal":"pull"`)
}

func TestUnknownHostKeyIsAddedOnceAccepted(t *testing.T) {
	t.Parallel()
	p := tmuxtest.Open(t, 110, 30, `dir=$(mktemp -d)
fleetctl demo --hosts 2 --dir "$dir" -- exec --all --yes -- 'echo here; sleep 100' >"$dir.out" 2>&1 &
until [ "$(grep -c here "$dir.out")" = 2 ]; do sleep 0.1; done # it no longer needs known_hosts
: >"$dir/operator/.ssh/known_hosts"
export HOME="$dir/operator" XDG_CONFIG_HOME= XDG_STATE_HOME= SSH_AUTH_SOCK= FLEETCTL_INVENTORY="$dir/hosts.toml"
fleetctl
echo "hosts known: $(grep -c ssh-ed25519 "$dir/operator/.ssh/known_hosts")"
kill $!`)
	p.Until("SHA256:")
	p.Keys("Tab", "Enter") // one of the two
	p.Until("1 behind")
	p.Until("SHA256:")
	p.Keys("Enter") // Cancel has the focus
	p.Until("host keys not accepted; press K to review them")
	p.Keys("q")
	p.Until("hosts known: 1")
	p.Until("exit status 0")
}

func TestTableShowsWhatHostsReportIfGitCannotReadRemote(t *testing.T) {
	t.Parallel()
	p := tmuxtest.Open(t, 110, 30, `dir=$(mktemp -d)
fleetctl demo --hosts 1 --dir "$dir" -- exec --all -- 'echo here; sleep 100' >"$dir.out" 2>&1 &
until grep -q here "$dir.out"; do sleep 0.1; done
sed 's,^remote = .*,remote = "/nowhere/cfg.git",' "$dir/hosts.toml" >"$dir/new" && mv "$dir/new" "$dir/hosts.toml"
export HOME="$dir/operator" XDG_CONFIG_HOME= XDG_STATE_HOME= SSH_AUTH_SOCK= FLEETCTL_INVENTORY="$dir/hosts.toml"
fleetctl
kill $!`)
	p.Until("1 behind")
	p.Keys("p")
	p.Until("to the tip of main")
	p.Keys("Tab", "Enter")
	p.Until("git on the hosts reports for main:")
	p.Until("unknown here")
	p.Keys("Tab", "Enter", "Tab") // the fleet's log
	p.Until("finished: 1 pulled")
	p.Keys("q")
	p.Until("exit status 0")
}

func TestControllerReadsAndSearchesLogOfRecord(t *testing.T) {
	env := newTestEnv(t)
	dir := filepath.Join(env.records().Dir, "20261124-120000-k3f9", "hosts")
	var log strings.Builder
	for i := range 100 {
		fmt.Fprintf(&log, "line %d\n", i)
	}
	writeFile(t, filepath.Join(dir, "web.log"), log.String())
	c := &tableController{env: env.Env}
	for _, test := range []struct {
		from, limit int
		first, last int // of the lines returned
	}{
		{0, 10, 0, 9}, {95, 10, 95, 99}, {-30, 10, 70, 79}, {-30, 1000, 70, 99}, {-1000, 40, 0, 39}, {-3, 10, 97, 99},
	} {
		lines, first, total, err := c.readLog("k3f9", "web", test.from, test.limit)
		if err != nil || total != 100 || first != test.first || len(lines) != test.last-test.first+1 {
			t.Errorf("%d lines from %d: got %d lines from %d, total %d, error %v", test.limit, test.from, len(lines), first, total, err)
			continue
		}
		for i, l := range lines {
			if want := fmt.Sprintf("line %d", first+i); l.Line != want || l.Stream != "out" {
				t.Errorf("%d lines from %d: got %+v, want %s", test.limit, test.from, l, want)
			}
		}
	}
	match := func(l tui.Text) bool { return strings.HasSuffix(l.Line, "7") }
	for _, test := range []struct {
		from, to int
		last     bool
		want     int
	}{{0, 1000, false, 7}, {0, 1000, true, 97}, {7, 1000, false, 7}, {8, 1000, false, 17}, {0, 97, true, 87}, {98, 1000, false, -1}, {0, 7, true, -1}} {
		if got, err := c.searchLog(tui.LogSearch{Run: "k3f9", Host: "web", From: test.from, To: test.to, Last: test.last, Match: match}); err != nil || got != test.want {
			t.Errorf("from %d to %d, last %v: got line %d, want %d, error %v", test.from, test.to, test.last, got, test.want, err)
		}
	}
	if _, _, _, err := c.readLog("k3f9", "db", 0, 10); err == nil {
		t.Error("reading the log of an unknown host succeeded")
	}
}
