package health

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// LastRun is how the last run that involved a host ended for it.
type LastRun struct {
	Goal    string    `json:"goal"`             // switch, boot, test, build, pull or rollback
	Outcome string    `json:"outcome"`          // as in fleet.Outcome
	Step    string    `json:"step,omitempty"`   // the step it ended in, if it did not end well
	Reason  string    `json:"reason,omitempty"` // in a line
	Time    time.Time `json:"time"`             // when it ended, by the operator's clock

	// the commit that the host ran at the end; "" if unknown
	Revision   string `json:"revision,omitempty"`
	Generation int    `json:"generation,omitempty"` // 0 if unknown
	// the commit that the run left the checkout at, clean; "" if unknown
	Checkout string `json:"checkout,omitempty"`
	Trial    string `json:"trial,omitempty"` // as in [Checkout]
}

// The outcomes that a judgement depends on.
const (
	outcomeSwitched     = "switched"
	outcomeUnchanged    = "unchanged"
	outcomeRebootNeeded = "reboot-needed"
	outcomeDegraded     = "degraded"
	outcomeFailed       = "failed"
	outcomeRolledBack   = "rolled-back"
	outcomeUnreachable  = "unreachable"
	outcomeUnknown      = "unknown"
)

// NeedsAttention reports whether the run failed, was rolled back, or left the host degraded. Such
// an outcome stands until the next run.
func (r *LastRun) NeedsAttention() bool { return r.failed() || r.is(outcomeDegraded) }

// Stands reports whether the outcome still counts for a host that was last asked at the given time,
// zero for never. An outcome that needs no attention stands only until the host is asked again.
func (r *LastRun) Stands(asked time.Time) bool { return r.NeedsAttention() || !asked.After(r.Time) }

// is reports whether there is a last run that ended in this way.
func (r *LastRun) is(outcomes ...string) bool {
	return r != nil && slices.Contains(outcomes, r.Outcome)
}

func (r *LastRun) failed() bool { return r.is(outcomeFailed, outcomeRolledBack) }

// reason returns the step and the reason in a line.
func (r *LastRun) reason() string {
	reason := strings.TrimPrefix(r.Reason, r.Step+": ")
	switch {
	case r.Step == "":
		return reason
	case reason == "":
		return r.Step
	}
	return r.Step + ": " + reason
}

// Sentence returns the run's outcome as a sentence: "last deploy failed 4m ago in build: ...".
func (r *LastRun) Sentence(now time.Time) string {
	text := fmt.Sprintf("last %s %s %s", r.operation(), strings.ReplaceAll(r.Outcome, "-", " "), ago(now.Sub(r.Time)))
	if r.Step != "" {
		text += " in " + r.Step
	}
	if reason := strings.TrimPrefix(r.Reason, r.Step+": "); reason != "" {
		text += ": " + ShortenPaths(reason)
	}
	return text
}

// ShortenPaths replaces each path in the Nix store with the name that it has there, which is what
// an operator recognizes.
func ShortenPaths(text string) string { return storePath.ReplaceAllStringFunc(text, storeName) }

var storePath = regexp.MustCompile(`/nix/store/[0-9a-z]{32}-[^\s/'"]+`)

// storeName returns the name of a path in the Nix store, without the suffix of a derivation.
func storeName(path string) string {
	_, name, _ := strings.Cut(path, "-")
	return strings.TrimSuffix(name, ".drv")
}

// operation returns what the run did, as a noun.
func (r *LastRun) operation() string {
	switch r.Goal {
	case "switch":
		return "deploy"
	case "boot", "test":
		return r.Goal + " deploy"
	}
	return r.Goal
}

func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", d/time.Hour)
	}
	return fmt.Sprintf("%dd ago", d/(24*time.Hour))
}

// applyLastRun brings the facts that are older than the end of the last run up to date with its
// outcome.
func (e *Evidence) applyLastRun() {
	r := e.LastRun
	if r == nil {
		return
	}
	if !e.Seen.Time.After(r.Time) {
		e.Seen.Contact = r.contact(e.Seen.Contact)
	}
	if e.Seen.Health == nil && r.Revision != "" {
		e.Seen.Health = &Health{}
	}
	if e.Seen.Health == nil {
		return
	}
	h := *e.Seen.Health
	if !e.Seen.FactsTime.After(r.Time) {
		r.applyToSystem(&h)
	}
	if c := h.Checkout; c != nil && r.Checkout != "" && !e.Seen.CheckoutTime.After(r.Time) {
		// The run refused a checkout that was dirty, diverged or on another branch.
		h.Checkout = &Checkout{Revision: r.Checkout, Branch: e.Target.Branch, Subject: c.Subject, Trial: r.Trial}
		if r.Checkout == e.Target.Revision {
			h.Checkout.Lock = e.Target.Lock
		}
	}
	e.Seen.Health = &h
}

// contact returns what the run proves about reaching the host, or the older contact if it proves
// nothing.
func (r *LastRun) contact(older Contact) Contact {
	switch {
	case r.is(outcomeUnreachable):
		return Contact{Reach: Offline, Reason: r.Reason}
	case r.is(outcomeSwitched, outcomeUnchanged, outcomeRebootNeeded, outcomeDegraded, outcomeRolledBack),
		r.is(outcomeFailed) && r.Step != "" && r.Step != "connect":
		return Contact{Reach: Answered}
	}
	return older
}

func (r *LastRun) applyToSystem(h *Health) {
	if r.Revision != "" {
		h.System.Revision = r.Revision
	}
	if r.Generation > 0 {
		h.System.Generation = r.Generation
	}
	switch {
	case r.is(outcomeSwitched, outcomeUnchanged):
		h.System.RebootNeeded, h.System.BootPending, h.FailedUnits = false, false, nil
	case r.is(outcomeRebootNeeded):
		h.System.RebootNeeded, h.System.BootPending, h.FailedUnits = true, false, nil
	}
}
