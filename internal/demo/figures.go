package demo

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"time"
)

// figures are what a host reports about its machine: figures of the machine that the demo runs on
// would be the same for all hosts.
type figures struct {
	uptime        time.Duration // at the start of the fleet
	busy          float64       // the share of the time in which it is busy, on average
	memory        uint64        // in KiB
	memoryUse     float64       // the share of it that is in use, on average
	phase, period float64       // of its ups and downs
}

// newFigures returns the figures of a host, which depend on its name only.
func newFigures(name string) figures {
	sum := fnv.New64a()
	sum.Write([]byte(name))
	n := sum.Sum64()
	part := func(shift, of uint64) float64 { return float64(n>>shift%of) / float64(of) }
	return figures{
		uptime:    time.Duration(1+n>>3%41)*24*time.Hour + time.Duration(n>>9%1440)*time.Minute,
		busy:      0.02 + 0.5*math.Pow(part(17, 100), 2),
		memory:    4 << 20 << (n >> 23 % 4),
		memoryUse: 0.2 + 0.5*part(29, 100),
		phase:     2 * math.Pi * part(37, 100),
		period:    60 + 120*part(43, 100),
	}
}

// files returns the files of Linux with the figures, by their path in the root of the host. Each
// has only the lines that are read.
func (f figures) files(since time.Duration) map[string]string {
	t := since.Seconds()
	angle := 2*math.Pi*t/f.period + f.phase
	// Twice the average at most: the sum of the past never decreases.
	wave := 0.9 * math.Sin(angle)
	up := f.uptime.Seconds() + t
	const ticksPerSecond = 100
	busy := uint64(ticksPerSecond * f.busy * (up - 0.9*f.period/(2*math.Pi)*(math.Cos(angle)-1)))
	total := uint64(ticksPerSecond * up)
	used := f.memoryUse * (1 + 0.05*wave)
	load := 4 * f.busy
	return map[string]string{
		"proc/uptime":  fmt.Sprintf("%.2f 0.00\n", up),
		"proc/loadavg": fmt.Sprintf("%.2f %.2f %.2f 1/100 1000\n", load*(1+wave), load*(1+wave/3), load),
		"proc/stat":    fmt.Sprintf("cpu  %d 0 0 %d 0 0 0 0 0 0\n", busy, total-min(busy, total)),
		"proc/meminfo": fmt.Sprintf("MemTotal: %d kB\nMemAvailable: %d kB\nSwapTotal: %d kB\nSwapFree: %d kB\n",
			f.memory, uint64(float64(f.memory)*(1-used)), f.memory/4, f.memory/4),
	}
}

// writeFigures updates the files of a host with its figures. A reader sees either of the versions.
func (h *host) writeFigures(since time.Duration) error {
	var failed error
	for name, text := range newFigures(h.Name).files(since) {
		path := filepath.Join(h.root, name)
		temporary, err := os.CreateTemp(filepath.Dir(path), "figures-")
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		_, err = temporary.WriteString(text)
		failed = errors.Join(failed, err, temporary.Close(), os.Rename(temporary.Name(), path))
	}
	return failed
}
