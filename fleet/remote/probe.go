package remote

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// MaxProbe bounds what a host may answer to a probe.
const MaxProbe = 256 << 10

// Checkout is where a host has its configuration, as a script is told.
type Checkout struct {
	Repo    string // the user's own; "~/" is the login user's home
	Managed bool   // the clone that fleetctl keeps of Remote, instead of Repo
	Remote  string
}

func (c Checkout) args() []string {
	return []string{"repo=" + c.Repo, "managed=" + yes(c.Managed), "remote=" + c.Remote}
}

// Probe asks how a host of that kind fares. Its header is "probed"; [ParseProbe] reads what comes after it.
func Probe(token, kind string, c Checkout) Script {
	return Script{
		Text: script("env", "lock", "home", "preflight", "probe") + run,
		Args: append([]string{"token=" + token, "kind=" + kind}, c.args()...),
	}
}

// Probed is what a host answers to a probe.
type Probed struct {
	Health health.Health
	Agent  string // the path of the agent's socket on the host; "" where there is none
	Ticks  Ticks
}

// Ticks is how a host's processors have spent their time since it started: two of them tell how busy they were in between.
type Ticks struct{ Busy, Total uint64 }

// Since returns the share of time, in percent, that the processors were busy since before. It is nil where that cannot be told.
func (t Ticks) Since(before Ticks) *float64 {
	if before.Total == 0 || t.Total <= before.Total || t.Busy < before.Busy {
		return nil
	}
	return new(100 * float64(t.Busy-before.Busy) / float64(t.Total-before.Total))
}

// ParseProbe reads a probe's answer. What it does not understand it leaves out, as the host does what it does not know.
func ParseProbe(text []byte) Probed {
	p := prober{amounts: map[string]uint64{}}
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(clean.Line(line), " ")
		if value = strings.TrimSpace(value); value != "" {
			p.take(key, value)
		}
	}
	return p.finish()
}

// prober is an answer as it is read.
type prober struct {
	Probed
	checkout health.Checkout
	amounts  map[string]uint64 // by the names that Linux and macOS have for them
}

func (p *prober) take(key, value string) {
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
		p.takeSysctl(value)
	case "vm_stat":
		p.takePages(value)
	case "MemTotal", "MemAvailable", "SwapTotal", "SwapFree":
		p.amounts[key] = natural(value) << 10
	default:
		p.takeSystem(key, value)
		p.takeCheckout(key, value)
	}
}

func (p *prober) takeSystem(key, value string) {
	s := &p.Health.System
	switch key {
	case "deployed":
		s.Deployed = value
	case "booted":
		s.Booted = value
	case "profile":
		s.Profile = value
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

func (p *prober) takeCheckout(key, value string) {
	c := &p.checkout
	switch key {
	case "checkout":
		if value != "(initial)" { // git's word for a repository without a commit
			c.Revision = value
		}
	case "branch":
		if value != "(detached)" {
			c.Branch = value
		}
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

// finish puts together what came in pieces.
func (p *prober) finish() Probed {
	h := &p.Health
	h.Memory = amount(p.amounts["MemTotal"], p.amounts["MemAvailable"])
	h.Swap = amount(p.amounts["SwapTotal"], p.amounts["SwapFree"])
	if s := &h.System; s.Profile != "" && s.Deployed != "" {
		s.BootPending = s.Profile != s.Deployed
	}
	if p.checkout.Revision != "" {
		h.Checkout = &p.checkout
	}
	return p.Probed
}

func amount(total, free uint64) *health.Amount {
	if total == 0 {
		return nil
	}
	return &health.Amount{Total: total, Free: min(free, total)}
}

// disk reads df's TOTAL and FREE in KiB.
func disk(value string) *health.Amount {
	total, free, _ := strings.Cut(value, " ")
	return amount(natural(total)<<10, natural(free)<<10)
}

// load reads the first three of some figures.
func load(value string) (l [3]float64) {
	for i, word := range strings.Fields(value) {
		if i == len(l) {
			break
		}
		l[i] = decimal(word)
	}
	return l
}

// ticks reads the line "cpu" of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. What comes after those is in user
// and nice already.
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

// job reads the words of lock.sh about whoever has the host.
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

// natural reads a whole number, and 0 where there is none. What no machine can have is none.
func natural(word string) uint64 {
	n, err := strconv.ParseUint(word, 10, 64)
	if err != nil || n >= 1<<50 {
		return 0
	}
	return n
}

// decimal reads a figure that is no whole number.
func decimal(word string) float64 {
	f, err := strconv.ParseFloat(word, 64)
	if err != nil || f < 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

// instant reads seconds since 1970, as far as a calendar of four digits goes.
func instant(word string) *time.Time {
	const endOf9999 = 253402300800
	if n := natural(word); n > 0 && n < endOf9999 {
		return new(time.Unix(int64(n), 0).UTC())
	}
	return nil
}
