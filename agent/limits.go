package agent

import (
	"fmt"
	"time"
)

// Limits bounds what clients can cost the host.
type Limits struct {
	Connections int           // open at once; more replace those without a request, or wait
	Requests    int           // per second, over all connections; more are answered with status 429
	HeaderBytes int           // of a request line and its header
	MinInterval time.Duration // of a watch
	MaxInterval time.Duration // of a watch
}

// DefaultLimits returns limits for a handful of operators.
func DefaultLimits() Limits {
	return Limits{
		Connections: 32,
		Requests:    50,
		HeaderBytes: 8 << 10,
		MinInterval: time.Second,
		MaxInterval: time.Hour,
	}
}

// Check returns an error if a limit is out of range.
func (l Limits) Check() error {
	for _, limit := range []struct {
		name      string
		n, lo, hi int
	}{
		{"connections", l.Connections, 2, 1024},
		{"requests per second", l.Requests, 1, 10_000},
		{"header bytes", l.HeaderBytes, 2 * headerSlop, 1 << 20},
	} {
		if limit.n < limit.lo || limit.n > limit.hi {
			return fmt.Errorf("invalid limit of %d %s: must be between %d and %d", limit.n, limit.name, limit.lo, limit.hi)
		}
	}
	switch {
	case l.MinInterval < shortestInterval:
		return fmt.Errorf("invalid minimum watch interval %v: must be at least %v", l.MinInterval, shortestInterval)
	case l.MaxInterval < l.MinInterval:
		return fmt.Errorf("invalid maximum watch interval %v: must be at least the minimum, %v", l.MaxInterval, l.MinInterval)
	}
	return nil
}

const (
	// shortestInterval leaves time to measure the CPU usage, which needs two readings.
	shortestInterval = 250 * time.Millisecond
	// headerSlop is how many bytes net/http reads beyond [http.Server.MaxHeaderBytes].
	headerSlop = 4 << 10
)
