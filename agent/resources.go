package agent

import (
	"context"
	"math"
	"runtime"

	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// addResources fills in the kernel's figures. What the kernel does not report is left out.
func (h Host) addResources(ctx context.Context, to *health.Health) {
	to.Cores = runtime.NumCPU()
	for _, read := range []func(){
		func() {
			if up, err := host.UptimeWithContext(ctx); err == nil {
				to.Uptime = float64(up)
			}
		},
		func() {
			if avg, err := load.AvgWithContext(ctx); err == nil {
				to.Load = [3]float64{roundHundredths(avg.Load1), roundHundredths(avg.Load5), roundHundredths(avg.Load15)}
			}
		},
		func() {
			if m, err := mem.VirtualMemoryWithContext(ctx); err == nil {
				to.Memory = &health.Amount{Total: m.Total, Free: m.Available}
			}
		},
		func() {
			if s, err := mem.SwapMemoryWithContext(ctx); err == nil && s.Total > 0 {
				to.Swap = &health.Amount{Total: s.Total, Free: s.Free}
			}
		},
	} {
		withoutPanic(read)
	}
	to.Root = diskSpace(ctx, h.Root+"/")
	to.Store = diskSpace(ctx, h.Root+"/nix/store")
}

// withoutPanic calls a reader of the kernel's figures. The library's readers panic if a file has
// fewer fields than usual, for example an empty /proc/loadavg, and that must not end the agent.
func withoutPanic(read func()) {
	defer func() { _ = recover() }()
	read()
}

func diskSpace(ctx context.Context, path string) *health.Amount {
	u, err := disk.UsageWithContext(ctx, path)
	if err != nil {
		return nil
	}
	return &health.Amount{Total: u.Total, Free: u.Free}
}

func roundHundredths(f float64) float64 { return math.Round(f*100) / 100 }
