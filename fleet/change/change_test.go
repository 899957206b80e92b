package change

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// facts parses lines of KEY VALUE as a host prints them.
func facts(text string) *Set {
	var p Parser
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(clean.Line([]byte(line)), " ")
		p.Fact(key, value)
	}
	return p.Set()
}

// TestParserReadsOutputOfNix has the output of Nix 2.8, which colors sizes even without a terminal,
// about two closures in a store of its own.
func TestParserReadsOutputOfNix(t *testing.T) {
	got := facts("closure 20312 33056\n" +
		"difference a: ε → ∅\n" +
		"difference etc-os: ∅ → ε\n" +
		"difference foo: 1.0 → 1.1, \x1b[31;1m+31.1 KiB\x1b[0m\n" +
		"difference new-tool: ∅ → 4.2\n" +
		"difference nixos-system-x: 1.0 → 1.1\n" +
		"difference old-tool: 3 → ∅\n" +
		"difference source: \x1b[32;1m-18.7 KiB\x1b[0m\n" +
		"compared\n")
	want := &Set{
		Packages: []Package{
			{"a", "", "", Gone, ""},
			{"etc-os", "", "", New, ""},
			{"foo", "1.0", "1.1", Up, "+31.1 KiB"},
			{"new-tool", "", "4.2", New, ""},
			{"nixos-system-x", "1.0", "1.1", Up, ""},
			{"old-tool", "3", "", Gone, ""},
			{"source", "", "", Size, "-18.7 KiB"},
		},
		Counts:  map[Word]int{Up: 2, New: 2, Gone: 2, Size: 1},
		Closure: &Closure{20312, 33056, 12744},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if text := got.Summary(); text != "2 up, 2 new, 2 gone, 1 in size; closure 32.3 KiB, +12.4 KiB" {
		t.Error(text)
	}
}

// TestParserReadsNamesOfPaths has the same closures as they are reported by a host without nix
// store diff-closures. Sizes of packages are not known then.
func TestParserReadsNamesOfPaths(t *testing.T) {
	got := facts("only before a\nonly before foo-1.0\nonly before nixos-system-x-1.0\nonly before old-tool-3\n" +
		"only after etc-os\nonly after foo-1.1\nonly after new-tool-4.2\nonly after nixos-system-x-1.1\ncompared\n")
	want := &Set{
		Packages: []Package{
			{"a", "", "", Gone, ""},
			{"etc-os", "", "", New, ""},
			{"foo", "1.0", "1.1", Up, ""},
			{"new-tool", "", "4.2", New, ""},
			{"nixos-system-x", "1.0", "1.1", Up, ""},
			{"old-tool", "3", "", Gone, ""},
		},
		Counts: map[Word]int{Up: 2, New: 2, Gone: 2},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestPackageIsDownOnlyIfItsVersionIsOlder(t *testing.T) {
	for line, want := range map[string]Package{
		"curl: 8.17.0, 8.17.0-bin → 8.9.1, 8.9.1-bin, -12.0 KiB": {"curl", "8.17.0, 8.17.0-bin", "8.9.1, 8.9.1-bin", Down, "-12.0 KiB"},
		"vpn-hub: ∅ → 2.1.0, +8.2 MiB":                           {"vpn-hub", "", "2.1.0", New, "+8.2 MiB"},
		"source: +1.2 TiB":                                       {"source", "", "", Size, "+1.2 TiB"},
	} {
		if got, ok := parseDifference(line); !ok || got != want {
			t.Errorf("%q: %+v", line, got)
		}
	}
	for _, line := range []string{"error: a word and another", "two words: 1 → 2", ": 1 → 2", "linux"} {
		if got, ok := parseDifference(line); ok {
			t.Errorf("%q is not about a package: %+v", line, got)
		}
	}
}

// TestParserReadsUnitsOfEveryKind has what switch-to-configuration, sd-switch and nix-darwin print.
func TestParserReadsUnitsOfEveryKind(t *testing.T) {
	for text, want := range map[string][]Units{
		`stopping the following units: accounts-daemon.service, nscd.service
NOT restarting the following changed units: display-manager.service
activating the configuration...
setting up /etc...
reloading user units for mba...
restarting the following user units: nixos-activation.service
restarting sysinit-reactivation.target
reloading the following units: dbus.service
restarting the following units: nix-daemon.service, polkit.service
starting the following units: accounts-daemon.service, nscd.service
the following new units were started: nscd.service, dev-disk-by\x2dlabel-root.device`: {
			{"stop", []string{"accounts-daemon.service", "nscd.service"}},
			{"reload", []string{"dbus.service"}},
			{"restart", []string{"nixos-activation.service", "nix-daemon.service", "polkit.service"}},
			{"start", []string{"accounts-daemon.service", "nscd.service", `dev-disk-by\x2dlabel-root.device`}},
		},
		`Activating reloadSystemd
Stopping units: gammastep.service, hypridle.service
Starting units: pueued.service`: {
			{"stop", []string{"gammastep.service", "hypridle.service"}}, {"start", []string{"pueued.service"}},
		},
		`setting up launchd services...
reloading service org.nixos.nix-daemon
creating service org.nixos.sync
removing user service org.nixos.old
reloading service 1 of 3`: {
			{"stop", []string{"org.nixos.old"}}, {"reload", []string{"org.nixos.nix-daemon"}}, {"start", []string{"org.nixos.sync"}},
		},
	} {
		var p Parser
		for line := range strings.Lines(text) {
			p.Output(strings.TrimSuffix(line, "\n"))
		}
		s := p.Set()
		if s == nil || !reflect.DeepEqual(s.Units, want) {
			t.Errorf("%s\n%+v", text, s)
			continue
		}
		if !strings.HasPrefix(s.Summary(), "packages unknown: ") {
			t.Errorf("packages that were not compared are not unknown: %s", s.Summary())
		}
	}
}

func TestParserBoundsWhatHostReports(t *testing.T) {
	var p Parser
	long := strings.Repeat("x", 1000)
	for i := range maxParsed + 10 {
		p.Fact("difference", fmt.Sprintf("%s%d: 1 → %s", long, i, long))
		p.Fact("only", "after "+long+fmt.Sprint(i))
		p.Output(fmt.Sprintf("stopping the following units: u%d.service", i))
	}
	p.Fact("closure", "18446744073709551615 0")
	p.Fact("more", "18446744073709551615")
	s := p.Set()
	s.Shorten(MaxPackages)
	text, err := json.Marshal(s)
	if err != nil || len(text) > 200<<10 || len(s.Packages) != MaxPackages || len(s.Units[0].Units) != MaxUnits {
		t.Errorf("%d bytes, %d packages, %v", len(text), len(s.Packages), err)
	}
	if s.Closure.Before != MaxClosure || s.Closure.Difference != -MaxClosure || s.More != maxMore {
		t.Errorf("%+v, %d more", s.Closure, s.More)
	}
}

func TestPackagesThatDifferOnlyInSizeAreLeftOutFirst(t *testing.T) {
	s := facts("difference a: +9.0 KiB\ndifference b: 1 → 2\ndifference c: +9.0 KiB\ndifference d: 1 → ∅\nmore 3\ncompared\n")
	want := []string{"↑ up    b 1 → 2", "- gone  d 1", "and 5 more"}
	if got := s.Lines(2, false); !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	if got := s.Lines(1, false); got[0] != want[0] || got[1] != "and 6 more" {
		t.Errorf("%q", got)
	}
	if got := s.Totals(); got != "1 up, 1 gone, 2 in size, 3 more" {
		t.Error(got)
	}
}

func TestUndoneChangesSayThatNothingChanged(t *testing.T) {
	s := facts("difference b: 1 → 2\ncompared\n")
	s.Undone = true
	if got := s.Summary(); got != "nothing in the end; undone: 1 up" {
		t.Error(got)
	}
	if s := facts("incomparable first\n"); s.Summary() != "packages unknown: nothing ran before" {
		t.Error(s.Summary())
	}
	if s := facts("compared\n"); s.Summary() != "no package changed" {
		t.Error(s.Summary())
	}
}

func TestClosureShowsOnlyVisibleDifference(t *testing.T) {
	for difference, want := range map[int64]string{
		0: "closure 4.0 KiB", 40: "closure 4.0 KiB", -40: "closure 4.0 KiB", -2048: "closure 4.0 KiB, -2.0 KiB",
	} {
		if got := (&Closure{After: 4096, Difference: difference}).String(); got != want {
			t.Errorf("%d: got %q, want %q", difference, got, want)
		}
	}
}

func TestOlderComparesNumbersAsNumbers(t *testing.T) {
	inOrder := []string{"1.9", "1.10", "1.10.1", "2.0-rc1", "2.0-rc2", "10"}
	for i, a := range inOrder {
		for j, b := range inOrder {
			if older(a, b) != (i < j) {
				t.Errorf("older(%q, %q) is %v", a, b, i >= j)
			}
		}
	}
}
