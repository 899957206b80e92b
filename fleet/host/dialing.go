package host

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

// Bounds of [Backoff], without its random part.
const (
	minBackoff = 500 * time.Millisecond
	maxBackoff = 15 * time.Second
)

// Backoff returns how long to wait before attempt n to reach a host again, counted from 0. The
// pause doubles each time, up to a limit, and varies by a quarter, so that the hosts of a fleet do
// not return to their bastion all at once.
func Backoff(n int) time.Duration {
	d := min(minBackoff<<min(n, 10), maxBackoff)
	return d*3/4 + rand.N(d/2)
}

// Sleep waits and returns true, or returns false early if ctx is done.
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

// IsOffline reports whether an error of a [Dialer] says that nothing answered. So does an error
// that is not a [Refusal].
func IsOffline(err error) bool {
	var refusal Refusal
	return !errors.As(err, &refusal) || refusal.Offline()
}

// IsShortage reports whether an error of a [Dialer] is about this machine: it lacks file
// descriptors or memory. It says nothing about the host.
func IsShortage(err error) bool {
	var coded interface{ Code() string }
	return errors.As(err, &coded) && coded.Code() == string(fleet.CodeShortage)
}

// IsSessionRejected reports whether an error of [Conn.Run] says that the host did not open a
// session, so that it received nothing.
func IsSessionRejected(err error) bool {
	var coded interface{ Code() string }
	return errors.As(err, &coded) && coded.Code() == "session"
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
	case c.Code == string(fleet.CodeShortage):
		c.Reach = health.NotAsked
	case refusal.Offline():
		c.Reach = health.Offline
	case slices.Contains([]string{"config", "local", string(fleet.CodeNotLocal), "stopped"}, c.Code):
		c.Reach = health.NotAsked // it never came to the host
	}
	return c
}
