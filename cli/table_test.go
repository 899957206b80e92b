package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

func TestWithoutATerminalFleetctlAloneSaysWhatItCanDo(t *testing.T) {
	w := newWorld(t)
	if code := Main(w.Env, nil); code != fleet.ExitOK {
		t.Errorf("exit code %d: %s", code, w.err)
	}
	if !strings.Contains(w.out.String(), "deploy") {
		t.Errorf("no help:\n%s", w.out)
	}
	if code := Main(w.Env, []string{"table"}); code != fleet.ExitFailed || !strings.Contains(w.err.String(), "the table needs a terminal") {
		t.Errorf("exit code %d: %s", code, w.err)
	}
}

func TestTheTableWithoutAnInventorySaysHowToGetOne(t *testing.T) {
	w := newWorld(t)
	w.InTTY, w.OutTTY = true, true
	if code := Main(w.Env, nil); code != fleet.ExitUsage {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"no inventory", "fleetctl init", "fleetctl demo"} {
		if !strings.Contains(w.err.String(), want) {
			t.Errorf("nothing says %q: %s", want, w.err)
		}
	}
}

// The whole of it in a real terminal: filter, mark two, deploy, watch, read the log of the failed one, retry, leave, come back.
func TestTheTableInARealTerminal(t *testing.T) {
	p := newPane(t, 100, 30, "fleetctl demo -- table")
	p.until("9 behind") // every host has been looked at
	p.keys("/", "csb", "Enter")
	p.until("2 hosts, esc shows all")
	p.keys("a", "d")
	p.until("deploy 2 hosts?")
	p.until("csb0")
	p.keys("Tab", "Enter")
	p.until("▸ switch")
	p.keys("j") // csb0
	p.tmux("resize-window", "-x", "60", "-y", "15")
	p.until("1 failed")
	p.tmux("resize-window", "-x", "250", "-y", "70")
	p.until("peers/allow.go:87:21") // why csb0 failed
	p.keys("l")
	p.until("f follow")
	p.keys("Escape")
	p.until("2 hosts, esc shows all")
	p.keys("F")
	p.until("deploy 1 host?")
	p.keys("Escape")
	p.gone("deploy 1 host?")
	p.keys("q")
	p.until("exit status 0")
}

func TestTheTableComesBackToARunThatWasLeft(t *testing.T) {
	p := newPane(t, 100, 30, `dir=$(mktemp -d)
fleetctl demo --dir "$dir" -- table
fleetctl demo --dir "$dir" -- table`)
	p.until("9 behind")
	p.keys("d")
	p.until("deploy 1 host?")
	p.keys("Tab", "Enter")
	p.until("▸ switch")
	p.keys("q")
	p.until("fleetctl attach")
	p.keys("Tab", "Enter")
	p.until("was left before its end: A attaches to it")
	p.keys("A")
	p.keys("Tab") // the fleet's log
	p.until("has ended: 1 failed")
	p.keys("q")
}

// gone waits until the terminal does not show text.
func (p *pane) gone(text string) {
	p.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if shown, _ := p.tmux("capture-pane", "-p"); !strings.Contains(shown, text) {
			return
		}
	}
	p.t.Fatalf("the terminal goes on showing %q", text)
}

func (p *pane) keys(keys ...string) { p.tmux(append([]string{"send-keys"}, keys...)...) }

func TestTheOperatorsOwnCommandIsToldOfARunFromTheTable(t *testing.T) {
	p := newPane(t, 140, 30, `dir=$(mktemp -d)/demo
fleetctl demo --hosts 1 --dir "$dir" -- list
mkdir -p "$dir/operator/.config/fleetctl"
printf '[notifications]\ncommand = "cat >%s/report"\n' "$dir" >"$dir/operator/.config/fleetctl/config.toml"
fleetctl demo --hosts 1 --dir "$dir" -- table
cat "$dir/report"`)
	p.until("1 behind")
	p.keys("p")
	p.until("pull 1 host?")
	p.keys("Tab", "Enter")
	p.keys("Tab") // the fleet's log
	p.until("has ended: 1 pulled")
	p.keys("q")
	p.until("exit status 0")
	p.until(`"goal":"pull"`)
}

func TestAnUnknownHostKeyIsShownAndKeptOnceAPersonAcceptsIt(t *testing.T) {
	p := newPane(t, 110, 30, `dir=$(mktemp -d)
fleetctl demo --hosts 2 --dir "$dir" -- exec --all -- sleep 100 >/dev/null 2>&1 &
until [ -s "$dir/hosts.toml" ]; do sleep 0.1; done
: >"$dir/operator/.ssh/known_hosts"
export HOME="$dir/operator" XDG_CONFIG_HOME= XDG_STATE_HOME= SSH_AUTH_SOCK= FLEETCTL_INVENTORY="$dir/hosts.toml"
fleetctl
echo "hosts known: $(grep -c ssh-ed25519 "$dir/operator/.ssh/known_hosts")"
kill $!`)
	p.until("SHA256:")
	p.keys("Tab", "Enter") // one of the two
	p.until("1 behind")
	p.until("SHA256:")
	p.keys("Enter") // Cancel has the focus
	p.until("host keys are left unknown; K shows them again")
	p.keys("q")
	p.until("hosts known: 1")
	p.until("exit status 0")
}

func TestTheTableReadsALogFromItsRecordAPageAtATime(t *testing.T) {
	w := newWorld(t)
	dir := filepath.Join(w.records().Dir, "20261124-120000-k3f9", "hosts")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	for i := range 100 {
		fmt.Fprintf(&log, "line %d\n", i)
	}
	if err := os.WriteFile(filepath.Join(dir, "web.log"), []byte(log.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	d := &desk{env: w.Env}
	for _, test := range []struct {
		from, most  int
		first, last int // of what is read
	}{
		{0, 10, 0, 9}, {95, 10, 95, 99}, {-30, 10, 70, 79}, {-30, 1000, 70, 99}, {-1000, 40, 0, 39}, {-3, 10, 97, 99},
	} {
		lines, first, total, err := d.log("k3f9", "web", test.from, test.most)
		if err != nil || total != 100 || first != test.first || len(lines) != test.last-test.first+1 {
			t.Errorf("%d lines from %d: %d from %d, of %d: %v", test.most, test.from, len(lines), first, total, err)
			continue
		}
		for i, l := range lines {
			if want := fmt.Sprintf("line %d", first+i); l.Line != want || l.Stream != "out" {
				t.Errorf("%d lines from %d: %+v, not %s", test.most, test.from, l, want)
			}
		}
	}
	if _, _, _, err := d.log("k3f9", "db", 0, 10); err == nil {
		t.Error("there is a log of a host without one")
	}
}
