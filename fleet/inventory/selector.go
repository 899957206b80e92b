package inventory

import (
	"fmt"
	"math/big"
	"strings"
)

// Select returns the hosts that match any of the selectors, in file order.
//
//	hsb0            the host with that name
//	csb*  hsb[0-2]  hosts with a matching name: *, ?, [abc], [a-c], [!a]
//	@server  @dns*  hosts with a matching tag
//	kind:home       hosts of that kind
//	wave:2          hosts in that wave
//	not A           all other hosts
//	A and B         hosts in both
//	A or B   A, B   hosts in either
//	( A )           grouping; not binds tighter than and, and binds tighter than or
//
// A name, a pattern or a tag that matches no host is an error even if other parts match: `not
// @laptpo` must not select the whole fleet. It is also an error if no hosts are selected. An
// invalid selector is reported as a [*SelectorError].
func (inv *Inventory) Select(selectors ...string) ([]*Host, error) {
	index := newHostIndex(inv.Hosts)
	selected := new(big.Int)
	for _, s := range selectors {
		p := selectorParser{hostIndex: index, scanner: scanner{text: []rune(s)}}
		set, err := p.parse()
		if err != nil {
			return nil, err
		}
		selected.Or(selected, set)
	}
	var hosts []*Host
	for i, h := range inv.Hosts {
		if selected.Bit(i) == 1 {
			hosts = append(hosts, h)
		}
	}
	if hosts == nil {
		return nil, &hintedError{fmt.Sprintf("selector %s matches no hosts", quote(strings.Join(selectors, ", "))), index.hint()}
	}
	return hosts, nil
}

// A SelectorError is a problem with a selector and its position.
type SelectorError struct {
	Selector string
	Column   int // from 1, in characters
	Message  string
	hint     string
}

// Hint returns how to fix the selector, or "".
func (e *SelectorError) Hint() string { return e.hint }

// Error returns the message, followed by the selector with a caret below the problem.
func (e *SelectorError) Error() string {
	shown := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?' // one column per character, so that the caret points to the right one
		}
		return r
	}, e.Selector)
	return fmt.Sprintf("%s\n    %s\n    %*s", e.Message, shown, e.Column, "^")
}
