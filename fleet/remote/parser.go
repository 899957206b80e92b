package remote

import (
	"bytes"
	"strings"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// maxLine is how much of a line is looked at: what is longer is on disk, and on no screen.
const maxLine = 64 << 10

// Parser reads a job's log from its first byte and says what it means. It is an [io.Writer] for one goroutine.
type Parser struct {
	nonce   []byte
	emit    func(Item)
	line    []byte
	skip    bool // the rest of the line is beyond maxLine
	nix     nix
	problem string // what Nix gave as its reason last
}

// NewParser takes the job's nonce: only lines that carry it are markers.
func NewParser(nonce string, emit func(Item)) *Parser {
	p := &Parser{nonce: []byte(nonce + " "), emit: emit}
	p.nix = newNix(p)
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
			p.end(b[:at])
		} else {
			p.hold(b[:at])
			p.end(p.line)
		}
		p.line, p.skip = p.line[:0], false
		b = b[at+1:]
	}
	p.hold(b)
	return n, nil
}

// Close flushes a last line that has no newline yet.
func (p *Parser) Close() {
	if len(p.line) > 0 {
		p.end(p.line)
		p.line = nil
	}
}

// hold keeps the unfinished line. Of one that is too long, the end stays in sight: a marker may stand there, after output that
// lacked its newline.
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

// end takes one whole line.
func (p *Parser) end(line []byte) {
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
	if message, ok := bytes.CutPrefix(line, []byte("@nix ")); ok && p.nix.message(message) {
		return
	}
	p.text(clean.Line(line))
}

func (p *Parser) text(line string) { p.emit(Item{Kind: Output, Text: line}) }

func (p *Parser) marker(words string) {
	word, rest, _ := strings.Cut(strings.TrimSuffix(words, "\r"), " ")
	rest = clean.Line([]byte(rest))
	switch word {
	case "step":
		f := strings.Fields(rest)
		if len(f) < 2 {
			return
		}
		p.emit(Item{Kind: StepItem, Step: f[0], Word: f[1]})
	case "fact":
		key, value, _ := strings.Cut(rest, " ")
		p.emit(Item{Kind: FactItem, Key: key, Text: value})
	case "note":
		p.emit(Item{Kind: NoteItem, Text: rest})
	case "warn":
		p.emit(Item{Kind: WarnItem, Text: rest})
	case "end":
		f := strings.SplitN(rest, " ", 4)
		if len(f) != 4 {
			return
		}
		item := Item{Kind: EndItem, Word: f[0], Code: dash(f[1]), Step: dash(f[2]), Text: f[3]}
		if item.Code == "build" && p.problem != "" {
			item.Text = p.problem
		}
		p.emit(item)
	}
}

func dash(word string) string {
	if word == "-" {
		return ""
	}
	return word
}
