package sshexec

import "strings"

// matchPattern reports whether text matches a pattern as defined in ssh_config(5), PATTERNS: *
// matches any number of characters, ? matches exactly one.
func matchPattern(pattern, text string) bool {
	// On a mismatch after a *, let that * match one more character and retry. Only the last * needs
	// to be retried.
	star, retry := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, retry = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			retry++
			p, t = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchPatternList reports whether text matches a pattern in the list, but none negated with !.
func matchPatternList(patterns []string, text string) bool {
	found := false
	for _, p := range patterns {
		if negated, ok := strings.CutPrefix(p, "!"); ok {
			if matchPattern(negated, text) {
				return false
			}
		} else if matchPattern(p, text) {
			found = true
		}
	}
	return found
}
