package remote

import (
	"regexp"
	"strings"

	"github.com/markus-barta/nixfleet/internal/clean"
)

var fieldStart = regexp.MustCompile(`^[a-z_]+=`)

// hasFields reports whether words are "KEY=VALUE..." and not a sentence, as in the logs of jobs
// that an older fleetctl started.
func hasFields(words string) bool { return words == "" || fieldStart.MatchString(words) }

// decoder undoes what lib/encode.sh does to values.
var decoder = strings.NewReplacer("%20", " ", "%25", "%")

// parseFields reads "KEY=VALUE...". The value of "text" is the rest of the line.
func parseFields(words string) map[string]string {
	fields := map[string]string{}
	for words != "" {
		key, rest, _ := strings.Cut(words, "=")
		if key == "text" {
			fields[key] = clean.Line([]byte(rest))
			break
		}
		value, more, _ := strings.Cut(rest, " ")
		fields[key] = clean.Line([]byte(decoder.Replace(value)))
		words = more
	}
	return fields
}
