package agent

import (
	"context"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// sampler looks at the host for all who ask: one look serves everybody who asks within a moment.
type sampler struct {
	host Host
	cpu  *meter
	turn chan struct{} // who has put something in may look, and touch last
	last health.Health
	at   time.Time
}

// fresh is how old a look may be that is given to somebody who asks now.
const fresh = shortestInterval

func newSampler(h Host) *sampler {
	return &sampler{host: h, cpu: newMeter(), turn: make(chan struct{}, 1)}
}

func (s *sampler) sample(ctx context.Context) (health.Health, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return health.Health{}, ctx.Err()
	}
	if s.at.IsZero() || time.Since(s.at) >= fresh {
		look := s.host.Look(ctx)
		look.CPU = s.cpu.percent(ctx)
		if err := ctx.Err(); err != nil {
			return health.Health{}, err // what was seen may be half of it
		}
		s.last, s.at = look, time.Now()
	}
	return s.last, nil
}
