package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// syntaxError notes what the parser stumbled over and gives its offset.
func (d *document) syntaxError(err error) int {
	at, message := d.base, err.Error()
	var fault *unstable.ParserError
	if errors.As(err, &fault) {
		// The highlight is a piece of the input: what it could still grow by tells where it begins.
		at = min(len(d.text)-cap(fault.Highlight), len(d.text))
		message = fault.Message
	}
	message, hint := inPlainWords(message, string(wordAt(d.text, at)))
	d.note(at, message, hint)
	return at
}

// inPlainWords puts the commonest slips as somebody would who sees the file.
func inPlainWords(message, word string) (plain, hint string) {
	switch {
	case strings.Contains(message, "at start of value"), strings.HasPrefix(message, "expected keyword"):
		if regexp.MustCompile(`^[A-Za-z~/@#]`).MatchString(word) && word != "#" {
			return fmt.Sprintf("%s is text and needs quotes", quote(word)), "write " + quote(word)
		}
	case message == "strings must be quoted":
		return "text needs quotes", `write it as in build = "90m"`
	case strings.HasPrefix(message, "expected newline but got"):
		return fmt.Sprintf("%s is more than the line can hold", quote(word)), "begin a new line, or a comment with #"
	case message == "expected '=' after key":
		return message, `a key and its value look like user = "mba"`
	}
	return message, ""
}

// wordAt is what stands at an offset, up to the next space or punctuation of TOML.
func wordAt(text []byte, at int) []byte {
	rest := text[at:]
	if i := bytes.IndexAny(rest, " \t\r\n,]}="); i > 0 {
		return rest[:i]
	}
	_, size := utf8.DecodeRune(rest)
	return rest[:size]
}

// nextTable is the offset of the next line that begins a table.
func (d *document) nextTable(at int) int {
	rest := d.text[at:]
	if m := regexp.MustCompile(`\n[ \t]*\[+[ \t]*[A-Za-z"'_]`).FindIndex(rest); m != nil {
		return at + m[0] + 1
	}
	return len(d.text)
}

// decoded is a file's text as UTF-8, in a notebook that says where it was not, and whether it can be read at all.
func decoded(file string, data []byte) (n *notebook, readable bool) {
	text, marked := bytes.CutPrefix(data, []byte("\xef\xbb\xbf"))
	n = newNotebook(file, slices.Clip(slices.Clone(text))) // the parser finds its place by counting capacity
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		n.note(0, "the file is UTF-16", "save it as UTF-8")
		return n, false
	case marked:
		n.note(0, "the file begins with a byte order mark", "save it as UTF-8 without one")
	}
	told := -1
	for i := 0; i < len(n.text); {
		r, size := utf8.DecodeRune(n.text[i:])
		if r == utf8.RuneError && size == 1 {
			if line := n.line(i); line != told {
				n.note(i, fmt.Sprintf("the byte 0x%02x is not UTF-8", n.text[i]), "save the file as UTF-8")
				told = line
			}
			n.text[i] = '?'
		}
		i += size
	}
	return n, true
}
