package tui

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/vt"

	"github.com/markus-barta/nixfleet/fleet"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// screen is a terminal in memory.
type screen struct {
	t   testing.TB
	mu  sync.Mutex
	emu *vt.Emulator
}

func newScreen(t testing.TB, width, height int) *screen {
	s := &screen{t: t, emu: vt.NewEmulator(width, height)}
	s.Write([]byte("\x1b[20h")) // a newline returns the carriage, as a terminal that is not raw has it
	drained := make(chan struct{})
	go func() { // what the terminal would answer
		defer close(drained)
		io.Copy(io.Discard, s.emu)
	}()
	t.Cleanup(func() { s.emu.InputPipe().(io.Closer).Close(); <-drained })
	return s
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emu.Write(p)
}

// text is what a person sees, without trailing blanks.
func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := strings.Split(s.emu.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// coloured is the same with its escape sequences.
func (s *screen) coloured() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emu.Render()
}

// shows waits until the screen is as the golden file has it.
func (s *screen) shows(t *testing.T, golden string) {
	t.Helper()
	path := filepath.Join("testdata", golden)
	if *update {
		time.Sleep(500 * time.Millisecond)
		if err := os.WriteFile(path, []byte(s.text()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s.becomes(t, func(text string) bool { return text == string(want) }, "as in "+path+":\n"+string(want))
}

// becomes waits for a screen that holds.
func (s *screen) becomes(t testing.TB, holds func(text string) bool, wanted string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !holds(s.text()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the screen is\n%s\nand should be %s", s.text(), wanted)
		}
	}
}

// show starts a block on the screen, at a clock that stands still.
func (s *screen) show(o Options) *Live {
	o.Out = s
	o.Environ = []string{"TERM=xterm-256color"}
	o.Now = func() time.Time { return noon.Add(83 * time.Second) }
	s.mu.Lock()
	width, height := s.emu.Width(), s.emu.Height()
	s.mu.Unlock()
	return start(o, tea.WithWindowSize(width, height))
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// story makes events as an engine would.
type story struct {
	tell func(fleet.Event)
	seq  uint64
}

func (s *story) event(after time.Duration, ev fleet.Event) {
	s.seq++
	ev.Run, ev.Seq, ev.Time = "20261124-120000-k3f9", s.seq, noon.Add(after)
	s.tell(ev)
}

func (s *story) begins(names ...string) {
	start := fleet.Start{Fleet: "barta", Goal: "switch", Revision: "3f9c2ab0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6", Operator: "mba@imac0"}
	for _, name := range names {
		wave := 1
		if name == "csb0" {
			wave = 2
		}
		start.Hosts = append(start.Hosts, fleet.PlannedHost{Name: name, Kind: "nixos", Wave: wave})
	}
	s.event(0, fleet.Event{Type: fleet.RunStarted, Start: &start})
}

func (s *story) step(host string, step fleet.Step, after time.Duration) {
	s.event(after, fleet.Event{Type: fleet.StepStarted, Host: host, Step: step})
}

func (s *story) says(host, stream, line string) {
	s.event(time.Minute, fleet.Event{Type: fleet.LogLine, Host: host, Stream: stream, Line: line})
}

func (s *story) ends(host string, r fleet.Result) {
	s.event(time.Minute, fleet.Event{Type: fleet.HostFinished, Host: host, Result: &r})
}

// middle is a run with a host in every state that a person may see.
func (s *story) middle() {
	s.begins("hsb0", "hsb1", "hsb8", "csb1", "gpc0", "mba-imac-work", "imac0", "csb0")
	for _, host := range []string{"hsb0", "hsb1", "hsb8", "csb1", "gpc0", "mba-imac-work", "imac0"} {
		s.step(host, fleet.Connect, time.Second)
	}
	s.step("hsb0", fleet.Build, 3*time.Second)
	s.event(time.Minute, fleet.Event{Type: fleet.ProgressMade, Host: "hsb0", Progress: &fleet.Progress{
		Builds: 3, BuildsExpected: 12, Copies: 41, CopiesExpected: 120, Building: "linux-6.12.9", Phase: "buildPhase"}})
	s.step("hsb1", fleet.Pull, 3*time.Second)
	s.says("hsb1", "out", "From github.com:markus-barta/nixcfg")
	s.ends("hsb8", fleet.Result{Outcome: fleet.Switched, Before: earlier, After: wanted, Generation: 42, Seconds: 34.5})
	s.ends("csb1", fleet.Result{Outcome: fleet.Failed, Step: fleet.Build, Reason: "builder for grafana-11.4.0 failed with exit code 1", Seconds: 61})
	s.ends("gpc0", fleet.Result{Outcome: fleet.Degraded, Step: fleet.Verify, Reason: "nginx.service failed", Seconds: 40})
	s.step("mba-imac-work", fleet.Activate, 40*time.Second)
}

func TestBlockShowsEveryHostOnALineOfItsOwn(t *testing.T) {
	for _, size := range []struct {
		golden        string
		width, height int
	}{
		{"middle-80x24.golden", 80, 24},
		{"middle-60x15.golden", 60, 15},
		{"middle-120x8.golden", 120, 8}, // too low for eight hosts: the last line counts
	} {
		t.Run(size.golden, func(t *testing.T) {
			s := newScreen(t, size.width, size.height)
			live := s.show(Options{Profile: colorprofile.ASCII})
			(&story{tell: live.Event}).middle()
			s.shows(t, size.golden)
			if err := live.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestWarningsStayAboveTheBlock(t *testing.T) {
	s := newScreen(t, 60, 15)
	live := s.show(Options{Profile: colorprofile.ASCII})
	run := &story{tell: live.Event}
	run.begins("hsb0", "hsb1")
	run.step("hsb0", fleet.Build, time.Second)
	s.becomes(t, func(text string) bool { return strings.Contains(text, "▸ hsb0") }, "a block")
	run.says("hsb0", "warn", "no output for 5 minutes, and this line is longer than the window is wide")
	live.Note("stopping: hsb1 will not be started")
	s.shows(t, "warnings-60x15.golden")
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestTheEndStaysOnTheScreenAndTheShellGoesOnBelow(t *testing.T) {
	s := newScreen(t, 60, 15)
	live := s.show(Options{Profile: colorprofile.ASCII})
	run := &story{tell: live.Event}
	run.begins("hsb0")
	run.ends("hsb0", fleet.Result{Outcome: fleet.Unchanged, After: "3f9c2ab0d1", Seconds: 2})
	run.event(2*time.Second, fleet.Event{Type: fleet.RunFinished, Summary: &fleet.Summary{Counts: map[fleet.Outcome]int{fleet.Unchanged: 1}, Seconds: 2}})
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(s, "$ ")
	s.shows(t, "end-60x15.golden")
}

func TestAsideGivesTheTerminalBackAndTakesItAgain(t *testing.T) {
	s := newScreen(t, 60, 15)
	live := s.show(Options{Profile: colorprofile.ASCII})
	run := &story{tell: live.Event}
	run.begins("hsb0")
	s.becomes(t, func(text string) bool { return strings.Contains(text, "hsb0") }, "a block")
	live.Aside(func() {
		run.ends("hsb0", fleet.Result{Outcome: fleet.Switched, After: "3f9c2ab0d1", Seconds: 2}) // must not wait for the screen
		io.WriteString(s, "sudo password for hsb0: \n")
		if strings.Contains(s.text(), "barta") {
			t.Errorf("the block is in the way of the question:\n%s", s.text())
		}
	})
	s.becomes(t, func(text string) bool { return strings.Contains(text, "✓ hsb0") }, "the block with hsb0 switched")
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
	s.shows(t, "aside-60x15.golden")
}

func TestColourIsNeverAloneAndNoColorLeavesItOut(t *testing.T) {
	for profile, coloured := range map[colorprofile.Profile]bool{colorprofile.ANSI256: true, colorprofile.ASCII: false} {
		s := newScreen(t, 80, 24)
		live := s.show(Options{Profile: profile, Colors: map[string]string{"hsb0": "#d4c060"}})
		(&story{tell: live.Event}).middle()
		s.shows(t, "middle-80x24.golden")
		if err := live.Close(); err != nil {
			t.Fatal(err)
		}
		text := s.coloured()
		if got := strings.Contains(text, "\x1b[31m✗") || strings.Contains(text, "38;5;"); got != coloured {
			t.Errorf("%v: colour is %v:\n%q", profile, got, text)
		}
	}
}

func TestCtrlCIsHandedToTheOwner(t *testing.T) {
	s := newScreen(t, 60, 15)
	pressed := make(chan struct{}, 1)
	live := s.show(Options{Profile: colorprofile.ASCII, Interrupt: func() { pressed <- struct{}{} }})
	live.program.Send(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
	select {
	case <-pressed:
	case <-time.After(5 * time.Second):
		t.Error("nobody heard of ctrl-c")
	}
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
}

// showsColoured is shows, with the escape sequences made legible.
func (s *screen) showsColoured(t *testing.T, golden string) {
	t.Helper()
	legible := func() string { return strings.ReplaceAll(s.coloured(), "\x1b", "␛") + "\n" }
	path := filepath.Join("testdata", golden)
	if *update {
		time.Sleep(500 * time.Millisecond)
		if err := os.WriteFile(path, []byte(legible()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s.becomes(t, func(string) bool { return legible() == string(want) }, "as in "+path)
}
