package tui

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
)

var (
	presses = flag.Int("presses", 20000, "random keys to press")
	seed    = flag.Uint64("seed", 7, "of the random keys")
)

// TestRandomKeysChangeOnlyConfirmedHosts presses random keys while the fleet changes. Nothing may
// break, no host may be changed that no dialog has named, and esc must lead back to the table. With
// more keys:
//
//	go test ./tui -run RandomKeys -presses 100000 -seed 1
func TestRandomKeysChangeOnlyConfirmedHosts(t *testing.T) {
	for _, inv := range []*inventory.Inventory{barta(), large(1), large(70)} {
		t.Run(plural(len(inv.Hosts), "host"), func(t *testing.T) {
			t.Parallel()
			pressRandomKeys(t, inv, *presses/3)
		})
	}
}

func pressRandomKeys(t *testing.T, inv *inventory.Inventory, presses int) {
	random := rand.New(rand.NewPCG(*seed, 11))
	keys := []string{"enter", "esc", "tab", "up", "down", "space", "backspace", "left", "right", "home", "end", "pgup", "pgdown",
		"ctrl+d", "ctrl+u", "ctrl+t", "ctrl+r", "ctrl+c", "ctrl+w"}
	for _, r := range "jkgGdpPRFxrlsftbBwnNecTMoSIaAvVKz!/:?mmyLEHHX=0123456789hsb@ü(" {
		keys = append(keys, string(r))
	}
	d := newDriver(inv, 100, 30).atRest()
	run := d.newRun()
	for i := range presses {
		d.clock = d.clock.Add(time.Second)
		switch random.IntN(40) {
		case 0:
			run.midway()
		case 1:
			for _, h := range d.hosts.rows {
				run.finish(h.Name, fleet.Result{Outcome: fleet.Outcomes[random.IntN(len(fleet.Outcomes))]})
			}
			run.event(time.Minute, fleet.Event{Type: fleet.RunFinished, Summary: &fleet.Summary{}})
		case 2:
			d.atRest()
		case 3:
			d.send(tickMsg{})
		case 4:
			d.send(batchMsg{activities: []activity{{d.hosts.rows[random.IntN(len(d.hosts.rows))].Name, []string{"rebooting", ""}[random.IntN(2)]}}})
		case 5:
			d.send(batchMsg{plans: []plan{{d.hosts.rows[random.IntN(len(d.hosts.rows))].Name, []Text{{"note", "build"}, {"out", "  would build 4 derivations"}}}}})
		case 6:
			for n := range 200 {
				run.line("hsb0", "out", fmt.Sprintf("hello> %d", n))
			}
		}
		key := keys[random.IntN(len(keys))]
		dialog, before := d.dialog, len(d.owner.hosts)
		d.press(key)
		if did := len(d.owner.hosts); did > before {
			if dialog == nil || key != "enter" && key != "y" {
				t.Fatalf("press %d, %q: %v without a dialog", i, key, d.owner.hosts[before])
			}
			if !slices.Equal(dialog.hosts, d.owner.hosts[before]) {
				t.Fatalf("press %d: the dialog named %v, the action got %v", i, dialog.hosts, d.owner.hosts[before])
			}
		}
		d.fits100x30(t, i, key)
		if i%500 == 0 {
			for range 8 {
				d.press("esc")
			}
			if d.dialog != nil || d.prompt != nil || d.commands != nil || d.menu != nil || d.help.open || d.runsPage.open || d.page.row != nil || d.focus != onTable || d.list.filter != "" {
				t.Fatalf("press %d: esc does not lead back to the table\n%s", i, d.screen())
			}
		}
	}
}

func (d *driver) fits100x30(t *testing.T, press int, key string) {
	t.Helper()
	lines := strings.Split(d.View().Content, "\n")
	if len(lines) != 30 {
		t.Fatalf("press %d, %q: %d lines\n%s", press, key, len(lines), strings.Join(lines, "\n"))
	}
	for _, l := range lines {
		if ansi.StringWidth(l) > 100 {
			t.Fatalf("press %d, %q: a line of %d columns: %q", press, key, ansi.StringWidth(l), l)
		}
	}
}

func TestTableFitsEveryWindow(t *testing.T) {
	for width := 1; width < 260; width += 7 {
		for height := 1; height < 75; height += 5 {
			d := newDriver(barta(), width, height).atRest()
			d.newRun().midway()
			for _, keys := range [][]string{nil, {"j", "enter"}, {"esc", "l", "w"}, {"esc", "?"}, {"esc", "a", "d"}, {"esc", "g", "j", "j", "a", "R"}, {"esc", "esc", "v"}, {"esc", "ctrl+r"}, {"esc", ":"}, {"esc", "m"}, {"esc", "H"}, {"l"}, {"esc", "esc"}} {
				d.press(keys...)
				lines := strings.Split(d.screen(), "\n")
				if len(lines) > height {
					t.Fatalf("%d lines in %dx%d after %v", len(lines), width, height, keys)
				}
				for _, l := range lines {
					if ansi.StringWidth(l) > width {
						t.Fatalf("%d columns in %dx%d after %v: %q", ansi.StringWidth(l), width, height, keys, l)
					}
				}
			}
		}
	}
}

// FuzzHostTextIsOnlyText checks that text from a host, which is cleaned when it enters the program,
// stays harmless when it is cut, wrapped and painted.
func FuzzHostTextIsOnlyText(f *testing.F) {
	for _, s := range []string{"plain", "\x1b]52;c;aGk=\x07", "\x9b31m", "a\rb", "\u202egnp.exe", "\xff\xfe", "日本\u0301語", "\x1b[2J\x1b[H", strings.Repeat("ä", 300), "👨‍👩‍👧"} {
		f.Add(s, s, byte(80))
	}
	f.Fuzz(func(t *testing.T, line, reason string, width byte) {
		line, reason = clean.Line([]byte(line)), clean.Line([]byte(reason))
		d := newDriver(barta(), max(int(width), minWidth), 24)
		d.options.Profile = colorprofile.TrueColor
		d.repaint()
		run := d.newRun()
		run.start("hsb0", "hsb1", "hsb8")
		run.line("hsb0", "out", line)
		run.line("hsb0", "warn", line)
		run.finish("hsb1", fleet.Result{Outcome: fleet.Failed, Reason: reason, Hint: line})
		for _, keys := range [][]string{nil, {"enter"}, {"w", "T"}, {"/", "a"}, {"enter"}} {
			d.press(keys...)
			for _, r := range ansi.Strip(d.View().Content) {
				if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
					t.Fatalf("%U reached the terminal from %q and %q", r, line, reason)
				}
			}
			for _, l := range strings.Split(d.View().Content, "\n") {
				if ansi.StringWidth(l) > d.width {
					t.Fatalf("a line of %d columns in %d: %q", ansi.StringWidth(l), d.width, l)
				}
			}
		}
	})
}
