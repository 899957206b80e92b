package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Finding is one thing that is wrong with an inventory. Line and Column count from 1, columns in characters.
type Finding struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do about it
}

// String is the finding as compilers print theirs, its hint on a line of its own.
func (f Finding) String() string {
	s := fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
	if f.Hint != "" {
		s += "\n  hint: " + f.Hint
	}
	return s
}

// Findings are all that is wrong with an inventory, in the file's order.
type Findings []Finding

func (fs Findings) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// hinted is an error with the mend.
type hinted struct{ message, hint string }

func (e *hinted) Error() string { return e.message }
func (e *hinted) Hint() string  { return e.hint }

// notebook collects findings about one file by byte offset.
type notebook struct {
	file     string
	text     []byte
	lines    []int // the offset at which each line begins
	findings []Finding
}

func newNotebook(file string, text []byte) *notebook {
	n := &notebook{file: file, text: text, lines: []int{0}}
	for i, b := range text {
		if b == '\n' {
			n.lines = append(n.lines, i+1)
		}
	}
	return n
}

func (n *notebook) note(offset int, message, hint string) {
	line, column := n.position(offset)
	n.findings = append(n.findings, Finding{File: n.file, Line: line, Column: column, Message: message, Hint: hint})
}

// position turns an offset into a line and a column in characters, which is what editors count.
func (n *notebook) position(offset int) (line, column int) {
	offset = min(max(offset, 0), len(n.text))
	i, exact := slices.BinarySearch(n.lines, offset)
	if !exact {
		i--
	}
	return i + 1, utf8.RuneCount(n.text[n.lines[i]:offset]) + 1
}

func (n *notebook) line(offset int) int {
	line, _ := n.position(offset)
	return line
}

// sorted is everything noted, in the file's order, and nothing twice.
func (n *notebook) sorted() []Finding {
	slices.SortStableFunc(n.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(n.findings)
}
