package remote

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/change"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// ItemKind is the kind of an [Item].
type ItemKind int

// The kinds of items, with the fields that they have.
const (
	Output   ItemKind = iota // a line of output: Text
	StepItem                 // Step, Word ("start", "ok", "failed")
	FactItem                 // Key, Text
	NoteItem                 // Text
	WarnItem                 // Text
	Progress                 // Progress; comes with every change, so callers should coalesce it
	EndItem                  // Word (the outcome), Code, Step, Text, Changes
)

// Item is a piece of a job's log. Its text is safe for a terminal.
type Item struct {
	Kind     ItemKind
	Step     string
	Word     string
	Key      string
	Code     string
	Text     string
	Progress NixProgress
	Changes  *change.Set // how what was activated differs from what ran before; nil if unknown
}

// maxLine is how much of a line is parsed. The whole line is on disk.
const maxLine = 64 << 10

// Parser parses a job's log from its first byte. It is an [io.Writer] for one goroutine.
type Parser struct {
	nonce   []byte
	emit    func(Item)
	line    []byte
	skip    bool // the rest of the line is beyond maxLine
	nix     nixLog
	problem string // the last reason that Nix gave for a failure

	changes    change.Parser
	ended      bool // there was an end marker
	activating bool // the output is that of an activation, and not of a way back
}

// NewParser returns a parser that passes items to emit. Only lines that carry the nonce are
// markers.
func NewParser(nonce string, emit func(Item)) *Parser {
	p := &Parser{nonce: []byte(nonce + " "), emit: emit}
	p.nix = newNixLog(p)
	return p
}

// Write never fails.
func (p *Parser) Write(b []byte) (int, error) {
	n := len(b)
	for {
		at := bytes.IndexByte(b, '\n')
		if at < 0 {
			break
		}
		if len(p.line) == 0 {
			p.endLine(b[:at])
		} else {
			p.hold(b[:at])
			p.endLine(p.line)
		}
		p.line, p.skip = p.line[:0], false
		b = b[at+1:]
	}
	p.hold(b)
	return n, nil
}

// Close parses a last line that has no newline.
func (p *Parser) Close() {
	if len(p.line) > 0 {
		p.endLine(p.line)
		p.line = nil
	}
}

// hold keeps an unfinished line. Of a line that is too long it keeps the end, because a marker may
// follow output that lacked its newline.
func (p *Parser) hold(b []byte) {
	p.line = append(p.line, b...)
	if len(p.line) <= 2*maxLine {
		return
	}
	if !p.skip {
		p.output(p.line[:maxLine])
		p.skip = true
	}
	p.line = append(p.line[:0], p.line[len(p.line)-maxLine:]...)
}

// endLine parses a whole line.
func (p *Parser) endLine(line []byte) {
	if at := bytes.Index(line, p.nonce); at >= 0 && len(p.nonce) > 1 {
		if at > 0 && !p.skip {
			p.output(line[:at])
		}
		p.marker(string(line[at+len(p.nonce):]))
		return
	}
	if !p.skip {
		p.output(line)
	}
}

func (p *Parser) output(line []byte) {
	if message, ok := bytes.CutPrefix(line, []byte("@nix ")); ok && p.nix.parse(message) {
		return
	}
	p.text(clean.Line(line))
}

func (p *Parser) text(line string) {
	if p.activating {
		p.changes.Output(line)
	}
	p.emit(Item{Kind: Output, Text: line})
}

func (p *Parser) marker(words string) {
	word, rest, _ := strings.Cut(strings.TrimSuffix(words, "\r"), " ")
	rest = clean.Line([]byte(rest))
	switch word {
	case "step":
		if f := strings.Fields(rest); len(f) >= 2 {
			p.activating = f[0] == "activate" && f[1] == "start"
			p.emit(Item{Kind: StepItem, Step: f[0], Word: f[1]})
		}
	case "fact":
		key, value, _ := strings.Cut(rest, " ")
		p.emit(Item{Kind: FactItem, Key: key, Text: value})
	case "change":
		key, value, _ := strings.Cut(rest, " ")
		p.changes.Fact(key, value)
	case "note":
		p.activating = p.activating && !strings.HasPrefix(rest, "code=rollback")
		p.emit(Item{Kind: NoteItem, Text: noticeText(rest)})
	case "warn":
		p.emit(Item{Kind: WarnItem, Text: noticeText(rest)})
	case "end":
		p.end(rest)
	}
}

// noticeText returns the text of a note or a warning: "code=CODE KEY=VALUE..." or a sentence.
func noticeText(words string) string {
	if !strings.HasPrefix(words, "code=") {
		return words
	}
	fields := parseFields(words)
	return notice(fields["code"], fields)
}

// end parses "OUTCOME CODE STEP" and, after that, "KEY=VALUE..." or a sentence.
func (p *Parser) end(words string) {
	f := strings.SplitN(words, " ", 4)
	if len(f) < 3 {
		return
	}
	e := ending{outcome: f[0], code: undash(f[1]), step: undash(f[2])}
	text := strings.Join(f[3:], "")
	if hasFields(text) {
		e.fields = parseFields(text)
		e.classify()
		text = cmp.Or(e.sentence(), e.outcome)
		if e.code == "units" {
			p.changes.AddUnits("fail", strings.Fields(e.fields["units"]))
			p.changes.AddUnits("fail", strings.Split(e.fields["user_units"], ", "))
		}
	}
	if e.code == "build" && p.problem != "" {
		if text = p.problem; IsUnlocked(text) {
			e.code = "unlocked"
			text = e.sentence()
		}
	}
	var changes *change.Set
	if !p.ended { // the first end counts
		changes = p.changes.Set()
	}
	if changes != nil {
		changes.Shorten(change.MaxPackages)
	}
	p.ended = true
	p.emit(Item{Kind: EndItem, Word: e.outcome, Code: e.code, Step: e.step, Text: text, Changes: changes})
}

// undash returns "" for a dash.
func undash(word string) string {
	if word == "-" {
		return ""
	}
	return word
}
