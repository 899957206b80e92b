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

// printStatus prints a table of the hosts, then what the target is.
func printStatus(env *Env, inv *inventory.Inventory, round statusRound) error {
	revision, reports := round.revision, round.reports
	ink := env.palette(env.OutTTY)
	t := newTextTable(env, statusHeads()...)
	subject := ""
	for _, r := range reports {
		t.row(ink.Host(r.host.Color), append([]string{r.host.Name, r.state(ink)}, r.cells(env.Now())...)...)
		if c := checkoutOf(r); c != nil && revision != "" && c.Revision == revision {
			subject = c.Subject
		}
	}
	t.fit(spareHeads()...)
	if _, err := fmt.Fprint(env.Out, t); err != nil {
		return err
	}
	for _, r := range reports {
		if r.Err != nil && !(r.offline() && r.host.SkipOffline) {
			fmt.Fprintf(env.Err, "%s: %s\n", env.palette(env.ErrTTY).Host(r.host.Color).Paint(r.host.Name), withoutName(r.Err.Error(), r.host))
			printHint(env.Err, env.palette(env.ErrTTY), hint.Of(r.Err))
		}
	}
	_, err := fmt.Fprintf(env.Out, "\n%s\n", footer(inv, revision, subject, reports))
	return err
}

func statusHeads() []string {
	return []string{"HOST", "STATE", "CHECKOUT", "RUNS", "GENERATION", "LOAD", "MEMORY", "STORE", "UP", "DETAILS"}
}

// spareHeads returns the columns that a narrow terminal leaves out, in that order.
func spareHeads() []string {
	return []string{"UP", "MEMORY", "LOAD", "GENERATION", "STORE", "CHECKOUT"}
}

// footer returns the target, and how many hosts are at it.
func footer(inv *inventory.Inventory, revision, subject string, reports []hostReport) string {
	current, silent := 0, 0
	for _, r := range reports {
		if r.State == health.StateCurrent {
			current++
		}
		if r.Err != nil {
			silent++
		}
	}
	target := fmt.Sprintf("git on this machine cannot report the tip of %s", inv.Branch)
	switch {
	case revision != "":
		target = fmt.Sprintf("%s is at %s", inv.Branch, health.Short(revision))
	case inv.Remote == "":
		target = fmt.Sprintf("the inventory has no remote, so the tip of %s is unknown", inv.Branch)
	}
	if subject != "" {
		target += fmt.Sprintf(" (%s)", subject)
	}
	text := fmt.Sprintf("%s; %d of %s current", target, current, count(len(reports), "host"))
	if silent > 0 {
		text += fmt.Sprintf(", %d without an answer", silent)
	}
	return text
}

// state returns the mark and the word of the host's state.
func (r hostReport) state(ink tui.Palette) string {
	paint, mark := ink.State(r.State)
	return paint.Paint(mark + " " + r.State.String())
}

// cells returns a host's row after its state.
func (r hostReport) cells(now time.Time) []string {
	h := r.Health
	if h == nil {
		return append(make([]string, 7), r.details(now))
	}
	checkout := ""
	if h.Checkout != nil {
		checkout = health.Short(h.Checkout.Revision)
	}
	generation := ""
	if s := h.System; s.Generation > 0 {
		generation = fmt.Sprint(s.Generation)
		if s.Specialisation != "" {
			generation += " " + s.Specialisation
		}
		if s.GenerationTime != nil {
			generation += ", " + span(h.Time.Sub(*s.GenerationTime))
		}
	}
	uptime := ""
	if h.Uptime > 0 {
		uptime = span(time.Duration(h.Uptime * float64(time.Second)))
	}
	return []string{
		checkout, health.Short(h.System.Revision), generation, fmt.Sprintf("%.2f", h.Load[0]), used(h.Memory), free(h.Store),
		uptime, r.details(now),
	}
}

// details returns why the host is in its state, and what else there is to know. Errors are printed
// after the table.
func (r hostReport) details(now time.Time) string {
	last, reason, job, pending, tests, address := "", r.Reason, "", "", "", ""
	if r.LastRun != nil {
		last, reason = r.LastRun.Sentence(now), r.Drift.String()
	}
	if r.Err != nil {
		reason = ""
	}
	if r.Health != nil && r.Health.Job != nil {
		job = "job of " + r.Health.Job.Who + " running"
	}
	if r.pending != nil {
		pending = "deploy pending since run " + r.pending.Run
	}
	if r.tests != nil && !r.tests.OK() {
		tests = r.tests.Sentence(now)
	}
	switch {
	case !r.Reachable:
	case r.host.Local:
		address = r.Address
	case len(r.host.Addresses) > 1 && r.Address != "":
		address = "at " + r.Address
	}
	return strings.Join(someOf(last, reason, job, pending, tests, address), "; ")
}

func checkoutOf(r hostReport) *health.Checkout {
	if r.Health == nil {
		return nil
	}
	return r.Health.Checkout
}

// span formats a duration in its largest unit.
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

// used formats how full something is.
func used(a *health.Amount) string {
	if a == nil || a.Total == 0 {
		return ""
	}
	return fmt.Sprintf("%d%%", 100*(a.Total-min(a.Free, a.Total))/a.Total)
}

// free formats how much is left of a disk.
func free(a *health.Amount) string {
	if a == nil {
		return ""
	}
	return size(a.Free) + " free"
}

// size formats a number of bytes with at most three digits.
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
