package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
	"github.com/markus-barta/nixfleet/tui"
)

// printStatus is the table for a person, what needs one after it, and what all were held against.
func printStatus(env *Env, inv *inventory.Inventory, revision string, reports []hostReport) error {
	ink := env.palette(env.OutTTY)
	t := newTextTable(env, statusHeads()...)
	subject := ""
	for _, r := range reports {
		t.row(ink.Host(r.host.Color), append([]string{r.host.Name, r.state(ink)}, r.cells()...)...)
		if c := checkoutOf(r); c != nil && revision != "" && c.Revision == revision {
			subject = c.Subject
		}
	}
	t.fit(spareHeads()...)
	if _, err := fmt.Fprint(env.Out, t); err != nil {
		return err
	}
	for _, r := range reports {
		if r.Err != nil && !(r.away() && r.host.SkipOffline) {
			fmt.Fprintf(env.Err, "%s: %s\n", env.palette(env.ErrTTY).Host(r.host.Color).Paint(r.host.Name), withoutName(r.Err.Error(), r.host))
			printHint(env.Err, env.palette(env.ErrTTY), hint.Of(r.Err))
		}
	}
	_, err := fmt.Fprintf(env.Out, "\n%s\n", footer(inv, revision, subject, reports))
	return err
}

func statusHeads() []string {
	return []string{"HOST", "STATE", "CHECKOUT", "RUNS", "GENERATION", "LOAD", "MEMORY", "STORE", "UP", "DIFFERS IN"}
}

// spareHeads are the columns that a narrow terminal does without, the first to go first.
func spareHeads() []string {
	return []string{"UP", "MEMORY", "LOAD", "GENERATION", "STORE", "CHECKOUT"}
}

// footer says what the hosts were held against, and how many are so.
func footer(inv *inventory.Inventory, revision, subject string, reports []hostReport) string {
	current, known := 0, 0
	for _, r := range reports {
		if r.Err == nil {
			known++
			if len(r.drift) == 0 {
				current++
			}
		}
	}
	target := fmt.Sprintf("the git here does not know what %s is at", inv.Branch)
	switch {
	case revision != "":
		target = fmt.Sprintf("%s is at %s", inv.Branch, health.Short(revision))
	case inv.Remote == "":
		target = fmt.Sprintf("the inventory has no remote that says what %s is at", inv.Branch)
	}
	if subject != "" {
		target += fmt.Sprintf(" (%s)", subject)
	}
	text := fmt.Sprintf("%s; %d of %s current", target, current, count(len(reports), "host"))
	if silent := len(reports) - known; silent > 0 {
		text += fmt.Sprintf(", %d without an answer", silent)
	}
	return text
}

// state is how a host is in a word, with the mark and the ink for it.
func (r hostReport) state(ink tui.Palette) string {
	switch d := r.drift; {
	case r.away() && r.host.SkipOffline:
		return ink.Faint.Paint("- away")
	case r.away():
		return ink.Bad.Paint("? unreachable")
	case r.Err != nil:
		return ink.Bad.Paint("✗ refused")
	case d.Has(health.UnitsFailed):
		return ink.Bad.Paint("! units")
	case d.Has(health.Diverged, health.Ahead):
		return ink.Warn.Paint("↕ diverged")
	case d.Has(health.Dirty):
		return ink.Warn.Paint("~ dirty")
	case d.Has(health.WrongBranch):
		return ink.Warn.Paint("~ branch")
	case d.Has(health.Behind, health.Outdated):
		return ink.Warn.Paint("↓ behind")
	case d.Has(health.Unknown):
		return ink.Warn.Paint("? unknown")
	case d.Has(health.RebootNeeded, health.BootPending):
		return ink.Warn.Paint("↻ reboot")
	case d.Has(health.OtherLock):
		return ink.Warn.Paint("~ lock")
	}
	return ink.Good.Paint("✓ current")
}

// cells are the figures of a host.
func (r hostReport) cells() []string {
	h := r.Health
	if h == nil {
		return append(make([]string, 7), r.owing())
	}
	checkout := ""
	if h.Checkout != nil {
		checkout = health.Short(h.Checkout.Revision)
	}
	generation := ""
	if s := h.System; s.Generation > 0 {
		generation = fmt.Sprint(s.Generation)
		if s.GenerationTime != nil {
			generation += ", " + span(h.Time.Sub(*s.GenerationTime))
		}
	}
	uptime := ""
	if h.Uptime > 0 {
		uptime = span(time.Duration(h.Uptime * float64(time.Second)))
	}
	job := ""
	if h.Job != nil {
		job = "a job of " + h.Job.Who + " is at work"
	}
	return []string{
		checkout, health.Short(h.System.Revision), generation, fmt.Sprintf("%.2f", h.Load[0]), used(h.Memory), free(h.Store),
		uptime, strings.Join(someOf(r.drift.String(), job, r.owing()), "; "),
	}
}

// owing says that the last deploy did not get to a host.
func (r hostReport) owing() string {
	if r.owed == nil {
		return ""
	}
	return "a deploy is owed since run " + r.owed.Run
}

func checkoutOf(r hostReport) *health.Checkout {
	if r.Health == nil {
		return nil
	}
	return r.Health.Checkout
}

// span is a time in its largest unit.
func span(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}} {
		if d >= unit.length {
			return fmt.Sprintf("%d %s", d/unit.length, unit.name)
		}
	}
	return fmt.Sprintf("%d s", max(d, 0)/time.Second)
}

// used is how full something is.
func used(a *health.Amount) string {
	if a == nil || a.Total == 0 {
		return ""
	}
	return fmt.Sprintf("%d%%", 100*(a.Total-min(a.Free, a.Total))/a.Total)
}

// free is what is left of a disk.
func free(a *health.Amount) string {
	if a == nil {
		return ""
	}
	return size(a.Free) + " free"
}

// size is a number of bytes with at most three digits.
func size(bytes uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	n, i := float64(bytes), 0
	for n >= 1000 && i < len(units)-1 {
		n, i = n/1024, i+1
	}
	if n < 10 && i > 0 {
		return fmt.Sprintf("%.1f %s", n, units[i])
	}
	return fmt.Sprintf("%.0f %s", n, units[i])
}
