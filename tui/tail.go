package tui

import (
	"strings"
	"time"
)

// logLine is one line of a log, clean.
type logLine struct {
	at     time.Time
	host   string // whose it is, in the fleet's log
	stream string // as in [fleet.Event]
	text   string
	build  bool // it is a build's own
	head   int  // of a build's own line: the number of the first that it stands together with
}

// grave reports whether a person who looks for what went wrong should stop here.
func (l *logLine) grave() bool {
	return l.stream == "warn" || strings.Contains(l.text, "error:") || strings.Contains(l.text, " failed")
}

// tail is the end of a log that grows: a ring. Lines are numbered from the log's beginning, and keep their numbers.
type tail struct {
	lines []logLine
	most  int // lines that are kept; the whole log is in the run's record
	next  int // the number of the line that comes next
}

func newTail(most int) *tail { return &tail{most: most} }

func (t *tail) push(l logLine) {
	if l.build = l.stream == "out" && isBuild(l.text); l.build {
		l.head = t.next
		if before := t.next - 1; before >= 0 && len(t.lines) > 0 && t.line(before).build {
			l.head = t.line(before).head
		}
	}
	if len(t.lines) < t.most {
		t.lines = append(t.lines, l)
	} else {
		t.lines[t.next%t.most] = l
	}
	t.next++
}

// first is the number of the oldest line that is kept.
func (t *tail) first() int { return t.next - len(t.lines) }

// last is the text of the newest line.
func (t *tail) last() string {
	if len(t.lines) == 0 {
		return ""
	}
	return t.line(t.next - 1).text
}

// line is the line of that number, which is kept.
func (t *tail) line(n int) *logLine { return &t.lines[n%t.most] }

// find is the number of the next line after from, in a direction, that holds; it goes on at the other end. -1: there is none.
func (t *tail) find(from, step int, holds func(*logLine) bool) int {
	count := len(t.lines)
	for i := 1; i <= count; i++ {
		offset := ((from-t.first()+i*step)%count + count) % count
		if n := t.first() + offset; holds(t.line(n)) {
			return n
		}
	}
	return -1
}
