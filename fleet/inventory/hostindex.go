package inventory

import (
	"math/big"
	"strconv"
	"strings"
)

// hostIndex looks up hosts for selectors. A set of hosts is a [big.Int] with one bit for each host:
// its index in the inventory.
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

// matching returns the hosts that satisfy a predicate.
func (x *hostIndex) matching(predicate func(*Host) bool) *big.Int {
	set := new(big.Int)
	for i, h := range x.hosts {
		if predicate(h) {
			set.SetBit(set, i, 1)
		}
	}
	return set
}

// complement returns the hosts that are not in set.
func (x *hostIndex) complement(set *big.Int) *big.Int {
	all := x.matching(func(*Host) bool { return true })
	return all.AndNot(all, set)
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
