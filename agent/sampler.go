package agent

import (
	"context"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// sampler reads the host's state for all requests: those that arrive within maxAge of each other
// share one sample.
type sampler struct {
	host Host
	cpu  *cpuMeter
	lock chan struct{} // guards what follows, and cpu; a channel, so that waiting can be canceled
	last health.Health
	at   time.Time
}

// maxAge is how old a sample may be to be served again.
const maxAge = shortestInterval

func newSampler(h Host) *sampler {
	return &sampler{host: h, cpu: newCPUMeter(), lock: make(chan struct{}, 1)}
}

func (s *sampler) sample(ctx context.Context) (health.Health, error) {
	select {
	case s.lock <- struct{}{}:
		defer func() { <-s.lock }()
	case <-ctx.Done():
		return health.Health{}, ctx.Err()
	}
	if s.at.IsZero() || time.Since(s.at) >= maxAge {
		now := s.host.Health(ctx)
		now.CPU = s.cpu.percent(ctx)
		if err := ctx.Err(); err != nil {
			return health.Health{}, err // the sample may be incomplete
		}
		s.last, s.at = now, time.Now()
	}
	return s.last, nil
}
