package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/vt"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/internal/tmuxtest"
	"github.com/markus-barta/nixfleet/tui"
)

const (
	tipRevision   = "2222222222222222222222222222222222222222"
	olderRevision = "1111111111111111111111111111111111111111"
)

// refusedError is the error of a host that answers, but does not let fleetctl in.
type refusedError struct{ code, text string }

func (e refusedError) Error() string { return e.text }
func (e refusedError) Code() string  { return e.code }
func (refusedError) Offline() bool   { return false }
func (refusedError) Hint() string    { return "" }

// judgementCase is a host in one of the states that there are.
type judgementCase struct {
	name    string
	state   string
	reason  string // part of it
	change  func(s *host.Status)
	lastRun *health.LastRun
	skip    bool // it is allowed to be offline
	managed bool
}

func judgementCases(now time.Time) []judgementCase {
	facts := func(change func(h *health.Health)) func(s *host.Status) {
		return func(s *host.Status) { change(s.Health) }
	}
	checkout := func(change func(c *health.Checkout)) func(s *host.Status) {
		return func(s *host.Status) { change(s.Health.Checkout) }
	}
	system := func(change func(s *health.System)) func(s *host.Status) {
		return func(s *host.Status) { change(&s.Health.System) }
	}
	without := func(err error) func(s *host.Status) {
		return func(s *host.Status) { s.Reachable, s.Health, s.Err = false, nil, err }
	}
	failed := &health.LastRun{Goal: fleet.GoalSwitch, Outcome: "failed", Step: "build", Reason: "vpn-hub-2.1.0", Time: now.Add(-5 * time.Minute)}
	return []judgementCase{
		{name: "good", state: "current"},
		{name: "good-too", state: "current"},
		{name: "oldcounts", state: "current", change: checkout(func(c *health.Checkout) { c.Ahead, c.Behind = 3, 4 })},
		{name: "managed", state: "current", managed: true, change: checkout(func(c *health.Checkout) { c.Branch = "" })},
		{name: "dirty", state: "dirty", reason: "uncommitted changes", change: checkout(func(c *health.Checkout) { c.Dirty = true })},
		{name: "branch", state: "branch", reason: "on try", change: checkout(func(c *health.Checkout) { c.Branch = "try" })},
		{name: "behind", state: "behind", reason: "2 behind", change: checkout(func(c *health.Checkout) { c.Revision, c.Behind = olderRevision, 2 })},
		{name: "unfetched", state: "behind", reason: "behind", change: checkout(func(c *health.Checkout) { c.Revision = olderRevision })},
		{name: "ahead", state: "diverged", reason: "1 ahead", change: checkout(func(c *health.Checkout) { c.Revision, c.Ahead = olderRevision, 1 })},
		{name: "diverged", state: "diverged", reason: "diverged, 1 ahead and 2 behind", change: checkout(func(c *health.Checkout) { c.Revision, c.Ahead, c.Behind = olderRevision, 1, 2 })},
		{name: "lock", state: "lock", reason: "different flake.lock", change: checkout(func(c *health.Checkout) { c.Lock = "other" })},
		{name: "outdated", state: "behind", reason: "runs 1111111", change: system(func(s *health.System) { s.Revision = olderRevision })},
		{name: "byhand", state: "behind", reason: "runs 2222222-dirty", change: system(func(s *health.System) { s.Revision += "-dirty" })},
		{name: "unknown", state: "unknown", reason: "does not report its revision", change: system(func(s *health.System) { s.Revision = "" })},
		{name: "bootpending", state: "reboot", reason: "different system at the next boot", change: system(func(s *health.System) { s.BootPending = true })},
		{name: "reboot", state: "reboot", reason: "reboot needed", change: system(func(s *health.System) { s.RebootNeeded = true })},
		{name: "units", state: "degraded", reason: "failed units: nginx.service", change: facts(func(h *health.Health) { h.FailedUnits = []string{"nginx.service"} })},
		{name: "offline", state: "offline", reason: "connection refused", change: without(offlineError{"offline"})},
		{name: "away", state: "away", skip: true, reason: "connection refused", change: without(offlineError{"away"})},
		{name: "login", state: "refused", reason: "no key to offer", change: without(refusedError{"no-key", "login: login: no key to offer"})},
		{name: "login-skip", state: "refused", skip: true, reason: "no key to offer", change: without(refusedError{"no-key", "login-skip: login: no key to offer"})},
		{name: "changed", state: "refused", reason: "another key is known", change: without(refusedError{"host-key-changed", "changed: host key: another key is known"})},
		{name: "stranger", state: "unknown key", reason: "not known", change: without(refusedError{"host-key-unknown", "stranger: host key: not known"})},
		{name: "stranger-skip", state: "unknown key", skip: true, reason: "not known", change: without(refusedError{"host-key-unknown", "stranger-skip: host key: not known"})},
		{name: "noprobe", state: "unknown", reason: "no answer within 20s", change: func(s *host.Status) { s.Health, s.Err = nil, fmt.Errorf("no answer within 20s") }},
		{name: "failed", state: "failed", reason: "build: vpn-hub-2.1.0", lastRun: failed, change: checkout(func(c *health.Checkout) { c.Revision, c.Behind = olderRevision, 2 })},
		{name: "failed-good", state: "failed", reason: "build: vpn-hub-2.1.0", lastRun: failed},
		{name: "switched", state: "current", lastRun: &health.LastRun{Goal: fleet.GoalSwitch, Outcome: "switched", Time: now.Add(-5 * time.Minute), Revision: olderRevision}},
	}
}

