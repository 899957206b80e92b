package host

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func TestEachLimitsParallelCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := make([]*inventory.Host, 20)
		for i := range hosts {
			hosts[i] = &inventory.Host{Wave: i}
		}
		var running, most, calls atomic.Int64
		started := time.Now()
		Each(t.Context(), hosts, 4, func(_ context.Context, h *inventory.Host) {
			calls.Add(1)
			most.Store(max(most.Load(), running.Add(1)))
			if got := time.Since(started); got != time.Duration(h.Wave/4)*time.Second {
				t.Errorf("host %d started after %v", h.Wave, got)
			}
			time.Sleep(time.Second)
			running.Add(-1)
		})
		if calls.Load() != 20 || most.Load() != 4 || time.Since(started) != 5*time.Second {
			t.Errorf("%d calls, %d at once, %v", calls.Load(), most.Load(), time.Since(started))
		}
	})
}

func TestEachCallsRestAtOnceWhenCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		started := time.Now()
		var ended atomic.Int64
		Each(ctx, []*inventory.Host{{Name: "a"}, {}, {}}, 1, func(ctx context.Context, h *inventory.Host) {
			if h.Name == "a" {
				time.Sleep(time.Minute)
			} else if ctx.Err() != nil && time.Since(started) == time.Second {
				ended.Add(1)
			}
		})
		if ended.Load() != 2 {
			t.Errorf("%d calls started at once", ended.Load())
		}
	})
}
