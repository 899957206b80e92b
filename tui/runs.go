package tui

import "github.com/markus-barta/nixfleet/fleet"

// runs holds the state of every run that the table has seen, and how far the unfinished ones are.
type runs struct {
	byID map[string]*fleet.State
	ids  []string // oldest first
	// shares has, for each run, the sum of its hosts' shares, so that no frame adds them up.
	shares  map[string]int
	percent int    // done of all active runs
	version uint64 // increases when the state of a host or of a run changes
}

func newRuns() runs { return runs{byID: map[string]*fleet.State{}, shares: map[string]int{}} }

// apply applies an event to the state of its run, which it returns.
func (rs *runs) apply(ev fleet.Event) *fleet.State {
	s := rs.byID[ev.Run]
	if s == nil {
		s = &fleet.State{Run: ev.Run}
		rs.byID[ev.Run] = s
		rs.ids = append(rs.ids, ev.Run)
	}
	before := share(s.Host(ev.Host))
	s.Apply(ev)
	if ev.Type != fleet.LogLine {
		rs.version++
	}
	if ev.Type == fleet.RunStarted {
		rs.shares[ev.Run] = 0
	} else {
		rs.shares[ev.Run] += share(s.Host(ev.Host)) - before
	}
	return s
}

// active returns the runs that have not finished, oldest first.
func (rs *runs) active() []*fleet.State {
	var some []*fleet.State
	for _, id := range rs.ids {
		if s := rs.byID[id]; s.Start != nil && s.Summary == nil {
			some = append(some, s)
		}
	}
	return some
}

// activeCount returns how many runs have not finished.
func (rs *runs) activeCount() int {
	n := 0
	for _, id := range rs.ids {
		if s := rs.byID[id]; s.Start != nil && s.Summary == nil {
			n++
		}
	}
	return n
}

// updatePercent computes how far the active runs are. All hosts count alike; a build counts by its
// paths.
func (rs *runs) updatePercent() {
	done, hosts := 0, 0
	for _, s := range rs.active() {
		done += rs.shares[s.Run]
		hosts += len(s.Hosts)
	}
	rs.percent = 0
	if hosts > 0 {
		rs.percent = done / (10 * hosts)
	}
}

// share returns how much of a host's part of a run is done, by its step, in thousandths.
func share(h *fleet.HostState) int {
	switch {
	case h == nil:
		return 0
	case h.Phase == fleet.Done:
		return 1000
	}
	switch h.Step {
	case fleet.Build:
		return 200 + h.Built/2
	case fleet.Copy, fleet.Before, fleet.Activate:
		return 700
	case fleet.After:
		return 850
	case fleet.Verify, fleet.Confirm:
		return 900
	case fleet.Pull:
		return 100
	}
	return 0
}

// countWaves returns how many waves a run has.
func countWaves(s *fleet.State) int {
	seen := make(map[int]bool)
	for _, h := range s.Hosts {
		seen[h.Wave] = true
	}
	return len(seen)
}