func TestTableAndStatusAgreeOnEveryState(t *testing.T) {
	t.Parallel()
	for _, revision := range []string{tipRevision, ""} {
		t.Run("target "+revision, func(t *testing.T) { compareTableAndStatus(t, revision) })
	}
}

func compareTableAndStatus(t *testing.T, revision string) {
	w := newTestEnv(t)
	now := w.Now()
	inv := &inventory.Inventory{Name: "test", Branch: "main", Remote: "x"}
	found, history := map[string]host.Status{}, record.HostHistory{LastRuns: map[string]health.LastRun{}}
	cases := judgementCases(now)
	for _, test := range cases {
		inv.Hosts = append(inv.Hosts, &inventory.Host{Name: test.name, Kind: inventory.NixOS, Wave: 1, SkipOffline: test.skip, Managed: test.managed})
		s := host.Status{Host: test.name, Reachable: true, Time: now, Health: &health.Health{
			System:   health.System{Deployed: "/nix/store/a", Profile: "/nix/store/a", Revision: tipRevision},
			Checkout: &health.Checkout{Revision: tipRevision, Branch: "main", Lock: "usual"},
		}}
		if test.change != nil {
			test.change(&s)
		}
		found[test.name] = s
		if test.lastRun != nil {
			history.LastRuns[test.name] = *test.lastRun
		}
	}

	reports := judgeAll(inv, revision, inv.Hosts, found, history)
	if err := printStatus(w.Env, inv, statusRound{revision, reports}); err != nil {
		t.Fatal(err)
	}
	text := w.out.String()
	*w.out = syncBuffer{}
	if err := printStatusJSON(w.Env, inv, statusRound{revision, reports}); err != nil {
		t.Fatal(err)
	}
	screen := renderTable(t, w, inv, func(table *tui.Table) {
		table.LastRuns(history.LastRuns)
		for _, s := range found {
			table.Status(s)
		}
		table.Target(tui.Target{Revision: revision})
	})
	lines := json.NewDecoder(strings.NewReader(w.out.String()))
	counts := map[string]int{}
	for _, test := range cases {
		if revision == "" && test.state == "current" {
			test.state, test.reason = "unknown", "target commit unknown"
		}
		var line statusJSON
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}
		printed, shown := rowOf(text, test.name), rowOf(screen, test.name)
		inTable, inStatus := stateIn(shown), stateIn(printed)
		counts[inTable]++
		if inTable != inStatus || inTable != line.State {
			t.Errorf("%s: %q in the table, %q in status, %q in JSON", test.name, inTable, inStatus, line.State)
		}
		if revision == "" {
			if inTable == "current" {
				t.Errorf("%s is called current without a target", test.name)
			}
			continue
		}
		if inTable != test.state {
			t.Errorf("%s: %q, want %q", test.name, inTable, test.state)
		}
		if !strings.Contains(line.Reason, test.reason) {
			t.Errorf("%s: reason %q, want %q", test.name, line.Reason, test.reason)
		}
		switch {
		case line.LastRun != nil:
			for _, row := range []string{printed, shown} {
				if !strings.Contains(row, "last deploy failed 5m ago in build: vpn-hub-2.1.0") {
					t.Errorf("%s: nothing says which run failed: %s", test.name, row)
				}
			}
		case test.state == "unknown key":
		case !strings.Contains(shown, line.Reason), line.Error == "" && !strings.Contains(printed, line.Reason):
			t.Errorf("%s: the reason %q is not in both\n%s\n%s", test.name, line.Reason, shown, printed)
		}
	}
	compareHeader(t, screen, len(cases), counts)
}

