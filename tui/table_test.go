package tui

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/change"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

const (
	currentRev = "3f9c2ab0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6"
	oldRev     = "a1b2c3d4e5f60718293a4b5c6d7e8f9a0b1c2d3e"
)

// barta returns the fleet of the golden screens.
func barta() *inventory.Inventory {
	inv := &inventory.Inventory{Name: "barta", Branch: "main", Parallel: 16}
	colors := []string{"#d4c060", "#68b0a0", "#a0785a", "#5a9bd4", "#9868d0", "#8cbf5a", "#e08f5a", "#d0709c", "#68d0d0"}
	for i, name := range []string{"hsb0", "hsb1", "hsb8", "csb1", "gpc0", "mba-imac-work", "imac0", "mba-mbp-work", "csb0"} {
		h := &inventory.Host{Name: name, Kind: inventory.NixOS, Wave: 1, Tags: []string{"home"}, Color: colors[i], Attr: name}
		if i >= 5 && name != "csb0" {
			h.Kind, h.Tags, h.SkipOffline = inventory.Home, []string{"work"}, true
		}
		if name == "csb0" {
			h.Wave, h.Tags = 2, []string{"cloud"}
		}
		inv.Hosts = append(inv.Hosts, h)
	}
	return inv
}

// large returns a fleet of that many hosts.
func large(hosts int) *inventory.Inventory {
	inv := &inventory.Inventory{Name: "large", Branch: "main", Parallel: 16}
	for i := range hosts {
		inv.Hosts = append(inv.Hosts, &inventory.Host{Name: fmt.Sprintf("host%05d", i), Kind: inventory.NixOS, Wave: 1 + i%3, Color: "#d4c060"})
	}
	return inv
}

func healthy(rev string) *health.Health {
	cpu, when := 12.0, noon.Add(-50*time.Hour)
	return &health.Health{
		OS: "NixOS 26.05", Nix: "2.31.2", Agent: "0.4.0", Uptime: 400000, CPU: &cpu,
		Load: [3]float64{0.5, 0.25, 0.1}, Memory: &health.Amount{Total: 16 << 30, Free: 10 << 30}, Root: &health.Amount{Total: 100 << 30, Free: 40 << 30},
		System:   health.System{Revision: rev, Generation: 212, GenerationTime: &when},
		Checkout: &health.Checkout{Revision: rev, Branch: "main", Subject: "hsb0: adguard on port 53", Lock: "l" + rev[:3]},
	}
}

// statusesAtRest returns statuses of barta, as a monitor would report them.
func statusesAtRest() []Status {
	at := noon.Add(-3 * time.Minute)
	up := func(host string, change func(*health.Health)) Status {
		h := healthy(currentRev)
		if change != nil {
			change(h)
		}
		return Status{Host: host, Reachable: true, Health: h, Time: at}
	}
	return []Status{
		up("hsb0", nil),
		up("hsb1", func(h *health.Health) { *h = *healthy(oldRev); h.Checkout.Behind = 3 }),
		up("hsb8", func(h *health.Health) { h.System.RebootNeeded = true }),
		up("csb1", func(h *health.Health) { h.FailedUnits = []string{"nginx.service"} }),
		up("gpc0", func(h *health.Health) { h.Checkout.Dirty = true; *h.CPU = 97 }),
		up("mba-imac-work", func(h *health.Health) { h.Agent = "" }),
		{Host: "imac0", Err: offlineError("connect: no route to host"), Time: at},
		{Host: "csb0", Err: offlineError("connect: connection refused"), Time: at},
	}
}

// fakeOwner records the actions of a table.
type fakeOwner struct {
	record  []Text // the only log
	options []fleet.Options
	hosts   [][]string
	planned [][]string
	runs    []string
	pauses  []bool
	pages   []Page
}

