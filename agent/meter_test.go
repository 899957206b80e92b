package agent

import (
	"testing"
	"testing/synctest"
	"time"
)

// The one who starts the agent by asking is answered at once: in a bubble, time passes only where somebody waits.
func TestTheFirstLookWaitsForNoFigure(t *testing.T) {
	s := newSampler(aHost(t))
	synctest.Test(t, func(t *testing.T) {
		s.cpu = newMeter()
		began := time.Now()
		if look, err := s.sample(t.Context()); err != nil || look.CPU != nil {
			t.Errorf("how busy the host is takes time to tell, and it tells %v, %v", look.CPU, err)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("it waited for %v", waited)
		}
	})
}
