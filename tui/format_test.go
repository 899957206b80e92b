package tui

import (
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

func TestStopwatch(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0:00", 0: "0:00", 59 * time.Second: "0:59", time.Minute: "1:00", 3599 * time.Second: "59:59",
		time.Hour: "1:00:00", 25*time.Hour + 61*time.Second: "25:01:01",
	} {
		if got := stopwatch(d); got != want {
			t.Errorf("stopwatch(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-1: "", 0: "now", 59 * time.Second: "now", time.Minute: "1m", 59 * time.Minute: "59m", time.Hour: "1h",
		47 * time.Hour: "47h", 48 * time.Hour: "2d", 73 * time.Hour: "3d",
	} {
		if got := ago(d); got != want {
			t.Errorf("ago(%v) = %q, want %q", d, got, want)
		}
	}
	if got := age(time.Time{}, noon); got != "" {
		t.Errorf("the zero time has the age %q", got)
	}
	if got := age(noon.Add(time.Hour), noon); got != "now" {
		t.Errorf("a time in the future has the age %q", got)
	}
}

func TestPadAndTruncate(t *testing.T) {
	for _, test := range []struct {
		text      string
		width     int
		pad, left string
	}{
		{"abc", 5, "abc  ", "  abc"},
		{"abc", 3, "abc", "abc"},
		{"abcd", 3, "ab…", "ab…"},
		{"abcd", 1, "…", "…"},
		{"abcd", 0, "", ""},
		{"abcd", -1, "", ""},
		{"äöü", 4, "äöü ", " äöü"},
		{"äöüß", 3, "äö…", "äö…"},
		{"日本語", 5, "日本…", "日本…"},
		{"日本語", 4, "日… ", " 日…"},
	} {
		if got := pad(test.text, test.width); got != test.pad {
			t.Errorf("pad(%q, %d) = %q, want %q", test.text, test.width, got, test.pad)
		}
		if got := padLeft(test.text, test.width); got != test.left {
			t.Errorf("padLeft(%q, %d) = %q, want %q", test.text, test.width, got, test.left)
		}
	}
}

func TestTextWidth(t *testing.T) {
	for text, want := range map[string]int{"": 0, " ~": 2, "ä": 1, "日": 2, "a\x1b[31mb": 2} {
		if got := textWidth(text); got != want {
			t.Errorf("textWidth(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestPluralAndDigits(t *testing.T) {
	for n, want := range map[int]string{0: "0 hosts", 1: "1 host", 2: "2 hosts"} {
		if got := plural(n, "host"); got != want {
			t.Errorf("plural(%d) = %q, want %q", n, got, want)
		}
	}
	if digits(0) != "" || digits(12) != "12" {
		t.Errorf("digits: %q, %q", digits(0), digits(12))
	}
}

func TestCountHosts(t *testing.T) {
	done := func(o fleet.Outcome) *fleet.HostState {
		return &fleet.HostState{Phase: fleet.Done, Result: &fleet.Result{Outcome: o}}
	}
	hosts := []*fleet.HostState{done(fleet.Failed), {Phase: fleet.Waiting}, {Phase: fleet.Working}, {Phase: fleet.Connecting}, done(fleet.Switched), done(fleet.Switched)}
	if got, want := countHosts(hosts), "2 working, 1 waiting, 2 switched, 1 failed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