func (d *fakeOwner) actions() Actions {
	return Actions{
		Deploy: func(hosts []string, o fleet.Options) error {
			d.hosts, d.options = append(d.hosts, hosts), append(d.options, o)
			return nil
		},
		Generations: func(string) ([]host.Generation, error) { return generations(), nil },
		Plan:        func(hosts []string, _ fleet.Options, _ bool) error { d.planned = append(d.planned, hosts); return nil },
		Trust:       func(hosts []string) error { return errors.New("no key that could be accepted is shown by " + hosts[0]) },
		Log: func(_, _ string, from, most int) ([]Text, int, int, error) {
			if from < 0 {
				from = max(len(d.record)+from, 0)
			}
			from = min(from, len(d.record))
			return d.record[from:min(from+most, len(d.record))], from, len(d.record), nil
		},
		Find: func(s LogSearch) (int, error) {
			at := -1
			for n, l := range d.record {
				if s.From <= n && n < s.To && (s.Last || at < 0) && s.Match(l) {
					at = n
				}
			}
			return at, nil
		},
		Reboot:  func(hosts []string) error { d.hosts = append(d.hosts, hosts); return nil },
		Exec:    func(hosts []string, _ string) error { d.hosts = append(d.hosts, hosts); return nil },
		Cancel:  func(run string) error { d.runs = append(d.runs, run); return nil },
		Attach:  func() error { return errors.New("there is no run to attach to") },
		Refresh: func([]string) {},
		Runs: func() ([]RecordedRun, error) {
			counts := map[fleet.Outcome]int{fleet.Switched: 3, fleet.Unchanged: 1, fleet.Degraded: 1, fleet.Failed: 2, fleet.Skipped: 1}
			return []RecordedRun{
				{Run: "20261124-115900-run1", Time: noon.Add(-time.Minute), Goal: "switch", Revision: currentRev, Hosts: 2, Running: true},
				{Run: "20261124-120000-k3f9", Time: noon.Add(-time.Hour), Goal: "switch", Revision: currentRev, Hosts: 8, Counts: counts, Ended: true},
				{Run: "20261123-090000-p2m7", Time: noon.Add(-27 * time.Hour), Goal: "rollback", Hosts: 1, Counts: map[fleet.Outcome]int{fleet.Switched: 1}, Ended: true},
				{Run: "20261101-090000-aaaa", Time: noon.Add(-24 * 23 * time.Hour), Goal: "boot", Revision: oldRev, Hosts: 9, Counts: map[fleet.Outcome]int{fleet.Unknown: 9}},
				{Run: "20261001-090000-dddd", Problem: "events.jsonl: line 7 was changed"},
			}, nil
		},
		ReadRun: func(run string) (*fleet.State, []Text, error) {
			if strings.HasSuffix(run, "dddd") {
				return nil, nil, errors.New("the record of run " + run + " is damaged")
			}
			s := &fleet.State{}
			(&scriptedRun{emit: s.Apply}).finished()
			s.Run = run
			return s, []Text{{"out", "run " + run + ": barta, switch"}, {"out", "hsb0   build: started"}}, nil
		},
		Compare: func(first, second string) ([]Text, error) {
			return []Text{{"note", first + " → " + second}, {"out", "hsb0  failed → switched"}}, nil
		},
		AttachTo: func(run string) error { d.runs = append(d.runs, run); return nil },
		Prune:    func() (int, error) { return 2, nil },
		Pager:    func(p Page) (*exec.Cmd, error) { d.pages = append(d.pages, p); return exec.Command("true"), nil },
		Edit: func() (*exec.Cmd, func() (Edited, error), error) {
			return exec.Command("true"), func() (Edited, error) { return Edited{}, nil }, nil
		},
		Away: func(away bool) { d.pauses = append(d.pauses, away) },
		History: func(string) ([]PastRun, error) {
			return []PastRun{{Run: "20261123-090000-p2m7", Time: noon.Add(-27 * time.Hour), Goal: "switch",
				Result: &fleet.Result{Outcome: fleet.Switched, Before: oldRev, After: currentRev, Changes: &change.Set{
					Packages: []change.Package{
						{Name: "linux", Before: "6.18.2", After: "6.18.3", Word: change.Up, Size: "+1.2 MiB"},
						{Name: "nano", Before: "8.7", Word: change.Gone, Size: "-2.0 MiB"},
					},
					Counts:  map[change.Word]int{change.Up: 1, change.Gone: 1, change.Size: 3},
					Closure: &change.Closure{Before: 4402341478, After: 4401502618, Difference: -838860},
					Units: []change.Units{
						{Verb: "stop", Units: []string{"nscd.service"}},
						{Verb: "restart", Units: []string{"a.service", "b.service", "c.service", "d.service", "e.service"}},
					},
				}}}}, nil
		},
	}
}

// driver drives a ui without a terminal. What the ui does in the background is done at once.
type driver struct {
	*ui
	owner  fakeOwner
	clock  time.Time
	copied string // to the clipboard
}

func newDriver(inv *inventory.Inventory, width, height int) *driver {
	d := &driver{clock: noon}
	d.ui = newUI(TableOptions{
		Profile: colorprofile.ASCII, Inventory: inv, Now: func() time.Time { return d.clock },
		Actions: d.owner.actions(), Settings: Settings{Theme: Terminal, Bell: true},
	})
	d.send(tea.WindowSizeMsg{Width: width, Height: height})
	return d
}

func (d *driver) send(msg tea.Msg) {
	if _, second := msg.(tickMsg); second { // its command would wait for the next tick
		d.now = d.clock
		d.carryOut(d.everySecond())
		return
	}
	_, cmd := d.ui.Update(msg)
	d.carryOut(cmd)
}

