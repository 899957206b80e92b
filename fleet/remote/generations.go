package remote

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// MaxGenerations is how many generations a host lists. It takes a while to find the revision of
// each.
const MaxGenerations = 100

// Generation is a configuration that a host can return to.
type Generation struct {
	Number   int
	Time     time.Time // when it was made; zero if that is not known
	Revision string    // "" if it is not known
	Current  bool      // the next boot or login starts it
	Booted   bool      // the host booted it
}

// Generations returns the script that lists the generations of a host of that kind. Its header is
// "generations", and [ParseGenerations] parses what follows it.
func Generations(token, kind string) Script {
	return compose("generations").script(values{"token": {token}, "kind": {kind}, "most": {strconv.Itoa(MaxGenerations)}})
}

// ParseGenerations parses the output of [Generations] and returns the newest generation first. It
// ignores lines that it does not know.
func ParseGenerations(text []byte) []Generation {
	var all []Generation
	for line := range bytes.Lines(text) {
		words := strings.Fields(clean.Line(line))
		if len(words) < 3 || natural(words[0]) == 0 || len(all) == MaxGenerations {
			continue
		}
		g := Generation{Number: int(natural(words[0])), Revision: strings.TrimPrefix(words[2], "-")}
		if t := instant(words[1]); t != nil {
			g.Time = *t
		}
		for _, word := range words[3:] {
			g.Current = g.Current || word == "current"
			g.Booted = g.Booted || word == "booted"
		}
		all = append(all, g)
	}
	return all
}
