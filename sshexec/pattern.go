package sshexec

import "strings"

// matchPattern is ssh_config(5)'s PATTERNS: * is any number of characters, ? is one.
func matchPattern(pattern, text string) bool {
	// Where the text stops matching after a *, that * takes one character more, and only the last * need be tried.
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

// matchList is a list of patterns, of which one that begins with ! excludes whatever the others say.
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
