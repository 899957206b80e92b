package tui

import (
	"sort"
	"strconv"
	"strings"
	"time"
)

// logLine is one line of a log. Its text is safe to print.
type logLine struct {
	at        time.Time
	host      string // whose line it is, in the fleet's log
	stream    string // as in [fleet.Event]
	text      string
	build     bool // it is output of a build
	buildHead int  // of build output: the number of the first line of the block that it is in
}

// problem reports whether the line is a warning or looks like an error.
func (l *logLine) problem() bool {
	return l.stream == "warn" || strings.Contains(l.text, "error:") || strings.Contains(l.text, " failed")
}

// contains reports whether the line contains a text, which must be in lower case.
func (l *logLine) contains(lower string) bool {
	return strings.Contains(strings.ToLower(l.text), lower)
}

// logBuffer is a ring buffer of the last lines of a log. Lines are numbered from the start of the
// log and keep their numbers.
type logBuffer struct {
	lines []logLine
	limit int // lines that are kept; the run's record has the whole log
	next  int // the number of the next line
}

func newLogBuffer(limit int) *logBuffer { return &logBuffer{limit: limit} }

func (b *logBuffer) push(l logLine) {
	if l.build = l.stream == "out" && isBuildOutput(l.text); l.build {
		l.buildHead = b.next
		if before := b.next - 1; before >= 0 && len(b.lines) > 0 && b.line(before).build {
			l.buildHead = b.line(before).buildHead
		}
	}
	if len(b.lines) < b.limit {
		b.lines = append(b.lines, l)
	} else {
		b.lines[b.next%b.limit] = l
	}
	b.next++
}

// first returns the number of the oldest line that is kept.
func (b *logBuffer) first() int { return b.next - len(b.lines) }

// lastText returns the text of the newest line.
func (b *logBuffer) lastText() string {
	if len(b.lines) == 0 {
		return ""
	}
	return b.line(b.next - 1).text
}

// line returns the line of that number, which must be one that is kept.
func (b *logBuffer) line(n int) *logLine { return &b.lines[n%b.limit] }

// find returns the number of the next line after from that matches, in the direction of step. It
// wraps around at the end. It returns -1 if no line matches.
func (b *logBuffer) find(from, step int, match func(*logLine) bool) int {
	count := len(b.lines)
	for i := 1; i <= count; i++ {
		offset := ((from-b.first()+i*step)%count + count) % count
		if n := b.first() + offset; match(b.line(n)) {
			return n
		}
	}
	return -1
}

// oldestTexts returns the texts of the oldest lines that are kept, at most limit.
func (b *logBuffer) oldestTexts(limit int) []string {
	var texts []string
	for n := b.first(); n < b.next && len(texts) < limit; n++ {
		texts = append(texts, b.line(n).text)
	}
	return texts
}

// locate returns the number of the line at which the given texts start: the one closest to
// expected, or expected itself if they are not there.
func (b *logBuffer) locate(texts []string, expected int) int {
	startAt := func(n int) bool {
		if n < b.first() || n+len(texts) > b.next {
			return false
		}
		for i, text := range texts {
			if b.line(n+i).text != text {
				return false
			}
		}
		return true
	}
	for off := range len(b.lines) {
		switch {
		case startAt(expected - off):
			return expected - off
		case startAt(expected + off):
			return expected + off
		}
	}
	return expected
}

// isBuildOutput reports whether a line is output of a derivation's build, which Nix prefixes with
// the derivation's name and "> ".
func isBuildOutput(text string) bool {
	end := strings.IndexByte(text, '>')
	if end < 1 || end+1 < len(text) && text[end+1] != ' ' {
		return false
	}
	for i := range end {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("+-._?=", c) >= 0:
			// valid in the name of a store path
		default:
			return false
		}
	}
	return true
}

// span is a range of lines that is shown as one line, from the first to the last. Most spans have
// one line.
type span struct{ from, to int }

// span returns the span of a line. With fold, consecutive lines of build output are one span.
func (b *logBuffer) span(n int, fold bool) span {
	l := b.line(n)
	if !fold || !l.build {
		return span{n, n}
	}
	after := n + 1 + sort.Search(b.next-n-1, func(i int) bool {
		other := b.line(n + 1 + i)
		return !other.build || other.buildHead != l.buildHead
	})
	return span{max(l.buildHead, b.first()), after - 1}
}

// step moves down from a line by a number of spans, or up if it is negative, and returns the first
// line of the span it arrives at. left is the number of spans that were missing.
func (b *logBuffer) step(n, spans int, fold bool) (at, left int) {
	if len(b.lines) == 0 {
		return n, spans
	}
	at = b.span(n, fold).from
	for ; spans > 0; spans-- {
		next := b.span(at, fold).to + 1
		if next >= b.next {
			return at, spans
		}
		at = next
	}
	for ; spans < 0; spans++ {
		if at <= b.first() {
			return at, spans
		}
		at = b.span(at-1, fold).from
	}
	return at, 0
}

// prefix returns what is shown before the last line of a span of several lines; it returns "" for a
// single line.
func (s span) prefix() string {
	if s.from == s.to {
		return ""
	}
	return "▸ " + strconv.Itoa(s.to-s.from+1) + " lines  "
}
