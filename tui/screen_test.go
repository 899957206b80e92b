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

var update = flag.Bool("update", false, "rewrite the golden screens")

// screen is a terminal in memory.
type screen struct {
	t   testing.TB
	mu  sync.Mutex
	emu *vt.Emulator
}

func newScreen(t testing.TB, width, height int) *screen {
	s := &screen{t: t, emu: vt.NewEmulator(width, height)}
	// a newline returns the carriage, as in a terminal that is not in raw mode
	s.Write([]byte("\x1b[20h"))
	drained := make(chan struct{})
	go func() { // discards the terminal's replies
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

// text returns what is on the screen, without trailing blanks.
func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := strings.Split(s.emu.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// colored returns what is on the screen with its escape sequences.
func (s *screen) colored() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emu.Render()
}

// wantGolden waits until the screen is the one in the golden file.
func (s *screen) wantGolden(t *testing.T, golden string) {
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
	s.waitFor(t, func(text string) bool { return text == string(want) }, "as in "+path+":\n"+string(want))
}

// waitFor waits until the screen meets a condition.
func (s *screen) waitFor(t testing.TB, done func(text string) bool, want string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !done(s.text()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("got screen\n%s\nwant %s", s.text(), want)
		}
	}
}

// startLive starts a block on the screen. Its clock is stopped.
func (s *screen) startLive(o Options) *Live {
	o.Out = s
	o.Environ = []string{"TERM=xterm-256color"}
	o.Now = func() time.Time { return noon.Add(83 * time.Second) }
	s.mu.Lock()
	width, height := s.emu.Width(), s.emu.Height()
	s.mu.Unlock()
	return start(o, tea.WithWindowSize(width, height))
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// scriptedRun emits events as the engine would.
type scriptedRun struct {
	emit func(fleet.Event)
	seq  uint64
}

func (s *scriptedRun) event(after time.Duration, ev fleet.Event) {
	s.seq++
	ev.Run, ev.Seq, ev.Time = "20261124-120000-k3f9", s.seq, noon.Add(after)
	s.emit(ev)
}

func (s *scriptedRun) start(names ...string) {
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

func (s *scriptedRun) step(host string, step fleet.Step, after time.Duration) {
	s.event(after, fleet.Event{Type: fleet.StepStarted, Host: host, Step: step})
}

func (s *scriptedRun) line(host, stream, line string) {
	s.event(time.Minute, fleet.Event{Type: fleet.LogLine, Host: host, Stream: stream, Line: line})
}

func (s *scriptedRun) finish(host string, r fleet.Result) {
	s.event(time.Minute, fleet.Event{Type: fleet.HostFinished, Host: host, Result: &r})
}

// midway starts a run and leaves a host in every state.
func (s *scriptedRun) midway() {
	s.start("hsb0", "hsb1", "hsb8", "csb1", "gpc0", "mba-imac-work", "imac0", "csb0")
	for _, host := range []string{"hsb0", "hsb1", "hsb8", "csb1", "gpc0", "mba-imac-work", "imac0"} {
		s.step(host, fleet.Connect, time.Second)
	}
	s.step("hsb0", fleet.Build, 3*time.Second)
	s.event(time.Minute, fleet.Event{Type: fleet.ProgressMade, Host: "hsb0", Progress: &fleet.Progress{
		Builds: 3, BuildsExpected: 12, Copies: 41, CopiesExpected: 120, Building: "linux-6.12.9", Phase: "buildPhase"}})
	s.step("hsb1", fleet.Pull, 3*time.Second)
	s.line("hsb1", "out", "From github.com:markus-barta/nixcfg")
	s.finish("hsb8", fleet.Result{Outcome: fleet.Switched, Before: oldRev, After: currentRev, Generation: 42, Seconds: 34.5})
	s.finish("csb1", fleet.Result{Outcome: fleet.Failed, Step: fleet.Build, Reason: "builder for grafana-11.4.0 failed with exit code 1", Seconds: 61})
	s.finish("gpc0", fleet.Result{Outcome: fleet.Degraded, Step: fleet.Verify, Reason: "nginx.service failed", Seconds: 40})
	s.step("mba-imac-work", fleet.Activate, 40*time.Second)
}

func TestBlockShowsOneLinePerHost(t *testing.T) {
	for _, size := range []struct {
		golden        string
		width, height int
	}{
		{"middle-80x24.golden", 80, 24},
		{"middle-60x15.golden", 60, 15},
		{"middle-120x8.golden", 120, 8}, // too low for eight hosts: the last line counts the rest
	} {
		t.Run(size.golden, func(t *testing.T) {
			s := newScreen(t, size.width, size.height)
			live := s.startLive(Options{Profile: colorprofile.ASCII})
			(&scriptedRun{emit: live.Event}).midway()
			s.wantGolden(t, size.golden)
			if err := live.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestWarningsArePrintedAboveBlock(t *testing.T) {
	s := newScreen(t, 60, 15)
	live := s.startLive(Options{Profile: colorprofile.ASCII})
	run := &scriptedRun{emit: live.Event}
	run.start("hsb0", "hsb1")
	run.step("hsb0", fleet.Build, time.Second)
	s.waitFor(t, func(text string) bool { return strings.Contains(text, "▸ hsb0") }, "a block")
	run.line("hsb0", "warn", "no output for 5 minutes, and this line is longer than the window is wide")
	live.Note("stopping: hsb1 will not be started")
	s.wantGolden(t, "warnings-60x15.golden")
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestHeaderOfFinishedRunStaysOnScreen(t *testing.T) {
	s := newScreen(t, 60, 15)
	live := s.startLive(Options{Profile: colorprofile.ASCII})
	run := &scriptedRun{emit: live.Event}
	run.start("hsb0")
	run.finish("hsb0", fleet.Result{Outcome: fleet.Unchanged, After: "3f9c2ab0d1", Seconds: 2})
	run.event(2*time.Second, fleet.Event{Type: fleet.RunFinished, Summary: &fleet.Summary{Counts: map[fleet.Outcome]int{fleet.Unchanged: 1}, Seconds: 2}})
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(s, "$ ")
	s.wantGolden(t, "end-60x15.golden")
}

func TestAsideReleasesTerminal(t *testing.T) {
	s := newScreen(t, 60, 15)
	live := s.startLive(Options{Profile: colorprofile.ASCII})
	run := &scriptedRun{emit: live.Event}
	run.start("hsb0")
	s.waitFor(t, func(text string) bool { return strings.Contains(text, "hsb0") }, "a block")
	live.Aside(func() {
		// must not wait for the screen
		run.finish("hsb0", fleet.Result{Outcome: fleet.Switched, After: "3f9c2ab0d1", Seconds: 2})
		io.WriteString(s, "sudo password for hsb0: \n")
		if strings.Contains(s.text(), "barta") {
			t.Errorf("the block is in the way of the question:\n%s", s.text())
		}
	})
	s.waitFor(t, func(text string) bool { return strings.Contains(text, "✓ hsb0") }, "the block with hsb0 switched")
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
	s.wantGolden(t, "aside-60x15.golden")
}

func TestBlockReadsTheSameWithoutColor(t *testing.T) {
	for profile, colored := range map[colorprofile.Profile]bool{colorprofile.ANSI256: true, colorprofile.ASCII: false} {
		s := newScreen(t, 80, 24)
		live := s.startLive(Options{Profile: profile, Colors: map[string]string{"hsb0": "#d4c060"}})
		(&scriptedRun{emit: live.Event}).midway()
		s.wantGolden(t, "middle-80x24.golden")
		if err := live.Close(); err != nil {
			t.Fatal(err)
		}
		text := s.colored()
		if got := strings.Contains(text, "\x1b[31m✗") || strings.Contains(text, "38;5;"); got != colored {
			t.Errorf("%v: color is %v:\n%q", profile, got, text)
		}
	}
}

func TestCtrlCCallsInterrupt(t *testing.T) {
	s := newScreen(t, 60, 15)
	pressed := make(chan struct{}, 1)
	live := s.startLive(Options{Profile: colorprofile.ASCII, Interrupt: func() { pressed <- struct{}{} }})
	live.program.Send(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
	select {
	case <-pressed:
	case <-time.After(5 * time.Second):
		t.Error("Interrupt was not called")
	}
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
}

// wantColored is like wantGolden, for a screen with its escape sequences, whose escape characters
// are replaced by a visible one.
func (s *screen) wantColored(t *testing.T, golden string) {
	t.Helper()
	legible := func() string { return strings.ReplaceAll(s.colored(), "\x1b", "␛") + "\n" }
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
	s.waitFor(t, func(string) bool { return legible() == string(want) }, "as in "+path)
}
