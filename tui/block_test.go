package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
)

// thousand returns a run of 1,000 hosts in all states.
func thousand() *fleet.State {
	state := new(fleet.State)
	run := &scriptedRun{emit: state.Apply}
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprintf("host%03d", i))
	}
	run.start(names...)
	for i, name := range names {
		switch i % 4 {
		case 0:
			run.step(name, fleet.Build, time.Second)
			run.event(time.Second, fleet.Event{Type: fleet.ProgressMade, Host: name, Progress: &fleet.Progress{Builds: 1, BuildsExpected: 4, Building: "hello-2.12"}})
		case 1:
			run.finish(name, fleet.Result{Outcome: fleet.Failed, Reason: "it does not compile"})
		case 2:
			run.finish(name, fleet.Result{Outcome: fleet.Unchanged})
		}
	}
	return state
}

func TestBlockFitsItsWindow(t *testing.T) {
	state := thousand()
	for _, size := range [][2]int{{200, 60}, {80, 24}, {60, 15}, {20, 3}, {5, 1}, {1, 2}} {
		b := newBlock(NewPalette(colorprofile.TrueColor), map[string]string{"host000": "#d4c060"})
		b.width = size[0]
		text := b.render(state, size[1], noon)
		if n := strings.Count(text, "\n"); n > size[1] {
			t.Errorf("%d lines in a window of %d", n, size[1])
		}
		for line := range strings.Lines(text) {
			if w := ansi.StringWidth(strings.TrimSuffix(line, "\n")); w > size[0] {
				t.Errorf("a line of %d columns in a window of %d: %q", w, size[0], line)
			}
		}
	}
}

func TestBlockShowsWorkingHostsFirst(t *testing.T) {
	b := newBlock(Palette{}, nil)
	b.width = 80
	lines := strings.Split(b.render(thousand(), 300, noon), "\n")
	for i, want := range map[int]string{1: "build", 250: "build", 251: "failed", 299: "more: 250 waiting, 250 unchanged, 202 failed"} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %q, want %q in it", i, lines[i], want)
		}
	}
}

func BenchmarkBlockOf1000Hosts(b *testing.B) {
	state := thousand()
	block := newBlock(NewPalette(colorprofile.TrueColor), nil)
	block.width = 160
	for b.Loop() {
		block.render(state, 48, noon)
	}
}
