package remote

import (
	"bytes"
	"slices"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// MaxGenerations bounds what a host may answer to [Generations].
const MaxGenerations = 256 << 10

// Generations asks which generations a host of that kind has. Its header is "generations"; [ParseGenerations] reads what comes after it.
func Generations(token, kind string) Script {
	return Script{
		Text: script("env", "preflight", "generations") + run,
		Args: []string{"token=" + token, "kind=" + kind},
	}
}

// ParseGenerations reads a host's answer, and puts the newest first. What it does not understand it leaves out.
func ParseGenerations(text []byte) []health.Generation {
	var all []health.Generation
	current, booted := 0, ""
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(clean.Line(line), " ")
		switch key {
		case "current":
			current = int(natural(value))
		case "booted":
			booted = value
		case "generation": // NUMBER TIME REVISION PATH
			words := strings.SplitN(value, " ", 4)
			if len(words) < 4 || natural(words[0]) == 0 {
				continue
			}
			g := health.Generation{Number: int(natural(words[0])), Time: instant(words[1]), Revision: words[2], Path: words[3]}
			if g.Revision == "-" {
				g.Revision = ""
			}
			all = append(all, g)
		}
	}
	for i := range all {
		all[i].Current = all[i].Number == current
		all[i].Booted = all[i].Path == booted
	}
	slices.SortFunc(all, func(a, b health.Generation) int { return b.Number - a.Number })
	return all
}