// compareHeader holds the counts of the table's header against its rows.
func compareHeader(t *testing.T, screen string, hosts int, counts map[string]int) {
	t.Helper()
	header, _, _ := strings.Cut(screen, "\n")
	total := 0
	for _, match := range regexp.MustCompile(`  (\d+) ([a-z]+( key)?)`).FindAllStringSubmatch(header, -1) {
		n, _ := strconv.Atoi(match[1])
		if match[2] == "hosts" {
			continue
		}
		if counts[match[2]] != n {
			t.Errorf("the header counts %d %s, the rows %d", n, match[2], counts[match[2]])
		}
		total += n
	}
	if total != hosts {
		t.Errorf("the header counts %d of %d hosts: %s", total, hosts, header)
	}
}

// rowOf returns the row of a host in the table or in the output of status.
func rowOf(text, name string) string {
	for line := range strings.Lines(text) {
		if fields := strings.Fields(strings.TrimPrefix(line, "▌")); len(fields) > 2 && fields[0] == name {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// stateIn returns the word after the mark in a row.
func stateIn(row string) string {
	fields := strings.Fields(strings.TrimPrefix(row, "▌"))
	if len(fields) < 3 {
		return ""
	}
	if len(fields) > 3 && fields[2]+" "+fields[3] == "unknown key" {
		return "unknown key"
	}
	return fields[2]
}

// renderTable shows a table on a terminal in memory, and returns the screen once it has stopped
// changing.
func renderTable(t *testing.T, w *testEnv, inv *inventory.Inventory, fill func(*tui.Table)) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	emu := &emulator{Emulator: vt.NewEmulator(260, 60)}
	// a newline returns the carriage, as on a terminal that is not raw
	emu.Write([]byte("\x1b[20h"))
	go io.Copy(io.Discard, emu.Emulator)
	defer func() { emu.InputPipe().(io.Closer).Close() }()
	table := tui.NewTable(ctx, tui.TableOptions{
		In: strings.NewReader(""), Out: emu, Environ: w.Environ, Profile: colorprofile.ASCII, Now: w.Now, Inventory: inv,
		Settings: tui.Settings{Theme: tui.Plain}, Width: 260, Height: 60,
	})
	ended := make(chan struct{})
	go func() { defer close(ended); table.Run() }()
	fill(table)
	defer func() { cancel(); <-ended }()
	last := inv.Hosts[len(inv.Hosts)-1].Name
	for before, deadline := "", time.Now().Add(20*time.Second); time.Now().Before(deadline); time.Sleep(300 * time.Millisecond) {
		screen := emu.text()
		if screen == before && rowOf(screen, last) != "" {
			return screen
		}
		before = screen
	}
	t.Fatalf("the table never comes to rest:\n%s", emu.text())
	return ""
}

// emulator is a terminal in memory that is written to and read from by different goroutines.
type emulator struct {
	mu sync.Mutex
	*vt.Emulator
}

func (e *emulator) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.Emulator.Write(p)
}

func (e *emulator) text() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.String()
}

