package agent

import (
	"context"
	"math"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
)

// meter measures how busy the processors are, between two readings of the kernel's counters. It is read by one at a time.
type meter struct {
	busy, total float64 // seconds, of all cores
	at          time.Time
}

// shortest is how long a measurement takes at least: the counters move every 10 ms.
const shortest = 40 * time.Millisecond

func newMeter() *meter {
	m := &meter{}
	m.busy, m.total, _ = counters(context.Background())
	m.at = time.Now()
	return m
}

// percent is of the time since it was last asked for; nil where it cannot be had, as so early that nobody should wait for it: who is
// answered first started the agent, too.
func (m *meter) percent(ctx context.Context) *float64 {
	if time.Since(m.at) < shortest {
		return nil
	}
	busy, total, err := counters(ctx)
	before := *m
	*m = meter{busy, total, time.Now()}
	if err != nil || before.total == 0 || total <= before.total {
		return nil
	}
	percent := math.Round(1000*max(0, min(1, (busy-before.busy)/(total-before.total)))) / 10
	return &percent
}

func counters(ctx context.Context) (busy, total float64, err error) {
	all, err := cpu.TimesWithContext(ctx, false)
	if err != nil || len(all) == 0 {
		return 0, 0, err
	}
	t := all[0]
	// Guests' time is in User and Nice already.
	total = t.User + t.Nice + t.System + t.Irq + t.Softirq + t.Steal + t.Idle + t.Iowait
	return total - t.Idle - t.Iowait, total, nil
}
