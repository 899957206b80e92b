package tui

import (
	"slices"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

func TestRebootOfOneHostExpectsCount(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("ctrl+r")
	d.wantShown(t, "reboot 1 host?", "hsb0", "this reboots the host: type 1 to confirm")
	d.press("enter", "tab", "enter", "2", "enter")
	if len(d.owner.hosts) > 0 {
		t.Fatalf("rebooted %v without the count", d.owner.hosts)
	}
	d.press("backspace", "1", "enter")
	if want := [][]string{{"hsb0"}}; !slices.EqualFunc(d.owner.hosts, want, slices.Equal) {
		t.Errorf("rebooted %v, want %v", d.owner.hosts, want)
	}
}

func TestRebootLeavesOutHomes(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("a", "ctrl+r")
	d.wantShown(t, "reboot 6 hosts?", "not mba-imac-work, imac0, mba-mbp-work: home hosts", "in waves: 1 (5 hosts), then 2 (1 host)")
	d.press("6", "enter")
	if len(d.owner.hosts) != 1 || slices.Contains(d.owner.hosts[0], "imac0") || len(d.owner.hosts[0]) != 6 {
		t.Errorf("rebooted %v", d.owner.hosts)
	}
	d.press("a", "G", "k", "ctrl+r")
	d.wantShown(t, "mba-mbp-work: home hosts cannot be rebooted")
}

func TestRebootingHostCannotBeDeployed(t *testing.T) {
	d := newDriver(barta(), 120, 30).atRest()
	d.send(batchMsg{activities: []activity{{"hsb0", "rebooting"}}})
	d.clock = d.clock.Add(12 * time.Second)
	d.send(batchMsg{events: []fleet.Event{{Type: fleet.LogLine, Host: "hsb0", Stream: "note", Line: "to be rebooted"}}})
	d.wantShown(t, "▸ rebooting", "0:12", "to be rebooted", "1 working")
	d.press("d")
	d.wantShown(t, "hsb0 is rebooting")
	if d.dialog != nil {
		t.Error("a dialog opened")
	}
	d.press("q")
	d.wantShown(t, "leave?", "hsb0 is rebooting", "hosts of later waves will not start")
	d.press("esc")
	d.send(batchMsg{activities: []activity{{"hsb0", ""}}})
	d.wantShown(t, "✓ current")
	d.press("d")
	d.wantShown(t, "deploy 1 host?")
}
