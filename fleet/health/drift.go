package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Wanted is what a host is held against.
type Wanted struct {
	Revision string // the commit that the remote's branch is at; "" where nobody could tell
	Branch   string // that the checkout is to be on; "" where any will do
	Lock     string // the checksum of flake.lock; "" where none is right or wrong
}

// Code names one way of not being as wanted.
type Code string

const (
	Dirty        Code = "dirty"        // the checkout has changes that are not committed
	WrongBranch  Code = "wrong-branch" // the checkout is on another one
	Behind       Code = "behind"       // the checkout lacks commits
	Ahead        Code = "ahead"        // the checkout has commits that nobody else has
	Diverged     Code = "diverged"     // both
	OtherLock    Code = "lock"         // its flake.lock differs from the others'
	Outdated     Code = "outdated"     // what runs was built from another revision
	Unknown      Code = "unknown"      // nobody can tell which revision runs
	BootPending  Code = "boot-pending" // the next boot starts another system than runs
	RebootNeeded Code = "reboot"       // what runs takes full effect at the next boot
	UnitsFailed  Code = "units"
)

// Difference is one thing about a host that is not as wanted.
type Difference struct {
	Code Code   `json:"code"`
	Text string `json:"text"` // in a few words
}

// Drift is all that is not as wanted, the checkout first, then what runs. Where there is none it is empty.
type Drift []Difference

// Has tells whether a host differs in one of these ways.
func (d Drift) Has(codes ...Code) bool {
	return slices.ContainsFunc(d, func(one Difference) bool { return slices.Contains(codes, one.Code) })
}

// String is the whole of it in a line.
func (d Drift) String() string {
	var texts []string
	for _, one := range d {
		texts = append(texts, one.Text)
	}
	return strings.Join(texts, "; ")
}

// Drift holds the host against what is wanted, by what was seen of it: nothing is built, evaluated or fetched for it. What else the
// host did not tell is no difference, but nobody calls it current without knowing which revision it runs.
func (h Health) Drift(want Wanted) Drift {
	d := Drift{}
	add := func(code Code, format string, args ...any) {
		d = append(d, Difference{code, fmt.Sprintf(format, args...)})
	}
	if c := h.Checkout; c != nil {
		if c.Dirty {
			add(Dirty, "changes that are not committed")
		}
		if want.Branch != "" && c.Branch != want.Branch {
			add(WrongBranch, "on %s", cmp.Or(c.Branch, "no branch"))
		}
		if code, text := c.standing(want.Revision); code != "" {
			add(code, "%s", text)
		}
		if want.Lock != "" && c.Lock != want.Lock {
			add(OtherLock, "another flake.lock")
		}
	}
	s := h.System
	switch {
	case want.Revision == "" || s.Revision == want.Revision:
	case s.Revision != "":
		add(Outdated, "runs %s", Short(s.Revision))
	case s.Deployed == "":
		add(Unknown, "what runs is not known")
	default:
		add(Unknown, "what runs does not tell its revision")
	}
	if s.BootPending {
		add(BootPending, "another system starts at the next boot")
	}
	if s.RebootNeeded {
		add(RebootNeeded, "a reboot is needed")
	}
	if len(h.FailedUnits) > 0 {
		add(UnitsFailed, "failed: %s", strings.Join(h.FailedUnits, " "))
	}
	return d
}

// standing tells where the checkout is, seen from the wanted revision. Its own counts are of what it fetched last: they say on which
// side commits are missing, the revision says whether any are.
func (c Checkout) standing(wanted string) (Code, string) {
	switch {
	case c.Revision == wanted:
		return "", ""
	case c.Ahead > 0 && c.Behind > 0:
		return Diverged, fmt.Sprintf("diverged, %d ahead and %d behind", c.Ahead, c.Behind)
	case c.Ahead > 0:
		return Ahead, fmt.Sprintf("%d ahead", c.Ahead)
	case c.Behind > 0:
		return Behind, fmt.Sprintf("%d behind", c.Behind)
	case wanted != "":
		return Behind, "behind" // by commits that it has not fetched
	}
	return "", ""
}

// UsualLock returns the checksum of flake.lock that hosts are held against: that of a clean checkout of the revision, else what
// most hosts have. It is "" where no two have the same.
func UsualLock(revision string, all []Health) string {
	counts := make(map[string]int)
	usual := ""
	for _, h := range all {
		c := h.Checkout
		if c == nil || c.Lock == "" {
			continue
		}
		if c.Revision == revision && !c.Dirty {
			return c.Lock
		}
		counts[c.Lock]++
		if n := counts[c.Lock]; n > 1 && n > counts[usual] {
			usual = c.Lock
		}
	}
	return usual
}

// Short is a revision as people quote it. That of a system built from uncommitted changes keeps the word for it.
func Short(revision string) string {
	commit, dirty, _ := strings.Cut(revision, "-")
	if commit = commit[:min(len(commit), 7)]; dirty != "" {
		commit += "-" + dirty
	}
	return commit
}
