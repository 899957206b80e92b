package agent

import (
	"fmt"
	"time"
)

// Limits are what those who ask can cost the host.
type Limits struct {
	Connections int           // at once; more wait in the socket's queue
	Requests    int           // a second, of all connections together; more are answered with 429
	HeaderBytes int           // of a request's line and header
	MinInterval time.Duration // of a watch
	MaxInterval time.Duration
}

// DefaultLimits suit a handful of operators.
func DefaultLimits() Limits {
	return Limits{Connections: 32, Requests: 50, HeaderBytes: 8 << 10, MinInterval: time.Second, MaxInterval: time.Hour}
}

// Check says which limit cannot be kept.
func (l Limits) Check() error {
	for _, limit := range []struct {
		name      string
		n, lo, hi int
	}{
		{"connections", l.Connections, 2, 1024},
		{"requests a second", l.Requests, 1, 10_000},
		{"bytes of a header", l.HeaderBytes, 2 * headerSlop, 1 << 20},
	} {
		if limit.n < limit.lo || limit.n > limit.hi {
			return fmt.Errorf("%d %s: must be from %d to %d", limit.n, limit.name, limit.lo, limit.hi)
		}
	}
	if l.MinInterval < shortestInterval || l.MaxInterval < l.MinInterval {
		return fmt.Errorf("watch intervals from %v to %v: the first must be at least %v, the second no shorter", l.MinInterval, l.MaxInterval, shortestInterval)
	}
	return nil
}

const (
	// shortestInterval keeps the processor's load a figure: it is measured between two looks.
	shortestInterval = 250 * time.Millisecond
	// headerSlop is what net/http reads of a header beyond what it is told to.
	headerSlop = 4 << 10
)
