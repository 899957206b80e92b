package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Target is the desired state that a host is compared with. An empty field makes no demand.
type Target struct {
	Revision string // the commit at the tip of the fleet's branch; "" if it is unknown
	Branch   string // the branch that the checkout has to be on
	Lock     string // the checksum of flake.lock, from [UsualLock]
	Managed  bool   // the checkout is a clone of fleetctl's own, which is on no branch
}

// Code names one way in which a host differs from its target.
type Code string

const (
	Dirty        Code = "dirty"        // the checkout has uncommitted changes
	WrongBranch  Code = "wrong-branch" // the checkout is on another branch
	OnTrial      Code = "trial"        // the checkout is on something else that --rev named
	Behind       Code = "behind"       // the checkout lacks commits
	Ahead        Code = "ahead"        // the checkout has commits that were not pushed
	Diverged     Code = "diverged"     // both
	OtherLock    Code = "lock"         // its flake.lock is not the target's
	Outdated     Code = "outdated"     // the running system was built from another revision
	Unknown      Code = "unknown"      // the revision of the running system is unknown
	BootPending  Code = "boot-pending" // the next boot starts another system
	RebootNeeded Code = "reboot"       // the running system takes full effect at the next boot
	UnitsFailed  Code = "units"        // systemd units failed
)

// Difference is one way in which a host differs from its target.
type Difference struct {
	Code Code   `json:"code"`
	Text string `json:"text"` // in a few words
}

// Drift lists every difference between a host and its target: the checkout first, then the system.
// It is empty, not nil, if there are none.
type Drift []Difference

// Has reports whether the drift includes any of the given codes.
func (d Drift) Has(codes ...Code) bool {
	return slices.ContainsFunc(d, func(one Difference) bool { return slices.Contains(codes, one.Code) })
}

// String returns all differences in one line.
func (d Drift) String() string {
	var texts []string
	for _, one := range d {
		texts = append(texts, one.Text)
	}
	return strings.Join(texts, "; ")
}

// Drift compares the host with its target. It uses only facts: nothing is built, evaluated or
// fetched. A fact that the host did not report is not a difference, except for the revision of the
// running system: a host is not current on a guess.
func (h Health) Drift(t Target) Drift {
	d := Drift{}
	add := func(code Code, format string, args ...any) {
		d = append(d, Difference{code, fmt.Sprintf(format, args...)})
	}
	if c := h.Checkout; c != nil {
		if c.Dirty {
			add(Dirty, "uncommitted changes")
		}
		code, text := c.standing(t.Revision)
		switch {
		case c.Trial != "" && !(t.Managed && c.Revision == t.Revision):
			add(OnTrial, "on %s", TrialName(c.Trial))
			code = ""
		case t.Branch != "" && !t.Managed && c.Branch != t.Branch:
			add(WrongBranch, "on %s", cmp.Or(c.Branch, "no branch"))
		}
		if code != "" {
			add(code, "%s", text)
		}
		if t.Lock != "" && c.Lock != "" && c.Lock != t.Lock {
			add(OtherLock, "different flake.lock")
		}
	}
	s := h.System
	switch {
	case t.Revision == "" || s.Revision == t.Revision:
	case s.Revision != "":
		add(Outdated, "runs %s", Short(s.Revision))
	case s.Deployed == "":
		add(Unknown, "running system unknown")
	default:
		add(Unknown, "running system does not report its revision")
	}
	if s.BootPending {
		add(BootPending, "different system at the next boot")
	}
	if s.RebootNeeded {
		add(RebootNeeded, "reboot needed")
	}
	if len(h.FailedUnits) > 0 {
		add(UnitsFailed, "failed units: %s", strings.Join(h.FailedUnits, " "))
	}
	return d
}

// standing compares the checkout with the target revision. The checkout's own counts are those of
// its last fetch: they say on which side commits are missing; only the revision says whether any
// are.
func (c Checkout) standing(target string) (Code, string) {
	switch {
	case c.Revision == target:
		return "", ""
	case c.Ahead > 0 && c.Behind > 0:
		return Diverged, fmt.Sprintf("diverged, %d ahead and %d behind", c.Ahead, c.Behind)
	case c.Ahead > 0:
		return Ahead, fmt.Sprintf("%d ahead", c.Ahead)
	case c.Behind > 0:
		return Behind, fmt.Sprintf("%d behind", c.Behind)
	case target != "":
		return Behind, "behind" // by commits that it has not fetched
	}
	return "", ""
}

// TrialName describes what --rev has brought a checkout to: "branch try", "tag v1" or
// "commit 1a2b3c4".
func TrialName(ref string) string {
	if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
		return "branch " + name
	}
	if name, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
		return "tag " + name
	}
	return "commit " + Short(ref)
}

// UsualLock returns the checksum of flake.lock that hosts are compared with: that of a clean
// checkout of the target revision if there is one, otherwise the one that most hosts have. It
// returns "" if no two hosts have the same. Nil checkouts are ignored.
func UsualLock(revision string, checkouts []*Checkout) string {
	counts := make(map[string]int)
	usual := ""
	for _, c := range checkouts {
		if c == nil || c.Lock == "" {
			continue
		}
		if revision != "" && c.Revision == revision && !c.Dirty {
			return c.Lock
		}
		counts[c.Lock]++
		if n := counts[c.Lock]; n > 1 && n > counts[usual] {
			usual = c.Lock
		}
	}
	return usual
}

// Short abbreviates a revision to seven digits. It keeps the suffix of a system that was built from
// uncommitted changes: "1a2b3c4-dirty".
func Short(revision string) string {
	commit, suffix, _ := strings.Cut(revision, "-")
	if commit = commit[:min(len(commit), 7)]; suffix != "" {
		commit += "-" + suffix
	}
	return commit
}
