package tui

import (
	"sort"
	"strconv"
	"strings"
)

// isBuild reports whether a line is what a derivation's build says itself: Nix puts the derivation's name and "> " before it.
func isBuild(text string) bool {
	end := strings.IndexByte(text, '>')
	if end < 1 || end+1 < len(text) && text[end+1] != ' ' {
		return false
	}
	for i := range end {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("+-._?=", c) >= 0: // what a store path's name may have
		default:
			return false
		}
	}
	return true
}

// span is lines that show as one, and mostly one line: from the first to the last.
type span struct{ from, to int }

// span is the one that a line is in. With fold, builds' own lines that stand together are one.
func (t *tail) span(n int, fold bool) span {
	l := t.line(n)
	if !fold || !l.build {
		return span{n, n}
	}
	after := n + 1 + sort.Search(t.next-n-1, func(i int) bool {
		other := t.line(n + 1 + i)
		return !other.build || other.head != l.head
	})
	return span{max(l.head, t.first()), after - 1}
}

// step goes so many spans down from a line, as far as there are any, and returns the first line of where it comes to. left is how many it could
// not go.
func (t *tail) step(n, spans int, fold bool) (at, left int) {
	if len(t.lines) == 0 {
		return n, spans
	}
	at = t.span(n, fold).from
	for ; spans > 0; spans-- {
		next := t.span(at, fold).to + 1
		if next >= t.next {
			return at, spans
		}
		at = next
	}
	for ; spans < 0; spans++ {
		if at <= t.first() {
			return at, spans
		}
		at = t.span(at-1, fold).from
	}
	return at, 0
}

// folded is what stands before the last line of a span of several.
func (s span) folded() string {
	if s.from == s.to {
		return ""
	}
	return "▸ " + strconv.Itoa(s.to-s.from+1) + " lines  "
}
