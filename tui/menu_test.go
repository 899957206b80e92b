package tui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
)

func TestMenuNamesKeysAndWhyNot(t *testing.T) {
	d := newDriver(barta(), 100, 40).atRest()
	d.press("m")
	d.wantShown(t, "─ hsb0 ─", "▸ ", "d       deploy      pull, build and switch", "x       cancel      no run is in progress here", "F       retry       no host has failed")
	d.press("d")
	if d.menu != nil || d.dialog == nil {
		t.Fatal("the key of an entry does not open its dialog")
	}
	d.press("esc", "m", "x")
	d.wantShown(t, "no run is in progress here")
	d.press("space", "space", "m", "j", "k", "q")
	if d.menu != nil || len(d.owner.hosts) > 0 {
		t.Error("q does not close the menu")
	}
	d.press("m")
	d.wantShown(t, "─ 2 marked hosts ─")
}

func TestMenuOfReadOnlyTableExplains(t *testing.T) {
	d := newDriver(barta(), 120, 40).atRest()
	d.options.ReadOnly = "the table was opened with --read-only"
	d.press("m")
	d.wantShown(t, "deploy      the table was opened with --read-only")
}

func TestYankCopiesWhatIsKnown(t *testing.T) {
	d := newDriver(barta(), 100, 40).atRest()
	d.newRun().finish("hsb8", fleet.Result{Outcome: fleet.Failed})
	d.press("y", "r")
	if d.copied != currentRev {
		t.Errorf("copied %q", d.copied)
	}
	d.wantShown(t, "copied the revision (if your terminal allows it): 3f9c2ab")
	d.press("y", "e")
	d.wantShown(t, "nothing is wrong with it")
	d.newRun().midway()
	d.press("e", "y", "e")
	if want := "builder for grafana-11.4.0 failed with exit code 1"; d.copied != want {
		t.Errorf("copied %q, want %q", d.copied, want)
	}
}

func TestPagerGetsWholeLogThatIsShown(t *testing.T) {
	d := newDriver(barta(), 100, 40).atRest()
	last := func() Page { return d.owner.pages[len(d.owner.pages)-1] }
	d.press("L")
	if p := last(); p.Host != "hsb0" || p.Run != "" || p.Lines != nil {
		t.Errorf("a host without a log: %+v", p)
	}
	d.newRun().finished()
	d.press("L")
	if p := last(); p.Run != "20261124-120000-k3f9" || p.Host != "" {
		t.Errorf("the report of a run: %+v", p)
	}
	d.press("tab", "j", "L")
	if p := last(); p.Lines == nil || p.Run != "" {
		t.Errorf("a complete log: %+v", p)
	}
	d.hosts.rows[0].log.buffer = longLog(10)
	d.hosts.rows[0].log.buffer.push(logLine{text: "more"})
	d.press("g", "L")
	if p := last(); p.Run != "20261124-120000-k3f9" || p.Host != "hsb0" {
		t.Errorf("a log that is not complete: %+v", p)
	}
}

func TestEditedInventoryIsReadAgain(t *testing.T) {
	edit := func(d *driver, e Edited) { d.send(editorClosedMsg{func() (Edited, error) { return e, nil }}) }
	d := newDriver(barta(), 100, 40).atRest()
	edit(d, Edited{Name: "hosts.toml", Changed: true, Findings: []string{"line 4: unknown key \"waves\"\n  did you mean wave?"}})
	d.wantShown(t, "1 problem in hosts.toml", `line 4: unknown key "waves"`, "did you mean wave?", "Edit again")
	d.press("esc")
	edit(d, Edited{Name: "hosts.toml"})
	d.wantShown(t, "hosts.toml is as it was")
	run := d.newRun()
	run.midway()
	edit(d, Edited{Name: "hosts.toml", Changed: true})
	d.wantShown(t, "hosts.toml is valid; close the table and open it again")
	if d.reopen {
		t.Error("the table closed during a run")
	}
	run.finished()
	edit(d, Edited{Name: "hosts.toml", Changed: true})
	if !d.reopen {
		t.Error("the table is not opened again")
	}
}

func TestMenuFitsLowWindow(t *testing.T) {
	d := newDriver(barta(), 60, 15).atRest()
	d.press("m")
	for range 30 {
		d.press("down")
	}
	lines := strings.Split(ansi.Strip(d.screen()), "\n")
	if len(lines) != 15 || !strings.Contains(d.screen(), "▸ ") {
		t.Errorf("%d lines:\n%s", len(lines), d.screen())
	}
}

func longLog(lines int) *logBuffer {
	log := newLogBuffer(lines)
	for i := range lines {
		log.push(logLine{at: noon, stream: "out", text: fmt.Sprintf("copying path '/nix/store/%032d-hello-2.12'", i)})
	}
	return log
}
