package remote

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// MaxGenerations are told of, the newest; it takes a host some time to find each one's revision.
const MaxGenerations = 100

// Generation is what a host ran once, and could again.
type Generation struct {
	Number   int
	Time     time.Time // when it was made; zero where that is not known
	Revision string    // "" where it is not known
	Current  bool      // it is what the next boot or login starts
	Booted   bool      // it is what was booted
}

// Generations asks which there are on a host of that kind. The header is "generations"; [ParseGenerations] reads what comes after it.
func Generations(token, kind string) Script {
	return Script{
		Text: script("env", "home", "preflight", "activate", "generations") + run,
		Args: []string{"token=" + token, "kind=" + kind, "most=" + strconv.Itoa(MaxGenerations)},
	}
}

// ParseGenerations reads the answer, the newest first. A line that it does not understand it leaves out.
func ParseGenerations(text []byte) []Generation {
	var all []Generation
	for line := range bytes.Lines(text) {
		words := strings.Fields(clean.Line(line))
		if len(words) < 3 || natural(words[0]) == 0 {
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
