package remote

import (
	"encoding/json"
	"path"
	"strings"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// Activity and result types of Nix's internal-json, from src/libutil/include/nix/util/logging.hh in
// the source of Nix.
const (
	actCopyPath  = 100
	actCopyPaths = 103
	actBuilds    = 104
	actBuild     = 105

	resBuildLogLine     = 101
	resSetPhase         = 104
	resProgress         = 105
	resSetExpected      = 106
	resPostBuildLogLine = 107
)

// Verbosity levels of messages: errors, and the last level that people want to read.
const (
	levelError = 0
	levelInfo  = 3
)

// These limit the memory that a host can make this process use, and its figures so that sums of
// them do not overflow. A build of all of nixpkgs stays below.
const (
	maxActivities = 1 << 16
	maxKind       = 255     // of activity types, which start at 100
	maxName       = 255     // bytes of the name of a derivation
	maxNumber     = 1 << 44 // of paths or bytes
)

// NixProgress is the progress of a build: paths built and copied of those expected, and bytes
// downloaded.
type NixProgress struct {
	Builds, BuildsExpected int
	Copies, CopiesExpected int
	Bytes, BytesExpected   uint64
	Building, Phase        string
}

// nixLog adds up the progress that internal-json reports. Activities come and go; what they
// expected and did stays in the sums.
type nixLog struct {
	parser        *Parser
	activities    map[uint64]*activity
	sums          map[int]*sum // by activity type
	last, emitted NixProgress
}

type activity struct {
	kind           int
	name           string // of the derivation, for Build
	done, expected uint64
	promised       map[int]uint64 // SetExpected, by activity type
}

// sum is what the activities of a type did and expected, and what other activities promised of
// them.
type sum struct{ done, expected, promised uint64 }

type message struct {
	Action string            `json:"action"`
	ID     uint64            `json:"id"` // pid<<32 + n: more than a float64 holds
	Type   int               `json:"type"`
	Level  int               `json:"level"`
	Text   string            `json:"text"`
	Msg    string            `json:"msg"`
	Fields []json.RawMessage `json:"fields"`
}

func newNixLog(p *Parser) nixLog {
	return nixLog{parser: p, activities: map[uint64]*activity{}, sums: map[int]*sum{}}
}

// parse parses what follows "@nix ". It reports false if that is not a message.
func (n *nixLog) parse(line []byte) bool {
	var m message
	if json.Unmarshal(line, &m) != nil {
		return false
	}
	switch m.Action {
	case "start":
		n.start(m)
	case "stop":
		n.stop(m.ID)
	case "result":
		n.result(m)
	case "msg":
		n.text(m)
	}
	return true
}

func (n *nixLog) start(m message) {
	if len(n.activities) >= maxActivities {
		return
	}
	a := &activity{kind: m.Type}
	n.activities[m.ID] = a
	switch m.Type {
	case actBuild:
		a.name = derivation(field(m.Fields, 0))
		n.last.Building, n.last.Phase = a.name, ""
		n.changed()
	case actCopyPath:
	default:
		return
	}
	if m.Text != "" {
		n.parser.text(clean.Line([]byte(m.Text)))
	}
}

// stop keeps what the activity did and drops what it expected beyond that.
func (n *nixLog) stop(id uint64) {
	a, ok := n.activities[id]
	if !ok {
		return
	}
	delete(n.activities, id)
	n.sum(a.kind).expected -= a.expected - min(a.expected, a.done)
	for kind, promised := range a.promised {
		n.sum(kind).promised -= promised
	}
	n.changed()
}

func (n *nixLog) result(m message) {
	a, ok := n.activities[m.ID]
	if !ok {
		return
	}
	switch m.Type {
	case resBuildLogLine, resPostBuildLogLine:
		line := clean.Line([]byte(field(m.Fields, 0)))
		if a.name != "" {
			line = a.name + "> " + line
		}
		n.parser.text(line)
	case resSetPhase:
		if a.name == n.last.Building {
			n.last.Phase = clean.Line([]byte(field(m.Fields, 0)))
			n.changed()
		}
	case resProgress:
		done, expected := number(m.Fields, 0), number(m.Fields, 1)
		s := n.sum(a.kind)
		s.done += done - a.done
		s.expected += expected - a.expected
		a.done, a.expected = done, expected
		n.changed()
	case resSetExpected:
		kind, promised := int(number(m.Fields, 0)), number(m.Fields, 1)
		if kind > maxKind {
			return
		}
		if a.promised == nil {
			a.promised = map[int]uint64{}
		}
		n.sum(kind).promised += promised - a.promised[kind]
		a.promised[kind] = promised
		n.changed()
	}
}

// text passes on what people want to read, and keeps the reason for a failure: the innermost one,
// which Nix prints last.
func (n *nixLog) text(m message) {
	if m.Level > levelInfo {
		return
	}
	for line := range strings.Lines(m.Msg) {
		text := clean.Line([]byte(strings.TrimSuffix(line, "\n")))
		reason, ok := strings.CutPrefix(strings.TrimSpace(text), "error: ")
		if ok && m.Level == levelError && !isConsequence(reason) {
			n.parser.problem = strings.TrimSuffix(reason, ";")
		}
		n.parser.text(text)
	}
}

// IsUnlocked reports whether an error of Nix states that flake.lock lacks an input.
func IsUnlocked(reason string) bool {
	return strings.Contains(reason, "requires lock file changes") ||
		strings.Contains(reason, "cannot write modified lock file") // of a flake at a commit
}

// isConsequence reports whether an error only states that another derivation failed.
func isConsequence(reason string) bool { return strings.Contains(reason, " of derivation ") }

func (n *nixLog) sum(kind int) *sum {
	if kind < 0 || kind > maxKind {
		return &sum{} // Nix has no such activity
	}
	s, ok := n.sums[kind]
	if !ok {
		s = &sum{}
		n.sums[kind] = s
	}
	return s
}

// changed emits the progress if it differs from what was emitted last.
func (n *nixLog) changed() {
	now := n.last
	now.Builds, now.BuildsExpected = n.count(actBuilds)
	now.Copies, now.CopiesExpected = n.count(actCopyPaths)
	copied := n.sum(actCopyPath)
	now.Bytes, now.BytesExpected = copied.done, max(copied.done, copied.expected, copied.promised)
	if now == n.emitted {
		return
	}
	n.last, n.emitted = now, now
	n.parser.emit(Item{Kind: Progress, Progress: now})
}

// count returns the sums of a type. What is expected can fall below what is done, so it is clamped.
func (n *nixLog) count(kind int) (done, expected int) {
	s := n.sum(kind)
	return int(s.done), int(max(s.done, s.expected, s.promised))
}

func field(fields []json.RawMessage, i int) string {
	var s string
	if i < len(fields) && json.Unmarshal(fields[i], &s) == nil {
		return s
	}
	return ""
}

func number(fields []json.RawMessage, i int) uint64 {
	var n uint64
	if i < len(fields) && json.Unmarshal(fields[i], &n) == nil {
		return min(n, maxNumber)
	}
	return 0
}

// derivation returns the name of a derivation: hello-2.12 for /nix/store/HASH-hello-2.12.drv.
func derivation(drv string) string {
	base := strings.TrimSuffix(path.Base(drv), ".drv")
	if _, name, ok := strings.Cut(base, "-"); ok {
		base = name
	}
	return clean.Line([]byte(base[:min(len(base), maxName)]))
}
