package main

import (
	"regexp"
	"strings"
)

// readScript takes a shell or Nix file apart: its comments and its code.
func readScript(src []byte) document {
	var d document
	var comments, rest []string
	start := 0 // line of the first of comments
	flush := func() {
		if comments != nil {
			d.units = append(d.units, unit{comment, start, strings.Join(comments, "\n")})
			comments = nil
		}
	}
	for i, line := range strings.Split(string(src), "\n") {
		at := scriptComment(line)
		if at < 0 {
			flush()
			rest = append(rest, line)
			continue
		}
		d.checkWidth(i+1, line, at+1)
		alone := strings.TrimSpace(line[:at]) == ""
		if !alone || comments == nil {
			flush()
			start = i + 1
		}
		comments = append(comments, strings.TrimLeft(line[at:], "# "))
		if !alone {
			flush()
		}
		rest = append(rest, line[:at])
	}
	flush()
	d.units = append(d.units, unit{code, 1, strings.Join(rest, "\n")})
	return d
}

// scriptComment returns the index of the "#" that starts a comment in a line of shell or Nix, or
// -1. It knows quotes within the line only.
func scriptComment(line string) int {
	if strings.HasPrefix(line, "#!") {
		return -1
	}
	var quote byte
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return i
		}
	}
	return -1
}

const (
	maxWidth = 100
	tabWidth = 4
)

// width returns the number of columns that a line takes.
func width(line string) int {
	n := 0
	for _, r := range line {
		if r == '\t' {
			n += tabWidth
		} else {
			n++
		}
	}
	return n
}

// unwrappable matches comments that are not reflowed: directives, URLs, tables and indented blocks.
var unwrappable = regexp.MustCompile(`^//([a-z0-9]+:[a-z0-9]|\t|    )|^#(\t|   )|^# ?(shellcheck|english:)|://|^(//|#) ?\|`)

// checkWidth reports a line that is too wide and holds a comment, which starts at column from.
func (d *document) checkWidth(number int, line string, from int) {
	line = strings.TrimRight(line, " \t\r")
	w := width(line)
	if w <= maxWidth || from > len(line) {
		return
	}
	text := strings.TrimSpace(line[from-1:])
	if unwrappable.MatchString(text) || strings.Count(text, " ") < 2 {
		return
	}
	suggestion := "wrap the comment at 100 columns"
	if strings.TrimSpace(line[:from-1]) != "" {
		suggestion = "move the comment to a line of its own"
	}
	d.add(number, "wrap", firstWords(text), suggestion)
}
