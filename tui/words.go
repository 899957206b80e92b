package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
)

// counts says how many hosts are at what: "3 working, 2 waiting, 4 switched, 1 failed".
func counts(hosts []*fleet.HostState) string {
	working, waiting := 0, 0
	ended := make(map[fleet.Outcome]int)
	for _, h := range hosts {
		switch h.Phase {
		case fleet.Done:
			ended[h.Result.Outcome]++
		case fleet.Waiting:
			waiting++
		default:
			working++
		}
	}
	var parts []string
	add := func(n int, word string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	add(working, "working")
	add(waiting, "waiting")
	for _, o := range fleet.Outcomes {
		add(ended[o], string(o))
	}
	return strings.Join(parts, ", ")
}

// clock is a duration as a stopwatch shows it.
func clock(d time.Duration) string {
	s := max(int(d.Seconds()), 0)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// pad makes s exactly width columns wide.
func pad(s string, width int) string {
	s = cut(s, width)
	return s + strings.Repeat(" ", max(width-wide(s), 0))
}

// right is pad with s at the right.
func right(s string, width int) string {
	s = cut(s, width)
	return strings.Repeat(" ", max(width-wide(s), 0)) + s
}

// wide is how many columns s takes: its bytes, in most of what a row has.
func wide(s string) int {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return ansi.StringWidth(s)
		}
	}
	return len(s)
}

// plural is "1 host", "2 hosts".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
