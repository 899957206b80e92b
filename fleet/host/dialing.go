package host

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// The pauses between attempts to reach a host again grow from the first to the last of these.
const (
	firstPause = 500 * time.Millisecond
	lastPause  = 15 * time.Second
)

// Backoff returns how long to wait before attempt n, from 0. It doubles each time, give or take a
// quarter, so that a fleet does not return to its bastion all at once.
func Backoff(n int) time.Duration {
	d := min(firstPause<<min(n, 10), lastPause)
	return d*3/4 + rand.N(d/2)
}

// Sleep waits for d, and reports whether it did: false means that ctx was done first.
func Sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// IsOffline reports whether an error of a [Dialer] says that nothing answered. Errors that are not
// a [Refusal] count as that, too.
func IsOffline(err error) bool {
	var refusal Refusal
	return !errors.As(err, &refusal) || refusal.Offline()
}

// ContactOf returns what an error of a [Dialer] says about reaching the host. The reason is left
// empty.
func ContactOf(err error) health.Contact {
	var refusal Refusal
	var coded interface{ Code() string }
	if !errors.As(err, &refusal) {
		return health.Contact{}
	}
	c := health.Contact{Reach: health.Refused}
	if errors.As(err, &coded) {
		c.Code = coded.Code()
	}
	switch {
	case refusal.Offline():
		c.Reach = health.Offline
	case slices.Contains([]string{"config", "local", "stopped"}, c.Code):
		c.Reach = health.NotAsked // it never came to the host
	}
	return c
}
