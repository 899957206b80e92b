package remote

import (
	"bytes"
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// MaxProbe limits the output of a probe, in bytes.
const MaxProbe = 256 << 10

// Probe returns the script that prints the status of a host of that kind. Its header is "probed",
// and [ParseProbe] parses what follows it.
func Probe(token, kind string, c Checkout) Script {
	return compose("probe").script(c.values(values{"token": {token}, "kind": {kind}}))
}

// Probed is the result of a probe.
type Probed struct {
	Health health.Health
	Agent  string // the path of the health agent's socket on the host; "" if there is none
	Ticks  Ticks
}

// Ticks is how a host's processors have spent their time since it booted. Two of them show how busy
// the processors were in between.
type Ticks struct{ Busy, Total uint64 }

// Since returns how busy the processors were since before, in percent, or nil if that cannot be
// computed, as after a reboot.
func (t Ticks) Since(before Ticks) *float64 {
	if before.Total == 0 || t.Total <= before.Total || t.Busy < before.Busy {
		return nil
	}
	return new(100 * float64(t.Busy-before.Busy) / float64(t.Total-before.Total))
}

// ParseProbe parses the output of a probe. It ignores lines that it does not know.
func ParseProbe(text []byte) Probed {
	p := probeParser{amounts: map[string]uint64{}}
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(clean.Line(line), " ")
		if value = strings.TrimSpace(value); value != "" {
			p.parse(key, value)
		}
	}
	return p.finish()
}

// probeParser collects the values of a probe.
type probeParser struct {
	Probed
	checkout health.Checkout
	parent   string            // the system that the running one is a specialisation of, or ""
	amounts  map[string]uint64 // by the names that Linux and macOS give them
}

func (p *probeParser) parse(key, value string) {
	h := &p.Health
	switch key {
	case "kind":
		h.Kind = value
	case "boot":
		h.BootID = value
	case "time":
		if t := instant(value); t != nil {
			h.Time = *t
		}
	case "host":
		h.Host, _, _ = strings.Cut(value, ".")
	case "os":
		h.OS = value
	case "nix":
		h.Nix = value
	case "agent":
		p.Agent = value
	case "uptime":
		h.Uptime = decimal(value)
	case "load":
		h.Load = load(value)
	case "ticks":
		p.Ticks = ticks(value)
	case "cores":
		h.Cores = int(natural(value))
	case "root":
		h.Root = disk(value)
	case "store":
		h.Store = disk(value)
	case "failed":
		h.FailedUnits = append(h.FailedUnits, value)
	case "job":
		h.Job = job(value)
	case "sysctl":
		p.parseSysctl(value)
	case "vm_stat":
		p.parsePages(value)
	case "MemTotal", "MemAvailable", "SwapTotal", "SwapFree":
		p.amounts[key] = natural(value) << 10
	default:
		p.parseSystem(key, value)
		p.parseCheckout(key, value)
	}
}

func (p *probeParser) parseSystem(key, value string) {
	s := &p.Health.System
	switch key {
	case "deployed":
		s.Deployed = value
	case "booted":
		s.Booted = value
	case "profile":
		s.Profile = value
	case "specialisation":
		s.Specialisation = value
	case "parent":
		p.parent = value
	case "generation":
		s.Generation = int(natural(value))
	case "generation-time":
		s.GenerationTime = instant(value)
	case "revision":
		s.Revision = value
	case "reboot":
		s.RebootNeeded = value == "yes"
	}
}

func (p *probeParser) parseCheckout(key, value string) {
	c := &p.checkout
	switch key {
	case "checkout":
		if value != "(initial)" { // what git prints for a repository without a commit
			c.Revision = value
		}
	case "branch":
		if value != "(detached)" {
			c.Branch = value
		}
	case "trial":
		c.Trial = value
	case "standing": // +AHEAD -BEHIND
		ahead, behind, _ := strings.Cut(value, " ")
		c.Ahead = int(natural(strings.TrimPrefix(ahead, "+")))
		c.Behind = int(natural(strings.TrimPrefix(behind, "-")))
	case "dirty":
		c.Dirty = value == "yes"
	case "subject":
		c.Subject = value
	case "lock":
		c.Lock = value
	}
}

// finish computes what depends on several values.
func (p *probeParser) finish() Probed {
	h := &p.Health
	h.Memory = amount(p.amounts["MemTotal"], p.amounts["MemAvailable"])
	h.Swap = amount(p.amounts["SwapTotal"], p.amounts["SwapFree"])
	if s := &h.System; s.Profile != "" && s.Deployed != "" {
		s.BootPending = s.Profile != cmp.Or(p.parent, s.Deployed)
	}
	if p.checkout.Revision != "" {
		h.Checkout = &p.checkout
	}
	health.Clamp(h)
	return p.Probed
}

func amount(total, free uint64) *health.Amount {
	if total == 0 {
		return nil
	}
	return &health.Amount{Total: total, Free: min(free, total)}
}

// disk parses df's TOTAL and FREE in KiB.
func disk(value string) *health.Amount {
	total, free, _ := strings.Cut(value, " ")
	return amount(natural(total)<<10, natural(free)<<10)
}

// load parses the first three of some figures.
func load(value string) (l [3]float64) {
	for i, word := range strings.Fields(value) {
		if i == len(l) {
			break
		}
		l[i] = decimal(word)
	}
	return l
}

// ticks parses the line "cpu" of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
// What follows is included in user and nice.
func ticks(value string) (t Ticks) {
	const idle, iowait, steal = 3, 4, 7
	for i, word := range strings.Fields(value) {
		n := natural(word)
		if i > steal {
			break
		}
		t.Total += n
		if i != idle && i != iowait {
			t.Busy += n
		}
	}
	return t
}

// job parses the words that lib/describe_job.sh prints.
func job(value string) *health.Job {
	j := &health.Job{}
	for word := range strings.FieldsSeq(value) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "job":
			j.ID = value
		case "who":
			j.Who = value
		case "since":
			j.Since = instant(value)
		case "step":
			j.Step = value
		}
	}
	return j
}

// natural parses a natural number. It returns 0 for anything else, and for more than a machine can
// have of anything.
func natural(word string) uint64 {
	n, err := strconv.ParseUint(word, 10, 64)
	if err != nil || n >= 1<<50 {
		return 0
	}
	return n
}

// decimal parses a number that is not negative. It returns 0 for anything else.
func decimal(word string) float64 {
	f, err := strconv.ParseFloat(word, 64)
	if err != nil || f < 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

// instant parses seconds since 1970. It returns nil for anything else, and after the year 9999.
func instant(word string) *time.Time {
	const endOf9999 = 253402300800
	if n := natural(word); n > 0 && n < endOf9999 {
		return new(time.Unix(int64(n), 0).UTC())
	}
	return nil
}
