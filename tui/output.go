package tui

import (
	"fmt"
	"slices"
	"strings"
)

// Output is what a command has printed on hosts.
type Output struct {
	Command string
	Hosts   []HostOutput
}

// HostOutput is what a command has printed on a host.
type HostOutput struct {
	Host    string
	Lines   []string // safe to print
	Omitted int      // the number of lines after these
	Problem string   // "exit status 1", or why it did not run there; "" if it succeeded
}

// outputReport reports the output of a command: once for all hosts on which it is the same. Those
// with the most hosts come first, since the others are the exceptions.
func outputReport(o Output) *report {
	var b reportBuilder
	groups, order := map[string][]HostOutput{}, []string{}
	for _, h := range o.Hosts {
		key := strings.Join(h.Lines, "\n") + fmt.Sprintf("\x00%d\x00", h.Omitted) + h.Problem
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], h)
	}
	slices.SortStableFunc(order, func(a, b string) int { return len(groups[b]) - len(groups[a]) })
	b.add("note", "$ "+o.Command)
	switch text := plural(len(o.Hosts), "host"); len(order) {
	case 1:
		b.add("", text+", all with the same output")
	default:
		b.add("", fmt.Sprintf("%s, %d different outputs", text, len(order)))
	}
	for _, key := range order {
		hosts := groups[key]
		var names []string
		for _, h := range hosts {
			names = append(names, h.Host)
		}
		b.add("", "")
		b.add("note", fmt.Sprintf("%s (%s)", strings.Join(names, ", "), plural(len(hosts), "host")))
		for _, line := range hosts[0].Lines {
			b.add("", "  "+line)
		}
		if n := hosts[0].Omitted; n > 0 {
			b.add(streamFaint, "  and "+plural(n, "line")+" more, in the logs of the hosts")
		}
		if len(hosts[0].Lines) == 0 && hosts[0].Problem == "" {
			b.add(streamFaint, "  no output")
		}
		if problem := hosts[0].Problem; problem != "" {
			b.add(streamBad, "  ✗ "+problem)
		}
	}
	return newReport("output", b.lines)
}
