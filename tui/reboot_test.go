package tui

import (
	"slices"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

func TestARebootWantsTheCountTypedEvenOfOneHost(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.press("ctrl+r")
	d.mustShow(t, "reboot 1 host?", "hsb0", "type 1 to go on")
	d.press("enter", "tab", "enter", "2", "enter")
	if len(d.asked.hosts) > 0 {
		t.Fatalf("rebooted %v without the count", d.asked.hosts)
	}
	d.press("backspace", "1", "enter")
	if want := [][]string{{"hsb0"}}; !slices.EqualFunc(d.asked.hosts, want, slices.Equal) {
		t.Errorf("rebooted %v, want %v", d.asked.hosts, want)
	}
}

func TestAHomeIsNoMachineToReboot(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.press("a", "ctrl+r")
	d.mustShow(t, "reboot 6 hosts?", "not mba-imac-work, imac0, mba-mbp-work: homes", "in waves: 1 (5 hosts), then 2 (1 host)")
	d.press("6", "enter")
	if len(d.asked.hosts) != 1 || slices.Contains(d.asked.hosts[0], "imac0") || len(d.asked.hosts[0]) != 6 {
		t.Errorf("rebooted %v", d.asked.hosts)
	}
	d.press("a", "G", "k", "ctrl+r")
	d.mustShow(t, "mba-mbp-work: a user's home is no machine to reboot")
}

func TestAHostThatRebootsSaysSoAndIsLeftInPeace(t *testing.T) {
	d := newDesk(barta(), 120, 30).rest()
	d.send(batchMsg{doings: []doing{{"hsb0", "rebooting"}}})
	d.clock = d.clock.Add(12 * time.Second)
	d.send(batchMsg{events: []fleet.Event{{Type: fleet.LogLine, Host: "hsb0", Stream: "note", Line: "to be rebooted"}}})
	d.mustShow(t, "▸ rebooting", "0:12", "to be rebooted", "1 working")
	d.press("d")
	d.mustShow(t, "hsb0 is rebooting")
	if d.dialog != nil {
		t.Error("it asks")
	}
	d.press("q")
	d.mustShow(t, "leave?", "hsb0 is rebooting", "hosts of later waves are not begun")
	d.press("esc")
	d.send(batchMsg{doings: []doing{{"hsb0", ""}}})
	d.mustShow(t, "✓ current")
	d.press("d")
	d.mustShow(t, "deploy 1 host?")
}
