package cli

import (
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/internal/tmuxtest"
)

func TestRunInTerminalIsResizedAndInterrupted(t *testing.T) {
	t.Parallel()
	p := tmuxtest.Open(t, 100, 24, "fleetctl demo --hosts 9 -- deploy --all --yes")
	p.Until("waiting                      wave 2") // wide enough for the column of progress bars
	p.Resize(60, 15)
	p.Until("waiting             wave 2") // not wide enough
	p.Keys("C-c")
	shown := p.Until("exit status 130")
	for _, want := range []string{"stopping: no new hosts will start", "press ctrl-c again to exit now: the jobs stop with", "interrupted before it s", "HOST  "} {
		if !strings.Contains(shown, want) {
			t.Errorf("the terminal lacks %q", want)
		}
	}
	if n := strings.Count(shown, "HOST  "); n != 1 {
		t.Errorf("the summary was printed %d times", n)
	}
	if t.Failed() {
		t.Log(shown)
	}
}
