package fleet

import (
	"context"
	"fmt"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// soak gives the hosts of a wave that were changed time to show what is wrong with them. Then they are looked at again: each has to let
// somebody in, and to pass its health checks, before the next wave begins.
func (r *run) soak(begin context.Context, wave Wave, changed []*inventory.Host) {
	if r.plan == nil || r.plan.Soak == 0 || len(changed) == 0 || r.policy.reason() != "" {
		return
	}
	r.say("", streamNote, fmt.Sprintf("%s soaks for %v", waveName(wave.Number), r.plan.Soak))
	if !sleep(begin, r.plan.Soak) {
		return
	}
	r.slots.each(begin, changed, func(begin context.Context, h *inventory.Host) {
		wrong := beginChecks(begin, &prober{dialer: r.engine.Dialer, host: h, probes: h.Health}).wait(min(settleTime, h.Timeouts.Verify))
		if wrong == nil || begin.Err() != nil {
			return
		}
		r.say(h.Name, streamWarn, "after the soak: "+wrong.reason)
		if r.start.OnFailure != OnFailureContinue {
			r.policy.halt(fmt.Sprintf("%s did not stand the soak: %s", waveName(wave.Number), h.Name))
		}
	})
}
