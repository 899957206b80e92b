package cli

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"

	"github.com/markus-barta/nixfleet/internal/picture"
	"github.com/markus-barta/nixfleet/internal/tmuxtest"
)

var recordDemo = flag.Bool("recording", false, "record docs/pictures/demo.svg")

// TestRecording checks that the recording of the demo exists. To record it:
//
//	go test ./cli -run Recording -recording
func TestRecording(t *testing.T) {
	const path, width, height = "../docs/pictures/demo.svg", 110, 30
	if !*recordDemo {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
		return
	}
	p := tmuxtest.Open(t, width, height, "clear; COLORTERM=truecolor TERM=xterm-256color exec fleetctl demo -- table --theme vivid")
	p.Until("9 behind")
	r := recorder{pane: p, width: width, height: height, recording: picture.Recording{Colors: picture.Dark}}
	r.hold(2 * time.Second)
	r.press("a", time.Second)
	r.press("d", 2*time.Second)
	r.press("9", time.Second)
	r.press("Enter", time.Second)
	start := r.at
	r.until("1 failed")
	still := (start + r.at) / 2
	r.hold(2 * time.Second)
	for range 5 {
		r.press("j", 300*time.Millisecond)
	}
	r.hold(time.Second)
	r.press("Enter", 6*time.Second)
	if err := os.WriteFile(path, []byte(r.recording.SVG(r.at, still)), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %v", path, r.at)
}

// A recorder records what a pane shows.
type recorder struct {
	pane          *tmuxtest.Pane
	width, height int
	recording     picture.Recording
	at            time.Duration // since the start of the recording
}

// frameInterval is the time between two frames.
const frameInterval = 300 * time.Millisecond

// frame records what the pane shows now.
func (r *recorder) frame() (text string) {
	text, _ = r.pane.Tmux("capture-pane", "-p", "-e")
	screen := vt.NewEmulator(r.width, r.height)
	screen.WriteString(strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\r\n"))
	r.recording.Add(r.at, screen)
	return screen.String()
}

// hold records for a time.
func (r *recorder) hold(d time.Duration) {
	for end := r.at + d; r.at < end; {
		r.frame()
		time.Sleep(frameInterval)
		r.at += frameInterval
	}
}

// press presses a key and records what happens for a time.
func (r *recorder) press(key string, d time.Duration) {
	r.pane.Keys(key)
	time.Sleep(50 * time.Millisecond) // the table draws within one frame of its own
	r.hold(d)
}

// until records until the pane shows text. It plays twice as fast as it happens.
func (r *recorder) until(text string) {
	for !strings.Contains(r.frame(), text) {
		time.Sleep(2 * frameInterval)
		r.at += frameInterval
	}
}
