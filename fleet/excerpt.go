package fleet

import (
	"slices"
	"strings"
)

const (
	linesFromError = 12 // enough for an error of Nix with the builder's last lines
	linesFromEnd   = 6
)

// ignoredError starts the message of an error that Nix ignores, such as one of its evaluation
// cache. See src/libutil/util.cc in Nix.
const ignoredError = "error (ignored):"

// Excerpt picks the lines of a log's tail that explain a failure: those from the first mention of
// an error or, if there is none, the last few.
func Excerpt(tail []string) []string {
	tail = slices.DeleteFunc(slices.Clone(tail), func(line string) bool { return line == "" })
	for i, line := range tail {
		if strings.Contains(strings.ToLower(line), "error") && !strings.Contains(line, ignoredError) {
			return tail[i:min(i+linesFromError, len(tail))]
		}
	}
	return tail[max(len(tail)-linesFromEnd, 0):]
}
