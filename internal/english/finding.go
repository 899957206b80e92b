package main

import (
	"fmt"
	"regexp"
	"strings"
)

// A finding is one violation of a rule.
type finding struct {
	file       string
	line       int
	rule       string
	text       string // the words found
	suggestion string
}

// String formats the finding as one line.
func (f finding) String() string {
	return fmt.Sprintf("%s:%d: %s: %s: %s", f.file, f.line, f.rule, f.text, f.suggestion)
}

// A kind says what a unit of text is. Kinds combine, so that a rule can name several.
type kind int

const (
	comment kind = 1 << iota
	literal      // a string in a program
	name         // an identifier or file name, split into lower-case words
	prose        // a document
	code         // a script without its comments

	anywhere = comment | literal | name | prose | code
	sentence = comment | literal | prose
)

// A unit is text of one kind. A newline in text is a newline in the file.
type unit struct {
	kind kind
	line int // of the first character
	text string
}

// A document is a file taken apart, and what was found in it.
type document struct {
	units    []unit
	findings []finding
}

// add records a finding.
func (d *document) add(line int, rule, text, suggestion string) {
	d.findings = append(d.findings, finding{line: line, rule: rule, text: text, suggestion: suggestion})
}

// checkWords applies the word rules to all units.
func (d *document) checkWords() {
	for _, u := range d.units {
		for _, r := range wordRules {
			if r.in&u.kind == 0 {
				continue
			}
			for _, at := range r.pattern.FindAllStringIndex(u.text, -1) {
				if r.allow != nil && r.allow(u.text[:at[0]], u.text[at[0]:at[1]], u.text[at[1]:]) {
					continue
				}
				found := strings.TrimLeft(u.text[at[0]:at[1]], ",;:.()! \t\n")
				line := u.line + strings.Count(u.text[:at[1]-len(strings.TrimLeft(u.text[at[0]:at[1]], " \n\t"))], "\n")
				d.add(line, r.name, strings.Join(strings.Fields(found), " "), r.suggestion)
			}
		}
	}
}

// ignores are the directives of one file.
type ignores struct {
	file     bool
	lines    map[int]bool
	findings []finding // directives without a reason
}

// ignoreDirective matches a directive. It is split so that this line does not match.
var ignoreDirective = regexp.MustCompile(`(//|#|--) ?english:` + `ignore(-file)?\b[ \t]*(.*)`)

// readIgnores finds the directives in a file.
func readIgnores(src string) ignores {
	found := ignores{lines: make(map[int]bool)}
	for i, line := range strings.Split(src, "\n") {
		at := ignoreDirective.FindStringSubmatchIndex(line)
		if at == nil {
			continue
		}
		directive := line[at[0]:at[1]]
		if reason := strings.TrimSuffix(line[at[6]:at[7]], "-->"); strings.TrimSpace(reason) == "" {
			found.findings = append(found.findings, finding{
				line: i + 1, rule: "ignore", text: directive, suggestion: "give the reason after the directive",
			})
			continue
		}
		if at[4] >= 0 {
			found.file = true
		}
		found.lines[i+1] = true
		if before := strings.TrimSpace(line[:at[0]]); before == "" || before == "<!" {
			found.lines[i+2] = true
		}
	}
	return found
}

// covers reports whether a directive suppresses the finding. One for a whole file suppresses words
// only.
func (i ignores) covers(f finding) bool {
	switch f.rule {
	case "ignore":
		return false
	case "wrap", "doc", "doc-verb":
		return i.lines[f.line]
	}
	return i.file || i.lines[f.line]
}
