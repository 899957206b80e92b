package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// soak waits between two waves, then checks the hosts of the first one again: each must accept a
// login and pass its health checks. A host that does not is degraded, which may fail the wave.
// Nothing is soaked if no host has changed, or if no host is left to protect.
func (s *scheduler) soak(wave fleet.Wave, next []fleet.Wave) {
	changed := s.activated(wave)
	waiting := slices.ContainsFunc(fleet.HostsOf(next), func(h *inventory.Host) bool { return !s.tasks[h.Name].finished() })
	if s.start.SoakSeconds == 0 || len(changed) == 0 || !waiting || s.policy.reason() != "" {
		return
	}
	left := s.soakLeft(changed)
	s.logLine("", fleet.StreamNote, fmt.Sprintf("%s soaks for %v", fleet.WaveName(wave.Number), max(0, left).Round(time.Second)))
	if !host.Sleep(s.accept, left) {
		return
	}
	good := slices.DeleteFunc(changed, func(h *inventory.Host) bool { return !s.tasks[h.Name].state.Result.Outcome.Good() })
	s.slots.Each(s.accept, good, s.checkAfterSoak)
	s.policy.endWave(wave.Number)
}

// soakLeft returns how much of the soak remains: an earlier owner of the run may have started it.
func (s *scheduler) soakLeft(changed []*inventory.Host) time.Duration {
	var since time.Time
	for _, h := range changed {
		if done := s.tasks[h.Name].state.Since; done.After(since) {
			since = done
		}
	}
	whole := time.Duration(s.start.SoakSeconds * float64(time.Second))
	return min(whole, time.Until(since.Add(whole))) // the clock may have been set back
}

func (s *scheduler) checkAfterSoak(accept context.Context, h *inventory.Host) {
	t := s.tasks[h.Name]
	checks := startPostChecks(accept, &prober{dialer: s.engine.Dialer, host: h, probes: h.Health})
	problem := checks.wait(min(settleTime, h.Timeouts.Verify))
	if problem == nil || accept.Err() != nil {
		return
	}
	problem.reason = "after the soak, " + problem.reason
	result := *t.state.Result
	degrade(&result, problem)
	s.logLine(h.Name, fleet.StreamWarn, problem.reason)
	s.finishHost(t, &result)
	s.policy.count(h.Name, result.Outcome)
}
