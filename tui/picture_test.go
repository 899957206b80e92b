package tui

import (
	"context"
	"flag"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/picture"
)

var pictures = flag.Bool("pictures", false, "redraw docs/pictures")

// TestPictures checks that the pictures in docs/pictures exist. They are screens of the real
// program. To redraw them:
//
//	go test ./tui -run Pictures -pictures
func TestPictures(t *testing.T) {
	for _, p := range []struct {
		name   string
		colors picture.Colors
		height int
		fill   func(*Table)
		keys   []string
	}{
		{"table", picture.Dark, 30, scene, []string{"j", "j", "j", "j", "j"}},
		{"host", picture.Dark, 30, scene, []string{"j", "j", "j", "enter"}},
		{"deploy", picture.Light, 24, nil, []string{"j", "space", "space", "d"}},
	} {
		path := filepath.Join("..", "docs", "pictures", p.name+".svg")
		if !*pictures {
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
			continue
		}
		s := newScreen(t, 110, p.height)
		table := s.startTable(Settings{Theme: Vivid}, colorprofile.TrueColor, p.colors == picture.Light, p.fill)
		for _, key := range p.keys {
			table.program.Send(keyPress(key))
		}
		time.Sleep(500 * time.Millisecond)
		if err := os.WriteFile(path, []byte(s.svg(p.colors)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// scene fills the table with a deploy in progress and its logs.
func scene(table *Table) {
	run := &scriptedRun{emit: table.Event}
	run.midway()
	for _, line := range []string{
		"these 12 derivations will be built:", "building '/nix/store/…-linux-6.12.9.drv'", "copying path '/nix/store/…-openssh-10.2p1' from 'https://cache.nixos.org'",
	} {
		run.line("hsb0", "out", line)
	}
	for _, line := range []string{"activating the configuration...", "setting up /etc...", "reloading user units for mba...", "Activating linkGeneration", "Creating home file links in /Users/mba"} {
		run.line("mba-imac-work", "out", line)
	}
	for _, line := range []string{"building '/nix/store/…-grafana-11.4.0.drv'", "grafana> running tests", "grafana> --- FAIL: TestAlerting (0.21s)",
		"error: builder for '/nix/store/…-grafana-11.4.0.drv' failed with exit code 1"} {
		run.line("csb1", "out", line)
	}
	run.event(time.Minute, fleet.Event{Type: fleet.StepStarted, Host: "imac0", Step: fleet.Pull})
}

// svg returns the screen as a picture.
func (s *screen) svg(c picture.Colors) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return picture.Still(s.emu, c)
}

func hex(c color.Color) string { return picture.Hex(c) }

// startTable runs a table on the screen until the test ends. It shows barta at rest, and what fill
// adds.
func (s *screen) startTable(settings Settings, profile colorprofile.Profile, light bool, fill func(*Table)) *Table {
	s.mu.Lock()
	width, height := s.emu.Width(), s.emu.Height()
	s.mu.Unlock()
	var owner fakeOwner
	table := newTable(context.Background(), TableOptions{
		Out: s, Environ: []string{"TERM=xterm-256color"}, Profile: profile, Now: func() time.Time { return noon.Add(83 * time.Second) },
		Inventory: barta(), Actions: owner.actions(), Settings: settings,
	}, tea.WithWindowSize(width, height), tea.WithoutSignalHandler())
	ended := make(chan error, 1)
	go func() { ended <- table.Run() }()
	s.t.Cleanup(func() {
		table.program.Quit()
		if err := <-ended; err != nil && table.ui.panicked == nil {
			s.t.Error(err)
		}
	})
	if light {
		table.program.Send(tea.BackgroundColorMsg{Color: hexColor(0xffffff)})
	}
	table.feed.add(func(b *batch) {
		b.statuses, b.target = statusesAtRest(), &Target{Revision: currentRev, Subject: "hsb0: adguard on port 53", Time: noon.Add(-2 * time.Hour)}
	})
	if fill != nil {
		fill(table)
	}
	s.waitFor(s.t, func(text string) bool {
		return strings.Contains(text, "barta") || strings.Contains(text, "the terminal is")
	}, "the table")
	// the batches must come before the keys
	time.Sleep(2 * batchInterval)
	return table
}
