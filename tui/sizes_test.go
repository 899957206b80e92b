package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/picture"
)

var gallery = flag.String("gallery", "", "draw the screens of TestScreensAtEverySize into this directory")

// TestScreensAtEverySize compares screens with golden files, one for each scene with all sizes. To
// look at them as pictures:
//
//	go test ./tui -run ScreensAtEverySize -gallery /tmp/gallery
func TestScreensAtEverySize(t *testing.T) {
	sizes := [][2]int{{60, 15}, {80, 24}, {120, 35}, {160, 45}, {200, 60}, {250, 70}}
	for _, scene := range []struct {
		name string
		show func(width, height int) *driver
	}{
		{"rest", func(w, h int) *driver { return newDriver(barta(), w, h).atRest() }},
		{"deploying", func(w, h int) *driver {
			d := newDriver(barta(), w, h).atRest()
			run := d.newRun()
			run.midway()
			for _, line := range []string{"these 12 derivations will be built:", "building '/nix/store/7rjj3h2x-linux-6.12.9.drv'", "copying path '/nix/store/7rjj3h2x-openssh-10.2p1' from 'https://cache.nixos.org'"} {
				run.line("hsb0", "out", line)
			}
			return d
		}},
		{"failed", func(w, h int) *driver {
			d := newDriver(barta(), w, h).atRest()
			d.newRun().finished()
			d.clock = d.clock.Add(time.Minute)
			d.send(tickMsg{})
			return d
		}},
		{"unknown-key", func(w, h int) *driver {
			d := newDriver(barta(), w, h).atRest()
			d.send(batchMsg{statuses: []Status{{Host: "csb0", Err: codedError("host-key-unknown"), Time: noon}, {Host: "hsb0", Err: codedError("login"), Time: noon}}})
			d.press("G")
			return d
		}},
		{"unreachable", func(w, h int) *driver {
			d := newDriver(barta(), w, h).atRest()
			d.clock = d.clock.Add(10 * time.Minute)
			for _, r := range d.hosts.rows {
				d.send(batchMsg{statuses: []Status{{Host: r.Name, Err: offlineError("connect: no route to host (10.0.0.4:22)"), Time: d.clock}}})
			}
			return d
		}},
		{"many", func(w, h int) *driver {
			d := newDriver(large(200), w, h)
			run, names := d.newRun(), []string{}
			for _, r := range d.hosts.rows[:120] {
				names = append(names, r.Name)
			}
			run.start(names...)
			for i, name := range names[:60] {
				run.step(name, []fleet.Step{fleet.Pull, fleet.Build, fleet.Activate}[i%3], time.Second)
				if i%4 == 0 {
					run.finish(name, fleet.Result{Outcome: fleet.Switched, Before: oldRev, After: currentRev, Seconds: float64(20 + i)})
				}
			}
			d.press("j", "j", "j", "j")
			return d
		}},
		{"dialog", func(w, h int) *driver {
			d := newDriver(barta(), w, h).atRest()
			d.press("a", "d")
			return d
		}},
		{"menu", func(w, h int) *driver {
			d := newDriver(barta(), w, h).atRest()
			d.press("j", "m")
			return d
		}},
		{"host", func(w, h int) *driver {
			d := newDriver(barta(), w, h).atRest()
			d.newRun().finished()
			d.press("e", "e", "e", "enter")
			return d
		}},
		{"runs", func(w, h int) *driver {
			d := newDriver(barta(), w, h).atRest()
			d.press("H", "j")
			return d
		}},
	} {
		t.Run(scene.name, func(t *testing.T) {
			t.Parallel()
			var all strings.Builder
			for _, size := range sizes {
				d := scene.show(size[0], size[1])
				fmt.Fprintf(&all, "== %dx%d ==\n", size[0], size[1])
				for line := range strings.Lines(ansi.Strip(d.screen())) {
					all.WriteString(strings.TrimRight(line, " \n") + "\n")
				}
				if *gallery != "" {
					d.draw(t, filepath.Join(*gallery, fmt.Sprintf("%s-%dx%d", scene.name, size[0], size[1])))
				}
			}
			path := filepath.Join("testdata", "sizes-"+scene.name+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(all.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if all.String() != string(want) {
				t.Errorf("the screens differ from %s:\n%s", path, firstDifference(all.String(), string(want)))
			}
		})
	}
}

// firstDifference returns the first line that differs, after the size of its screen.
func firstDifference(got, want string) string {
	size, wanted := "", strings.Split(want, "\n")
	for i, line := range strings.Split(got, "\n") {
		if strings.HasPrefix(line, "== ") {
			size = line
		}
		if i >= len(wanted) || line != wanted[i] {
			return fmt.Sprintf("%s\n got %q\nwant %q", size, line, append(wanted, "")[min(i, len(wanted))])
		}
	}
	return "lines are missing at the end"
}

// draw draws the screen on a dark and on a light background.
func (d *driver) draw(t *testing.T, path string) {
	t.Helper()
	d.options.Profile, d.options.Settings.Theme = colorprofile.TrueColor, Vivid
	for name, c := range map[string]picture.Colors{"dark": picture.Dark, "light": picture.Light} {
		d.dark = name == "dark"
		d.repaint()
		s := newScreen(t, d.width, d.height)
		s.Write([]byte(d.View().Content))
		if err := os.WriteFile(path+"-"+name+".svg", []byte(s.svg(c)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
