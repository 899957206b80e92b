package tui

import (
	"fmt"
	"strings"
	"testing"
)

func TestBuildOutputIsFolded(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	run := d.newRun()
	run.start("hsb0")
	run.line("hsb0", "out", "building '/nix/store/abc-hello-2.12.drv'")
	for i := range 40 {
		run.line("hsb0", "out", fmt.Sprintf("hello-2.12> checking for thing %d", i))
	}
	d.wantShown(t, "building '/nix/store", "▸ 40 lines  hello-2.12> checking for thing 39")
	run.line("hsb0", "out", "hello-2.12> checking for more")
	run.line("hsb0", "out", "copying path '/nix/store/def-curl'")
	d.wantShown(t, "▸ 41 lines  hello-2.12> checking for more", "copying path")
	d.press("l", "z")
	d.wantShown(t, "thing 39", "thing 38", "copying path")
	if strings.Contains(d.screen(), "41 lines") {
		t.Error("z does not unfold")
	}
	d.press("z")
	d.wantShown(t, "▸ 41 lines")
}

func TestNextErrorFindsErrorInFoldedOutput(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	run := d.newRun()
	run.start("hsb0")
	run.line("hsb0", "out", "hello-2.12> error: no such thing")
	for i := range 100 {
		run.line("hsb0", "out", fmt.Sprintf("hello-2.12> line %d", i))
	}
	d.press("l", "e")
	d.wantShown(t, "error: no such thing", "hello-2.12> line 0")
}

func TestIsBuildOutput(t *testing.T) {
	for text, want := range map[string]bool{
		"grafana-11.4.0> running tests": true, "gtk+3-3.24.43> ": true, "a>": true,
		"> quoted": false, "if a > b then": false, "see <https://example.org> for it": false, "a->b": false, "error: x> y": false, "": false,
	} {
		if isBuildOutput(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// TestScrollingVisitsEverySpan scrolls through a log line by line, folded or not. Every span must
// come up once in each direction.
func TestScrollingVisitsEverySpan(t *testing.T) {
	log := newLogBuffer(500)
	for i := range 1700 {
		text := fmt.Sprintf("copying path %d", i)
		if i%37 > 9 || i > 1650 {
			text = fmt.Sprintf("hello> %d", i)
		}
		log.push(logLine{stream: "out", text: text})
	}
	for _, m := range []*logStyle{{}, {unfold: true}} {
		p := &pane{buffer: log, height: 7}
		var up, down []span
		for range 600 {
			p.shown(m)
			if s := p.spans[0]; len(up) == 0 || up[len(up)-1] != s {
				up = append(up, s)
			}
			p.move(-1, m)
		}
		if s := up[len(up)-1]; s.from != log.first() {
			t.Errorf("the top is %v, not %d", s, log.first())
		}
		for range 600 {
			p.shown(m)
			if s := p.spans[0]; len(down) == 0 || down[len(down)-1] != s {
				down = append(down, s)
			}
			p.move(1, m)
		}
		if p.scrolled || len(up) != len(down) {
			t.Errorf("%d spans up, %d down, scrolled: %v", len(up), len(down), p.scrolled)
		}
		for i := range len(down) - 1 {
			if down[i].to+1 != down[i+1].from {
				t.Errorf("%v is followed by %v", down[i], down[i+1])
			}
		}
	}
}

func TestOldestTexts(t *testing.T) {
	log := newLogBuffer(3)
	if got := log.oldestTexts(8); got != nil {
		t.Errorf("an empty log has the texts %q", got)
	}
	for _, text := range []string{"a", "b", "c", "d"} {
		log.push(logLine{text: text})
	}
	for limit, want := range map[int]string{0: "", 2: "b c", 3: "b c d", 8: "b c d"} {
		if got := strings.Join(log.oldestTexts(limit), " "); got != want {
			t.Errorf("oldestTexts(%d) = %q, want %q", limit, got, want)
		}
	}
}

func TestLocate(t *testing.T) {
	log := newLogBuffer(100)
	for i := range 10 {
		log.push(logLine{text: fmt.Sprint(i % 5)})
	}
	for _, test := range []struct {
		texts          string
		expected, want int
	}{
		{"3 4", 0, 3}, {"3 4", 5, 3}, {"3 4", 6, 8}, {"3 4", 8, 8}, {"3 4", 16, 8}, {"4 0", 9, 4}, {"2 1", 4, 4}, {"0 1", -7, 0},
	} {
		if got := log.locate(strings.Fields(test.texts), test.expected); got != test.want {
			t.Errorf("locate(%q, %d) = %d, want %d", test.texts, test.expected, got, test.want)
		}
	}
}

func TestMatchesNearTheEndLeaveThePaneFull(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	log := d.hosts.rows[0].log.buffer
	for n := range 100 {
		log.push(logLine{at: noon, stream: "out", text: fmt.Sprintf("line %d", n)})
	}
	d.press("l", "/")
	for _, r := range "line 9" {
		d.press(string(r))
	}
	d.press("enter", "g")
	for range 2 {
		d.press("n")
	}
	for _, want := range []int{91, 92, 93, 94, 95, 96, 97, 98, 99, 9, 90} {
		d.press("n")
		if p := &d.hosts.rows[0].log; p.top != want {
			t.Fatalf("the match is on line %d, want %d", p.top, want)
		}
		if want > 9 {
			d.wantShown(t, "line 99")
		}
	}
}
