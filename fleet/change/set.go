package change

import (
	"fmt"
	"slices"
	"strings"
)

// Set is how the configuration that a host runs differs from the one before.
type Set struct {
	// Packages are those that differ, by name.
	Packages []Package `json:"packages,omitempty"`
	// Counts are the numbers of packages that differ, also of those that are left out here.
	Counts map[Word]int `json:"counts,omitempty"`
	// More is the number of packages that the host has left out of its answer.
	More    int      `json:"more,omitempty"`
	Closure *Closure `json:"closure,omitempty"` // nil if the sizes are unknown
	Units   []Units  `json:"units,omitempty"`
	// Undone is whether the host went back to the configuration before, so that nothing of this has
	// changed in the end.
	Undone bool `json:"undone,omitempty"`
	// Missing is why packages and sizes are unknown, or "".
	Missing string `json:"missing,omitempty"`
}

// Word is how a package differs.
type Word string

// The words in the order in which they are shown.
const (
	Up   Word = "up"
	Down Word = "down"
	New  Word = "new"
	Gone Word = "gone"
	Size Word = "size" // the version is the same
)

var words = []Word{Up, Down, New, Gone, Size}

// Package is a package whose version or size differs between two closures.
type Package struct {
	Name   string `json:"package"`
	Before string `json:"before,omitempty"` // versions; "" if it is new or has no version
	After  string `json:"after,omitempty"`  // versions; "" if it is gone or has no version
	Word   Word   `json:"change"`
	Size   string `json:"size,omitempty"` // difference as Nix prints it: "+1.2 MiB"
}

// Closure is the size of everything that a configuration consists of, in bytes.
type Closure struct {
	Before     int64 `json:"before"`
	After      int64 `json:"after"`
	Difference int64 `json:"difference"`
}

// Units is what an activation does to some units.
type Units struct {
	Verb  string   `json:"verb"` // stop, reload, restart, start or fail
	Units []string `json:"units"`
}

// verbs lists the verbs in the order in which they are shown, with their past participles.
var verbs = []struct{ verb, past string }{
	{"stop", "stopped"}, {"reload", "reloaded"}, {"restart", "restarted"}, {"start", "started"}, {"fail", "failed"},
}

var marks = map[Word]string{Up: "↑", Down: "↓", New: "+", Gone: "-", Size: "±"}

// String returns the package as text without its mark: "linux 6.18.3 → 6.19.0, +1.2 MiB".
func (p Package) String() string {
	text := p.Name
	switch {
	case p.Before != "" && p.After != "":
		text += " " + p.Before + " → " + p.After
	case p.Word == Up || p.Word == Down: // one of the two has no version
		text += " " + strings.TrimSpace(p.Before+" → "+p.After)
	case p.Before+p.After != "":
		text += " " + p.Before + p.After
	}
	if p.Size != "" {
		text += ", " + p.Size
	}
	return text
}

// Totals returns the numbers of packages and the size: "3 up, 1 new; closure 4.1 GiB, +12.0 MiB".
// If all was undone, it says so.
func (s *Set) Totals() string {
	text := s.packageCounts()
	if s.Missing != "" {
		text = "packages unknown: " + s.Missing
	}
	if s.Closure != nil {
		text += "; " + s.Closure.String()
	}
	if s.Undone {
		text = "nothing in the end; undone: " + text
	}
	return text
}

// Summary returns the totals and what the activation has done to units: "1 up; closure 4.1 GiB,
// +12.0 MiB; units: 2 restarted".
func (s *Set) Summary() string {
	var units []string
	for _, u := range s.Units {
		units = append(units, fmt.Sprintf("%d %s", len(u.Units), past(u.Verb)))
	}
	if len(units) == 0 {
		return s.Totals()
	}
	return s.Totals() + "; units: " + strings.Join(units, ", ")
}

func (s *Set) packageCounts() string {
	var counts []string
	for _, w := range words {
		if n := s.Counts[w]; n > 0 {
			text := fmt.Sprintf("%d %s", n, w)
			if w == Size {
				text = fmt.Sprintf("%d in size", n)
			}
			counts = append(counts, text)
		}
	}
	if s.More > 0 {
		counts = append(counts, fmt.Sprintf("%d more", s.More))
	}
	if counts == nil {
		return "no package changed"
	}
	return strings.Join(counts, ", ")
}

// String returns the size after the change and the difference, if it can be seen at that scale:
// "closure 4.1 GiB, +12.0 MiB".
func (c *Closure) String() string {
	text := "closure " + strings.TrimPrefix(size(c.After), "+")
	if difference := size(c.Difference); difference[1:] != "0.0 KiB" {
		text += ", " + difference
	}
	return text
}

// size formats a number of bytes as Nix does, with its sign.
func size(n int64) string {
	value, unit := float64(n)/1024, 0
	const units = "KMGTPE"
	for unit < len(units)-1 && max(value, -value) >= 1024 {
		value /= 1024
		unit++
	}
	return fmt.Sprintf("%+.1f %ciB", value, units[unit])
}

// Shorten leaves out packages so that at most limit of them remain: first those that differ only in
// size.
func (s *Set) Shorten(limit int) { s.Packages = shorten(s.Packages, limit) }

// Lines returns a line for each package and each verb, with at most limit packages. Planned changes
// have verbs as in "restart nginx.service", others as in "restarted nginx.service".
func (s *Set) Lines(limit int, planned bool) []string {
	var lines []string
	shown := shorten(s.Packages, limit)
	for _, p := range shown {
		lines = append(lines, fmt.Sprintf("%s %-4s  %s", marks[p.Word], p.Word, p))
	}
	if n := s.total() - len(shown); n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	for _, u := range s.Units {
		verb := u.Verb
		if !planned {
			verb = past(verb)
		}
		lines = append(lines, verb+" "+strings.Join(u.Units, " "))
	}
	return lines
}

// BriefPackages returns at most limit packages as short texts, and the number of the others.
func (s *Set) BriefPackages(limit int) []string {
	var texts []string
	shown := shorten(s.Packages, limit)
	for _, p := range shown {
		texts = append(texts, marks[p.Word]+" "+p.String())
	}
	if n := s.total() - len(shown); n > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", n))
	}
	return texts
}

// BriefUnits returns a short text for each verb, with at most limit units and the number of the
// others.
func (s *Set) BriefUnits(limit int) []string {
	var texts []string
	for _, u := range s.Units {
		text := past(u.Verb) + " " + strings.Join(u.Units[:min(limit, len(u.Units))], " ")
		if n := len(u.Units) - limit; n > 0 {
			text += fmt.Sprintf(" and %d more", n)
		}
		texts = append(texts, text)
	}
	return texts
}

// total returns the number of packages that differ.
func (s *Set) total() int {
	total := s.More
	for _, n := range s.Counts {
		total += n
	}
	return total
}

func past(verb string) string {
	for _, v := range verbs {
		if v.verb == verb {
			return v.past
		}
	}
	return verb
}

// shorten returns at most limit of the packages, in the same order. It leaves out those that differ
// only in size first.
func shorten(packages []Package, limit int) []Package {
	excess := len(packages) - limit
	if excess <= 0 {
		return packages
	}
	kept := make([]Package, 0, limit)
	for _, p := range slices.Backward(packages) {
		if excess > 0 && p.Word == Size {
			excess--
			continue
		}
		kept = append(kept, p)
	}
	slices.Reverse(kept)
	return kept[:min(limit, len(kept))]
}
