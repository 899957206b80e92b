package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
)

// countHosts returns how many hosts of a run are in each state: "3 working, 2 waiting, 4 switched,
// 1 failed".
func countHosts(hosts []*fleet.HostState) string {
	working, waiting := 0, 0
	finished := make(map[fleet.Outcome]int)
	for _, h := range hosts {
		switch h.Phase {
		case fleet.Done:
			finished[h.Result.Outcome]++
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
		add(finished[o], string(o))
	}
	return strings.Join(parts, ", ")
}

// stopwatch formats a duration as m:ss, or as h:mm:ss from one hour on.
func stopwatch(d time.Duration) string {
	s := max(int(d.Seconds()), 0)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// ago formats how long ago something happened; it returns "" for a negative duration.
func ago(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// age formats how long before now t was; it returns "" if t is zero.
func age(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ago(max(now.Sub(t), 0))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// pad makes s exactly width columns wide, with blanks on the right.
func pad(s string, width int) string {
	s = truncate(s, width)
	return s + strings.Repeat(" ", max(width-textWidth(s), 0))
}

// padLeft makes s exactly width columns wide, with blanks on the left.
func padLeft(s string, width int) string {
	s = truncate(s, width)
	return strings.Repeat(" ", max(width-textWidth(s), 0)) + s
}

// textWidth returns how many columns s takes. Most texts are printable ASCII, whose bytes are
// columns.
func textWidth(s string) int {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return ansi.StringWidth(s)
		}
	}
	return len(s)
}

// truncate makes text at most width columns wide.
func truncate(text string, width int) string {
	switch {
	case width <= 0:
		return ""
	case len(text) <= width:
		return text
	case isASCII(text[:width]):
		return text[:width-1] + "…"
	}
	return ansi.Truncate(text, width, "…")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] > '~' {
			return false
		}
	}
	return true
}

// plural formats a count: "1 host", "2 hosts".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	if stem, ok := strings.CutSuffix(word, "ry"); ok {
		return fmt.Sprintf("%d %sries", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// digits formats a number; it returns "" for 0.
func digits(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// firstLine returns the first line of an error's text.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
