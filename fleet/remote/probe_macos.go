package remote

import (
	"strings"
	"time"
)

// parseSysctl parses a line of macOS's sysctl, "NAME: VALUE".
func (p *probeParser) parseSysctl(line string) {
	name, value, _ := strings.Cut(line, ": ")
	switch name {
	case "hw.memsize":
		p.amounts["MemTotal"] = natural(value)
	case "hw.logicalcpu":
		p.Health.Cores = int(natural(value))
	case "vm.loadavg": // { 1.52 1.61 1.70 }
		p.Health.Load = load(strings.Trim(value, "{ }"))
	case "kern.boottime": // { sec = 1763900000, usec = 123456 } Sun Nov 23 12:13:20 2025
		_, value, _ = strings.Cut(value, "sec = ")
		second, _, _ := strings.Cut(value, ",")
		if booted := instant(second); booted != nil && p.Health.Time.After(*booted) {
			p.Health.Uptime = p.Health.Time.Sub(*booted).Truncate(time.Second).Seconds()
		}
	case "vm.swapusage": // total = 2048.00M  used = 1027.25M  free = 1020.75M  (encrypted)
		p.amounts["SwapTotal"] = mebibytes(value, "total = ")
		p.amounts["SwapFree"] = mebibytes(value, "free = ")
	}
}

func mebibytes(line, after string) uint64 {
	_, value, _ := strings.Cut(line, after)
	value, _, _ = strings.Cut(value, "M")
	return uint64(min(decimal(value), 1<<30) * (1 << 20))
}

// parsePages parses a line of macOS's vm_stat. Pages that are empty, or whose content is on disk,
// are available.
func (p *probeParser) parsePages(line string) {
	if _, size, is := strings.Cut(line, "page size of "); is {
		size, _, _ = strings.Cut(size, " ")
		p.amounts["page"] = natural(size)
		return
	}
	name, value, _ := strings.Cut(line, ":")
	switch name {
	case "Pages free", "Pages inactive", "Pages speculative":
		pages := natural(strings.TrimSuffix(strings.TrimSpace(value), "."))
		p.amounts["MemAvailable"] += min(pages, 1<<40) * min(p.amounts["page"], 1<<20)
	}
}
