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

// reportSyntaxError reports an error of the TOML parser and returns its offset.
func (d *document) reportSyntaxError(err error) int {
	at, message := d.base, err.Error()
	var parserErr *unstable.ParserError
	if errors.As(err, &parserErr) {
		// The highlight is a slice of the input, so its capacity reveals where it starts.
		at = len(d.text) - cap(parserErr.Highlight)
		message = parserErr.Message
	}
	message, hint := explain(message, string(wordAt(d.text, at)))
	d.report(at, message, hint)
	return at
}

// explain rewrites the parser's message for the most common mistakes and adds a hint.
func explain(message, word string) (explained, hint string) {
	switch {
	case strings.Contains(message, "at start of value"), strings.HasPrefix(message, "expected keyword"):
		if regexp.MustCompile(`^(?:[A-Za-z~/@]|#.)`).MatchString(word) {
			return "unquoted string " + quote(word), "write " + quote(word)
		}
	case message == "strings must be quoted":
		return "unquoted string", `put it in quotes, as in build = "90m"`
	case strings.HasPrefix(message, "expected newline but got"):
		return fmt.Sprintf("unexpected %s after the value", quote(word)), "start a new line, or start a comment with #"
	case message == "expected '=' after key":
		return message, `write KEY = VALUE, as in user = "mba"`
	}
	return message, ""
}

// wordAt returns the text at an offset, up to the next space or TOML punctuation.
func wordAt(text []byte, at int) []byte {
	rest := text[at:]
	if i := bytes.IndexAny(rest, " \t\r\n,]}="); i > 0 {
		return rest[:i]
	}
	_, size := utf8.DecodeRune(rest)
	return rest[:size]
}

// nextTable returns the offset of the next line that starts a table, or the end of the text.
func (d *document) nextTable(at int) int {
	rest := d.text[at:]
	if m := regexp.MustCompile(`\n[ \t]*\[+[ \t]*[A-Za-z"'_]`).FindIndex(rest); m != nil {
		return at + m[0] + 1
	}
	return len(d.text)
}

// decodeUTF8 returns the text of a file, with findings if it is not UTF-8. ok is false if it cannot
// be read as text.
func decodeUTF8(file string, data []byte) (s *source, ok bool) {
	text, hasBOM := bytes.CutPrefix(data, []byte("\xef\xbb\xbf"))
	// reportSyntaxError depends on the capacity.
	s = newSource(file, slices.Clip(slices.Clone(text)))
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		s.report(0, "file is encoded in UTF-16", "save it as UTF-8")
		return s, false
	case hasBOM:
		s.report(0, "file starts with a byte order mark", "save it as UTF-8 without a byte order mark")
	}
	reported := 0
	for i := 0; i < len(s.text); {
		r, size := utf8.DecodeRune(s.text[i:])
		if r == utf8.RuneError && size == 1 {
			if line := s.line(i); line != reported { // once per line is enough
				s.report(i, fmt.Sprintf("byte 0x%02x is not valid UTF-8", s.text[i]), "save the file as UTF-8")
				reported = line
			}
			s.text[i] = '?'
		}
		i += size
	}
	return s, true
}