// TestEveryCommandAgreesOnDriftedHosts has one checkout on another branch and one with uncommitted
// changes, on hosts that otherwise are at the target, and a host on which the last run failed
// before the table was opened.
func TestEveryCommandAgreesOnDriftedHosts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := tmuxtest.Open(t, 160, 30, fmt.Sprintf(`cd %q || exit
demo() { fleetctl demo --dir fleet -- "$@"; }
demo deploy hsb1 csb1 --yes --quiet >deploy 2>&1 || exit
demo deploy csb0 --yes --quiet >>deploy 2>&1
git -C fleet/hosts/hsb1/home/mba/Code/nixcfg checkout -q -b try
echo '# x' >>fleet/hosts/csb1/home/mba/Code/nixcfg/flake.nix
demo status --exit-code >status 2>&1; echo $? >status.exit
demo status --output json >status.json
demo plan --all --output json >plan.json
demo check --connect >check
demo table
cat status.exit`, dir))
	p.Until("1 failed  1 dirty  1 branch  6 behind")
	screen := p.Screen()
	p.Keys("q")
	p.Until("exit status 0")
	status := readFile(t, filepath.Join(dir, "status"))
	if code := strings.TrimSpace(readFile(t, filepath.Join(dir, "status.exit"))); code != strconv.Itoa(fleet.ExitDrift) {
		t.Errorf("status --exit-code ends with %s", code)
	}
	states := map[string]string{}
	for lines := json.NewDecoder(strings.NewReader(readFile(t, filepath.Join(dir, "status.json")))); lines.More(); {
		var line statusJSON
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}
		states[line.Host] = line.State
		if inTable, printed := stateIn(rowOf(screen, line.Host)), stateIn(rowOf(status, line.Host)); inTable != line.State || printed != line.State {
			t.Errorf("%s: %q in the table, %q in status, %q in JSON", line.Host, inTable, printed, line.State)
		}
	}
	want := map[string]string{"hsb1": "branch", "csb1": "dirty", "csb0": "failed"}
	problems := map[string]string{}
	for lines := json.NewDecoder(strings.NewReader(readFile(t, filepath.Join(dir, "plan.json")))); lines.More(); {
		var line planJSON
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line.Problem != "" {
			problems[line.Host] = string(line.Code)
		}
		if state := states[line.Host]; want[line.Host] != state && !(want[line.Host] == "" && state == "behind") {
			t.Errorf("%s: %s", line.Host, state)
		}
	}
	if len(states) != 9 || len(problems) != 2 || problems["hsb1"] != "wrong-branch" || problems["csb1"] != "dirty" {
		t.Errorf("of %d hosts, plan has problems with %v", len(states), problems)
	}
	var rejected []string
	for _, match := range regexp.MustCompile(`host "(\w+)": the checkout `).FindAllStringSubmatch(readFile(t, filepath.Join(dir, "check")), -1) {
		rejected = append(rejected, match[1])
	}
	slices.Sort(rejected)
	if !slices.Equal(rejected, []string{"csb1", "hsb1"}) {
		t.Errorf("check --connect rejects %v", rejected)
	}
	for _, text := range []string{screen, status} {
		if row := rowOf(text, "csb0"); !strings.Contains(row, "last deploy failed") || !strings.Contains(row, "in build: ") {
			t.Errorf("csb0 does not show its failure: %s", row)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
