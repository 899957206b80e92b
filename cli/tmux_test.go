package cli

import (
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/internal/tmuxtest"
)

func TestARunInARealTerminalSurvivesResizingAndIsStopped(t *testing.T) {
	p := tmuxtest.Open(t, 100, 24, "fleetctl demo --hosts 9 -- deploy --all --yes")
	p.Until("waiting                      wave 2") // the block, with its column for bars
	p.Resize(60, 15)
	p.Until("waiting             wave 2") // and without
	p.Keys("C-c")
	shown := p.Until("exit status 130")
	for _, want := range []string{"stopping: no more hosts are started", "ctrl-c again leaves at once: the jobs end with the demo", "interrupted before it b", "HOST  "} {
		if !strings.Contains(shown, want) {
			t.Errorf("the terminal does not show %q", want)
		}
	}
	if n := strings.Count(shown, "HOST  "); n != 1 {
		t.Errorf("there are %d tables", n)
	}
	if t.Failed() {
		t.Log(shown)
	}
}
