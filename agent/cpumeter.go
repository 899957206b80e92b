package agent

import (
	"context"
	"math"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
)

// cpuMeter measures the CPU usage between two readings of the kernel's counters. It is not safe for
// concurrent use.
type cpuMeter struct {
	busy, total float64 // seconds, of all cores
	at          time.Time
}

// shortestMeasurement is the shortest useful time between two readings: the counters advance every
// 10 ms.
const shortestMeasurement = 40 * time.Millisecond

func newCPUMeter() *cpuMeter {
	m := &cpuMeter{}
	m.busy, m.total, _ = readCounters(context.Background())
	m.at = time.Now()
	return m
}

// percent returns the usage since the last reading. It returns nil if the usage is not available or
// the last reading is too recent: the first request, which starts the agent, must not wait for it.
func (m *cpuMeter) percent(ctx context.Context) *float64 {
	if time.Since(m.at) < shortestMeasurement {
		return nil
	}
	busy, total, err := readCounters(ctx)
	before := *m
	*m = cpuMeter{busy, total, time.Now()}
	if err != nil || before.total == 0 || total <= before.total {
		return nil
	}
	percent := math.Round(1000*max(0, min(1, (busy-before.busy)/(total-before.total)))) / 10
	return &percent
}

func readCounters(ctx context.Context) (busy, total float64, err error) {
	var all []cpu.TimesStat
	withoutPanic(func() { all, err = cpu.TimesWithContext(ctx, false) })
	if err != nil || len(all) == 0 {
		return 0, 0, err
	}
	t := all[0]
	// User and Nice include the time of guests.
	total = t.User + t.Nice + t.System + t.Irq + t.Softirq + t.Steal + t.Idle + t.Iowait
	return total - t.Idle - t.Iowait, total, nil
}
