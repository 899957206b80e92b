package inventory

import (
	"strconv"
	"strings"
)

// hostSet is a set of hosts as a bitmap, by their index in the inventory. For 10,000 hosts it has
// 157 words.
type hostSet []uint64

func (s hostSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s hostSet) add(i int)      { s[i/64] |= 1 << (i % 64) }

// union adds the hosts of o to s.
func (s hostSet) union(o hostSet) {
	for i := range s {
		s[i] |= o[i]
	}
}

// intersect removes the hosts that are not in o from s.
func (s hostSet) intersect(o hostSet) {
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

// hostIndex looks up hosts for selectors.
type hostIndex struct {
	hosts  []*Host
	byName map[string]int
}

func newHostIndex(hosts []*Host) *hostIndex {
	x := &hostIndex{hosts: hosts, byName: make(map[string]int, len(hosts))}
	for i, h := range hosts {
		x.byName[h.Name] = i
	}
	return x
}

func (x *hostIndex) emptySet() hostSet { return make(hostSet, (len(x.hosts)+63)/64) }

// matching returns the hosts that satisfy a predicate.
func (x *hostIndex) matching(predicate func(*Host) bool) hostSet {
	s := x.emptySet()
	for i, h := range x.hosts {
		if predicate(h) {
			s.add(i)
		}
	}
	return s
}

// complement returns the hosts that are not in s.
func (x *hostIndex) complement(s hostSet) hostSet {
	out := x.emptySet()
	for i := range x.hosts {
		if !s.has(i) {
			out.add(i)
		}
	}
	return out
}

// tags returns the tags of all hosts, without duplicates.
func (x *hostIndex) tags() []string {
	var tags []string
	seen := make(map[string]bool)
	for _, h := range x.hosts {
		for _, t := range h.Tags {
			if !seen[t] {
				seen[t] = true
				tags = append(tags, t)
			}
		}
	}
	return tags
}

func (x *hostIndex) names() []string {
	names := make([]string, len(x.hosts))
	for i, h := range x.hosts {
		names[i] = h.Name
	}
	return names
}

// hint lists the hosts that can be selected, up to ten of them.
func (x *hostIndex) hint() string {
	const limit = 10
	names := x.names()
	switch {
	case len(names) == 0:
		return "the fleet has no hosts"
	case len(names) > limit:
		return "the fleet has " + strconv.Itoa(len(names)) + " hosts: " + strings.Join(names[:limit], ", ") + ", ..."
	}
	return "the hosts are " + strings.Join(names, ", ")
}
