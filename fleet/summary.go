package fleet

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// Summarize counts the outcomes so far and derives the exit code from them. It ignores hosts
// without an outcome.
func (s *State) Summarize() Summary {
	sum := Summary{Counts: map[Outcome]int{}, Seconds: s.Last.Sub(s.Began).Seconds()}
	var failed, unreached, interrupted bool
	for _, h := range s.Hosts {
		if h.Result == nil {
			continue
		}
		o := h.Result.Outcome
		sum.Counts[o]++
		switch {
		case o == Skipped && h.Result.Code == CodeInterrupted:
			interrupted = true
		case o == Unreachable, o == Unknown:
			unreached = true
		case !o.Good():
			failed = true
		}
	}
	switch {
	case interrupted:
		sum.ExitCode = ExitInterrupted
	case failed:
		sum.ExitCode = ExitFailed
	case unreached:
		sum.ExitCode = ExitUnreachable
	default:
		sum.ExitCode = ExitOK
	}
	sum.Warnings = s.differences()
	return sum
}

var narHash = regexp.MustCompile(`^sha256-[A-Za-z0-9+/]{43}=$`)

// differences returns a warning for each commit that hosts have built from different files. Then
// they do not run the same configuration, although their revision is the same.
func (s *State) differences() []string {
	type source struct{ commit, narHash string }
	hosts := make(map[source][]string)
	var sources []source
	for _, h := range s.Hosts {
		at := source{h.Facts[FactCommit], h.Facts[FactNarHash]}
		if !IsCommit(at.commit) || !narHash.MatchString(at.narHash) {
			continue
		}
		if hosts[at] == nil {
			sources = append(sources, at)
		}
		hosts[at] = append(hosts[at], h.Name)
	}
	var warnings []string
	for len(sources) > 0 {
		commit := sources[0].commit
		var groups []string
		sources = slices.DeleteFunc(sources, func(at source) bool {
			if at.commit == commit {
				groups = append(groups, fmt.Sprintf("%s (%s)", someOf(hosts[at]), at.narHash))
			}
			return at.commit == commit
		})
		if len(groups) > 1 {
			warnings = append(warnings, fmt.Sprintf("hosts have built commit %s from different files: %s; compare git's filters (LFS, git-crypt) and submodules there",
				health.Short(commit), strings.Join(groups, "; ")))
		}
	}
	return warnings
}

// someOf names a few hosts and counts the others.
func someOf(hosts []string) string {
	const most = 6
	if len(hosts) <= most {
		return strings.Join(hosts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(hosts[:most], ", "), len(hosts)-most)
}