// carryOut runs a command and sends its message back, except for clocks, quitting and what only a
// terminal can do.
func (d *driver) carryOut(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	msg := cmd()
	if fmt.Sprintf("%T", msg) == "tea.setClipboardMsg" {
		d.copied = fmt.Sprint(msg)
	}
	switch msg := msg.(type) {
	case tea.BatchMsg:
		for _, one := range msg {
			d.carryOut(one)
		}
	case noticeMsg, historyMsg, recordPageMsg, rollbackChoicesMsg, generationsMsg, startedMsg, dialogMsg, editedMsg, runsListedMsg, runReadMsg, comparedMsg, prunedMsg:
		d.send(msg)
	}
}

// press presses keys, given by name.
func (d *driver) press(keys ...string) {
	for _, key := range keys {
		d.send(keyPress(key))
	}
}

func keyPress(name string) tea.KeyPressMsg {
	special := map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown,
		"backspace": tea.KeyBackspace, "left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown}
	if code, ok := special[name]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	if name == "space" {
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	}
	if letter, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(letter[0]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// newRun returns a run whose events go to the ui.
func (d *driver) newRun() *scriptedRun {
	return &scriptedRun{emit: func(ev fleet.Event) { d.send(batchMsg{events: []fleet.Event{ev}}) }}
}

func (d *driver) atRest() *driver {
	d.send(batchMsg{statuses: statusesAtRest(), target: &Target{Revision: currentRev, Subject: "hsb0: adguard on port 53", Time: noon.Add(-2 * time.Hour)}})
	return d
}

// wantScreen runs the real program on a terminal in memory, presses keys, and compares the screen
// with a golden file.
func wantScreen(t *testing.T, golden string, width, height int, settings Settings, profile colorprofile.Profile, light bool, fill func(*Table), keys ...string) {
	t.Helper()
	s := newScreen(t, width, height)
	table := s.startTable(settings, profile, light, fill)
	for _, key := range keys {
		table.program.Send(keyPress(key))
	}
	if profile > colorprofile.ASCII {
		s.wantColored(t, golden)
	} else {
		s.wantGolden(t, golden)
	}
}

// planned adds a plan of hsb1.
func planned(table *Table) {
	table.Plan("hsb1", []Text{
		{"note", "3 commits from a1b2c3d to 3f9c2ab"}, {"out", "  3f9c2ab  hsb0: adguard on port 53  mba, 2h ago"},
		{"note", "build"}, {"out", "  nix build '.#nixosConfigurations.\"hsb1\".config.system.build.toplevel' --no-update-lock-file"},
		{"out", "  would build 4 derivations, download 12 paths (34.5 MiB)"}, {"note", "what changes"}, {"out", "  ↑ up    linux 6.18.2 → 6.18.3, +1.2 MiB"},
	})
}

// unknownKey asks whether to accept the key of csb0.
func unknownKey(table *Table) {
	table.Status(Status{Host: "csb0", Err: codedError("host-key-unknown"), Time: noon})
	go table.Confirm(context.Background(), Question{Title: "is this csb0?", Yes: "Accept the key",
		Lines: []string{`No known_hosts file has a key for "csb0.example". It shows`, "", "ssh-ed25519", "SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDlxCVh7Vh5zGfRB4A"}})
}

// passphrase asks for the passphrase of a key.
func passphrase(table *Table) {
	go table.Ask(context.Background(), "passphrase for /home/mba/.ssh/id_ed25519: ")
}

// codedError is the error of a host that refuses the login, for the reason that its code names.
type codedError string

func (e codedError) Error() string { return string(e) }
func (e codedError) Code() string  { return string(e) }
func (codedError) Offline() bool   { return false }
func (codedError) Hint() string    { return "" }

// offlineError is the error of a host that does not answer.
type offlineError string

func (e offlineError) Error() string { return string(e) }
func (offlineError) Offline() bool   { return true }
func (offlineError) Hint() string    { return "" }

// building adds a log of a build on hsb0.
func building(table *Table) {
	run := &scriptedRun{emit: table.Event}
	run.start("hsb0")
	run.step("hsb0", fleet.Build, time.Second)
	run.line("hsb0", "out", "building '/nix/store/7rjj3h2x-grafana-11.4.0.drv'")
	for i := range 12 {
		run.line("hsb0", "out", fmt.Sprintf("grafana-11.4.0> ok test %d", i))
	}
	run.line("hsb0", "out", "grafana-11.4.0> --- FAIL: TestAlerting (0.21s)")
	run.line("hsb0", "out", "error: builder for '/nix/store/7rjj3h2x-grafana-11.4.0.drv' failed with exit code 1")
}

// generations returns those of a host that was rolled back from 213 to 212.
func generations() []host.Generation {
	var all []host.Generation
	for n := 200; n <= 213; n++ {
		all = append(all, host.Generation{Number: n, Time: noon.AddDate(0, 0, n-213), Revision: oldRev, Current: n == 212, Booted: n == 209})
	}
	return all
}

func deploying(table *Table) { (&scriptedRun{emit: table.Event}).midway() }

func TestScreens(t *testing.T) {
	for _, test := range []struct {
		golden        string
		width, height int
		fill          func(*Table)
		keys          []string
	}{
		{"table-rest-80x24.golden", 80, 24, nil, nil},
		{"table-rest-100x30.golden", 100, 30, nil, nil},
		{"table-rest-200x60.golden", 200, 60, nil, nil},
		{"table-deploying-60x15.golden", 60, 15, deploying, nil},
		{"table-deploying-80x24.golden", 80, 24, deploying, nil},
		{"table-deploying-100x30.golden", 100, 30, deploying, nil},
		{"table-deploying-200x60.golden", 200, 60, deploying, []string{"j"}},
		{"table-host-100x30.golden", 100, 30, deploying, []string{"enter"}},
		{"table-host-200x60.golden", 200, 60, nil, []string{"enter"}},
		{"table-generations-100x30.golden", 100, 30, nil, []string{"enter", "tab", "tab"}},
		{"table-log-100x30.golden", 100, 30, deploying, []string{"j", "l", "T"}},
		{"table-grouped-100x30.golden", 100, 30, nil, []string{"o", "o", "o", "o"}},
		{"table-filtered-100x30.golden", 100, 30, nil, []string{"/", "@", "w", "o", "r", "k", "enter"}},
		{"table-nothing-100x30.golden", 100, 30, nil, []string{"/", "z", "z"}},
		{"table-deploy-100x30.golden", 100, 30, nil, []string{"space", "space", "d"}},
		{"table-deploy-all-100x30.golden", 100, 30, nil, []string{"a", "d", "9"}},
		{"table-plan-100x30.golden", 100, 30, planned, []string{"j", "enter", "tab"}},
		{"table-key-100x30.golden", 100, 30, unknownKey, nil},
		{"table-secret-100x30.golden", 100, 30, passphrase, []string{"s", "e", "c"}},
		{"table-rollback-100x30.golden", 100, 30, nil, []string{"R"}},
		{"table-folded-100x30.golden", 100, 30, building, []string{"l"}},
		{"table-unfolded-100x30.golden", 100, 30, building, []string{"l", "z"}},
		{"table-reboot-100x30.golden", 100, 30, nil, []string{"a", "ctrl+r", "5"}},
		{"table-cancel-100x30.golden", 100, 30, deploying, []string{"x"}},
		{"table-exec-100x30.golden", 100, 30, nil, []string{"!", "w", "h", "o"}},
		{"table-leave-100x30.golden", 100, 30, deploying, []string{"q"}},
		{"table-help-100x30.golden", 100, 30, nil, []string{"?"}},
		{"table-commands-100x30.golden", 100, 30, nil, []string{":", "r", "e"}},
		{"table-runs-100x30.golden", 100, 30, nil, []string{"H"}},
		{"table-small-30x6.golden", 30, 6, nil, nil},
	} {
		t.Run(test.golden, func(t *testing.T) {
			t.Parallel()
			wantScreen(t, test.golden, test.width, test.height, Settings{Theme: Terminal}, colorprofile.ASCII, false, test.fill, test.keys...)
		})
	}
}

func TestThemesDifferOnlyInColor(t *testing.T) {
	for _, test := range []struct {
		golden string
		theme  Theme
		light  bool
		colors colorprofile.Profile
	}{
		{"theme-terminal-dark.golden", Terminal, false, colorprofile.ANSI},
		{"theme-terminal-light.golden", Terminal, true, colorprofile.ANSI256},
		{"theme-vivid-dark.golden", Vivid, false, colorprofile.TrueColor},
		{"theme-vivid-light.golden", Vivid, true, colorprofile.TrueColor},
		{"theme-contrast.golden", Contrast, false, colorprofile.TrueColor},
	} {
		t.Run(test.golden, func(t *testing.T) {
			wantScreen(t, test.golden, 80, 24, Settings{Theme: test.theme}, test.colors, test.light, deploying)
		})
	}
	// NO_COLOR: the same text in every theme, without colors.
	wantScreen(t, "table-deploying-80x24.golden", 80, 24, Settings{Theme: Vivid}, colorprofile.ASCII, false, deploying)
}
