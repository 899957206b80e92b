package tui

import (
	"testing"
	"time"
)

func TestPreviewShowsLastRunsOfHost(t *testing.T) {
	d := newDriver(barta(), 200, 60).atRest()
	d.owner.record = []Text{{"out", "the newest line of the last run"}}
	read := 0
	history := d.options.Actions.History
	d.options.Actions.History = func(host string) ([]PastRun, error) { read++; return history(host) }
	for range 3 {
		d.clock = d.clock.Add(time.Second)
		d.send(tickMsg{})
	}
	if read != 1 {
		t.Errorf("the past runs were read %d times", read)
	}
	d.wantShown(t, "last runs", "27h  switch ✓ switched      p2m7  a1b2c3d → 3f9c2ab", "the newest line of the last run")
	narrow := newDriver(barta(), 120, 60).atRest()
	narrow.options.Actions.History = func(string) ([]PastRun, error) { t.Error("read without a preview"); return nil, nil }
	narrow.send(tickMsg{})
}
