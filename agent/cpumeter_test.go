package agent

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestFirstSampleDoesNotWaitForCPU checks that the request that starts the agent is answered at
// once. In a synctest bubble, time advances only while goroutines wait.
func TestFirstSampleDoesNotWaitForCPU(t *testing.T) {
	s := newSampler(newHost(t))
	synctest.Test(t, func(t *testing.T) {
		s.cpu = newCPUMeter()
		start := time.Now()
		if h, err := s.sample(t.Context()); err != nil || h.CPU != nil {
			t.Errorf("got CPU %v, error %v; want none", h.CPU, err)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the sample took %v", waited)
		}
	})
}
