package inventory

import (
	"fmt"
	"strings"
)

// Select picks hosts by selectors, in the file's order; several are as one with commas between them.
//
//	hsb0            the host of that name
//	csb*  hsb[0-2]  hosts whose names match: *, ?, [abc], [a-c], [!a]
//	@server  @dns*  hosts with a tag that matches
//	kind:home       hosts of that kind
//	wave:2          hosts of that wave
//	not A           the rest of the fleet
//	A and B         hosts in both
//	A or B   A, B   hosts in either
//	( A )           not binds closer than and, and closer than or
//
// A name, a pattern or a tag that no host has is an error even where others match: `not @laptpo` must not mean all.
// So is a selector that picks nothing.
func (inv *Inventory) Select(selectors ...string) ([]*Host, error) {
	f := newField(inv)
	picked := f.none()
	for _, s := range selectors {
		p := selection{field: f, scanner: scanner{text: []rune(s)}}
		set, err := p.whole()
		if err != nil {
			return nil, err
		}
		picked.add(set)
	}
	var hosts []*Host
	for i, h := range inv.Hosts {
		if picked.has(i) {
			hosts = append(hosts, h)
		}
	}
	if hosts == nil {
		return nil, &hinted{fmt.Sprintf("selector %s picks no host", quote(strings.Join(selectors, ", "))), inv.orientation()}
	}
	return hosts, nil
}

// orientation reminds of what there is to pick from.
func (inv *Inventory) orientation() string {
	const most = 10
	var names []string
	for _, h := range inv.Hosts {
		if len(names) == most {
			return fmt.Sprintf("the fleet has %d hosts: %s, ...", len(inv.Hosts), strings.Join(names, ", "))
		}
		names = append(names, h.Name)
	}
	if names == nil {
		return "the fleet has no hosts"
	}
	return "the fleet has " + strings.Join(names, ", ")
}

// SelectorError is a selector that cannot be understood, and where.
type SelectorError struct {
	Selector string
	Column   int // from 1, in characters
	Message  string
	Mend     string // what to do about it, or ""
}

func (e *SelectorError) Hint() string { return e.Mend }

func (e *SelectorError) Error() string {
	shown := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?' // one character, one column: the caret has to point
		}
		return r
	}, e.Selector)
	return fmt.Sprintf("%s\n    %s\n    %s^", e.Message, shown, strings.Repeat(" ", e.Column-1))
}

// hostSet is a set of hosts by their place in the file, a bit each: a fleet of 10,000 is 157 words.
type hostSet []uint64

func (s hostSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s hostSet) put(i int)      { s[i/64] |= 1 << (i % 64) }

func (s hostSet) add(o hostSet) {
	for i := range s {
		s[i] |= o[i]
	}
}

func (s hostSet) keep(o hostSet) {
	for i := range s {
		s[i] &= o[i]
	}
}

func (s hostSet) empty() bool {
	for _, word := range s {
		if word != 0 {
			return false
		}
	}
	return true
}

// field is the fleet as selectors see it.
type field struct {
	hosts  []*Host
	byName map[string]int
}

func newField(inv *Inventory) *field {
	f := &field{hosts: inv.Hosts, byName: make(map[string]int, len(inv.Hosts))}
	for i, h := range inv.Hosts {
		f.byName[h.Name] = i
	}
	return f
}

func (f *field) none() hostSet { return make(hostSet, (len(f.hosts)+63)/64) }

// where is the set of hosts for which a condition holds.
func (f *field) where(holds func(*Host) bool) hostSet {
	s := f.none()
	for i, h := range f.hosts {
		if holds(h) {
			s.put(i)
		}
	}
	return s
}

// without is the rest of the fleet.
func (f *field) without(o hostSet) hostSet {
	s := f.none()
	for i := range s {
		s[i] = ^o[i]
	}
	if rest := len(f.hosts) % 64; rest != 0 {
		s[len(s)-1] &= 1<<rest - 1
	}
	return s
}

// tags are all tags of the fleet, each once.
func (f *field) tags() []string {
	var tags []string
	seen := make(map[string]bool)
	for _, h := range f.hosts {
		for _, t := range h.Tags {
			if !seen[t] {
				seen[t] = true
				tags = append(tags, t)
			}
		}
	}
	return tags
}

func (f *field) names() []string {
	names := make([]string, len(f.hosts))
	for i, h := range f.hosts {
		names[i] = h.Name
	}
	return names
}
