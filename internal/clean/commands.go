package clean

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// CI systems read commands from the output of the programs that they run. The runner of GitHub
// Actions takes a line that starts with "::error ...::" or that contains "##[error]" for one
// (ActionCommand.cs in github.com/actions/runner), the agent of Azure Pipelines one that contains
// "##vso[". A space takes their effect away, and leaves them readable.
var (
	bracketCommand = regexp.MustCompile(`##(vso)?\[`)
	// colonCommand matches at any place where a line may be cut later, but not within a path such
	// as std::error::Error.
	colonCommand = regexp.MustCompile(`(^|[^0-9A-Za-z_:]):(:(?i:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|` +
		`internal-set-repo-path|notice|remove-matcher|save-state|set-env|set-output|stop-commands|warning)(?: |::))`)
)

// hasCommand reports whether a line may contain a command.
func hasCommand(line string) bool {
	return strings.Contains(line, "##") || strings.Contains(line, "::")
}

// disarm takes the effect of commands away.
func disarm(line string) string {
	line = bracketCommand.ReplaceAllString(line, "## $1[")
	line = colonCommand.ReplaceAllString(line, "$1: $2")
	if utf8.RuneCountInString(line) <= MaxRunes {
		return line
	}
	runes := []rune(line)
	return strings.TrimSuffix(string(runes[:MaxRunes-1]), "…") + "…"
}
