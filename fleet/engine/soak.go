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

// soak gives the hosts of a wave that were changed time to show what is wrong with them. Then they are looked at again: each has to let
// somebody in, and to pass its health checks, before the next wave begins; one that does not has failed. What had failed before is borne by now.
func (r *run) soak(begin context.Context, wave fleet.Wave, next []fleet.Wave, parts map[string]*part) {
	changed := changedOf(wave, parts)
	waits := slices.ContainsFunc(fleet.HostsOf(next), func(h *inventory.Host) bool { return !parts[h.Name].ended() })
	if r.start.SoakSeconds == 0 || len(changed) == 0 || !waits || r.policy.reason() != "" {
		return
	}
	// A part of it may be over, where another process has begun it.
	var since time.Time
	for _, h := range changed {
		if p := parts[h.Name]; p.at.After(since) {
			since = p.at
		}
	}
	whole := time.Duration(r.start.SoakSeconds * float64(time.Second))
	left := min(whole, time.Until(since.Add(whole))) // the clock may have been set back
	r.say("", fleet.StreamNote, fmt.Sprintf("%s soaks for %v", fleet.WaveName(wave.Number), max(0, left).Round(time.Second)))
	if !host.Sleep(begin, left) {
		return
	}
	well := slices.DeleteFunc(changed, func(h *inventory.Host) bool { return !parts[h.Name].result.Outcome.Good() })
	r.slots.Each(begin, well, func(begin context.Context, h *inventory.Host) {
		wrong := beginChecks(begin, &prober{dialer: r.engine.Dialer, host: h, probes: h.Health}).wait(min(settleTime, h.Timeouts.Verify))
		if wrong == nil || begin.Err() != nil {
			return
		}
		wrong.reason = "after the soak, " + wrong.reason
		result := *parts[h.Name].result
		degrade(&result, wrong)
		parts[h.Name].result = &result
		r.say(h.Name, fleet.StreamWarn, wrong.reason)
		r.events <- fleet.Event{Type: fleet.HostFinished, Host: h.Name, Result: &result}
		r.policy.count(h.Name, result.Outcome)
	})
	r.policy.endWave(wave.Number)
}
