package inventory

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// suggest returns up to three of words that are similar to word, most similar first.
func suggest(word string, words []string) []string {
	type candidate struct {
		word     string
		distance int
	}
	var candidates []candidate
	limit := max(1, len(word)/3)
	for _, w := range words {
		d := limit + 1
		shorter, longer := min(len(word), len(w)), max(len(word), len(w))
		if longer-shorter <= limit {
			d = editDistance(strings.ToLower(word), strings.ToLower(w))
		}
		if shorter > 2 && (strings.Contains(word, w) || strings.Contains(w, word)) {
			d = min(d, limit) // "home-manager" for "home", "csb" for "csb0"
		}
		if d <= limit {
			candidates = append(candidates, candidate{w, d})
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var out []string
	for _, c := range candidates[:min(3, len(candidates))] {
		out = append(out, c.word)
	}
	return out
}

// DidYouMean returns a hint that suggests the words that are similar to word, or "" if none is.
func DidYouMean(word string, words []string) string {
	suggestions := suggest(word, words)
	if len(suggestions) == 0 {
		return ""
	}
	return "did you mean " + oneOf(suggestions) + "?"
}

// oneOf joins words as in `"a", "b" or "c"`.
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

// quote quotes and shortens a string for a message, so that nothing in it can disturb the terminal.
func quote(s string) string {
	const limit = 60
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit]) + "..."
	}
	return strconv.Quote(s)
}

// editDistance returns the number of edits (insert, delete, replace, or swap two neighbors) that
// turn a into b.
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
