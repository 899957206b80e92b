package inventory

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// near picks the words that somebody who wrote word may have meant, the likeliest first, three at most.
func near(word string, words []string) []string {
	type guess struct {
		word     string
		distance int
	}
	var guesses []guess
	allowed := max(1, len(word)/3)
	for _, w := range words {
		d := distance(strings.ToLower(word), strings.ToLower(w), allowed)
		if d > allowed && len(w) > 2 && len(word) > 2 && (strings.Contains(word, w) || strings.Contains(w, word)) {
			d = allowed // "home-manager" for "home", "csb" for "csb0"
		}
		if d <= allowed {
			guesses = append(guesses, guess{w, d})
		}
	}
	slices.SortStableFunc(guesses, func(a, b guess) int { return cmp.Compare(a.distance, b.distance) })
	var out []string
	for _, g := range guesses[:min(3, len(guesses))] {
		out = append(out, g.word)
	}
	return out
}

// DidYouMean is a hint for whoever wrote word where one of words was wanted; "" where none is near.
func DidYouMean(word string, words []string) string {
	guesses := near(word, words)
	if len(guesses) == 0 {
		return ""
	}
	return "did you mean " + oneOf(guesses) + "?"
}

// oneOf reads `"a", "b" or "c"`.
func oneOf(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	last := len(quoted) - 1
	if last < 1 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

// quote is for messages: nothing in it can disturb a terminal, and it is no longer than one cares to read.
func quote(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "..."
	}
	return strconv.Quote(s)
}

// distance counts the edits (insert, delete, replace, swap neighbours) from a to b, giving up beyond most.
func distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		best := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			best = min(best, row[j])
		}
		if best > most {
			return most + 1
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
