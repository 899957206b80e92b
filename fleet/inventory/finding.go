package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Finding is one problem with an inventory. Line and Column count from 1, columns in characters.
type Finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // how to fix it

	// of a check over SSH
	Host    string `json:"host,omitempty"`
	Code    string `json:"code,omitempty"`    // see docs/codes.md
	Warning bool   `json:"warning,omitempty"` // a deploy works nevertheless
}

// String returns the finding as FILE:LINE:COLUMN: MESSAGE, the format compilers use, with the hint
// on a line of its own.
func (f Finding) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", f.File, f.Line, f.Column)
	if f.Warning {
		s += "warning: "
	}
	s += f.Message
	if f.Hint != "" {
		s += "\n  hint: " + f.Hint
	}
	return s
}

// Findings are all problems with an inventory, in file order.
type Findings []Finding

// Error returns the findings, one after another.
func (fs Findings) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// hintedError is an error with a hint on how to fix it.
type hintedError struct{ message, hint string }

func (e *hintedError) Error() string { return e.message }
func (e *hintedError) Hint() string  { return e.hint }

// source is the text of a file and the findings about it, which are reported by byte offset.
type source struct {
	file     string
	text     []byte
	lines    []int // the offset of the start of each line
	findings []Finding
}

func newSource(file string, text []byte) *source {
	s := &source{file: file, text: text, lines: []int{0}}
	for i, b := range text {
		if b == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

func (s *source) report(offset int, message, hint string) {
	line, column := s.position(offset)
	s.findings = append(s.findings, Finding{File: s.file, Line: line, Column: column, Message: message, Hint: hint})
}

// position converts an offset to a line and a column. Columns count characters, as in editors.
func (s *source) position(offset int) (line, column int) {
	i, exact := slices.BinarySearch(s.lines, offset)
	if !exact {
		i--
	}
	return i + 1, utf8.RuneCount(s.text[s.lines[i]:offset]) + 1
}

func (s *source) line(offset int) int {
	line, _ := s.position(offset)
	return line
}

// sorted returns the findings in file order, without duplicates.
func (s *source) sorted() []Finding {
	slices.SortStableFunc(s.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(s.findings)
}
