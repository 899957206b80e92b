package clean

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxRunes is the maximum length of a clean line. The last rune of a truncated line is an ellipsis.
const MaxRunes = 4096

const tabStop = 8

// Line cleans one line, given without its newline. If the line was redrawn with carriage returns,
// as progress bars are, Line returns its last state. It hides the secrets of URLs.
func Line(b []byte) string {
	line := visibleLine(b)
	if hidden := Secrets(line); hidden != line {
		if line = hidden; len(hidden) > MaxRunes {
			line = visibleLine([]byte(hidden)) // it may have grown
		}
	}
	if hasCommand(line) {
		return disarm(line)
	}
	return line
}

// Bytes returns what [Line] does. The result shares the memory of b if there is nothing to clean.
func Bytes(b []byte) []byte {
	if plain, special := scan(b); plain && !(special && mayNeedRewriting(b)) {
		return b
	}
	return []byte(Line(b))
}

// mayNeedRewriting reports whether a plain line may contain a secret or a command.
func mayNeedRewriting(b []byte) bool {
	return bytes.Contains(b, []byte("##")) || bytes.Contains(b, []byte("::")) || bytes.Contains(b, []byte("://"))
}

// visibleLine returns the visible part of a line.
func visibleLine(b []byte) string {
	if isPlain(b) {
		return string(b)
	}
	b = bytes.TrimRight(b, "\r\n")
	b = b[bytes.LastIndexByte(b, '\r')+1:]
	if isPlain(b) {
		return string(b)
	}
	return cleanLine(b)
}

// Text cleans each line of s. It keeps the number of lines.
func Text(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Line([]byte(line))
	}
	return strings.Join(lines, "\n")
}

func isPlain(b []byte) bool {
	plain, _ := scan(b)
	return plain
}

// scan reports whether b is short and printable ASCII only, as nearly all lines are, and whether a
// plain line has a colon or a number sign, without which it has neither secrets nor commands.
func scan(b []byte) (plain, special bool) {
	if len(b) > MaxRunes {
		return false, false
	}
	// Look at eight bytes at once, and report each in its highest bit.
	const each = 0x0101010101010101
	const highest = 0x80 * each
	var others uint64 // not special
	for others = highest; len(b) >= 8; b = b[8:] {
		word := binary.LittleEndian.Uint64(b)
		// In this order: above 0x7f, below 0x20, 0x7f.
		if (word|(word-0x20*each)|(word+each))&highest != 0 {
			return false, false
		}
		others &= ((word ^ ':'*each) + 0x7f*each) & ((word ^ '#'*each) + 0x7f*each)
	}
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return false, false
		}
		special = special || c == ':' || c == '#'
	}
	return true, special || others != highest
}

// cleanLine cleans a line that is not plain.
func cleanLine(b []byte) string {
	out := lineBuilder{text: make([]byte, 0, min(len(b), MaxRunes))}
	for len(b) > 0 && !out.full {
		if n := sequenceLen(b); n > 0 {
			b = b[n:]
			continue
		}
		r, size := utf8.DecodeRune(b)
		b = b[size:]
		switch {
		case r == utf8.RuneError && size == 1:
			out.addInvalid()
		case r == '\t':
			for first := true; (first || out.runes%tabStop != 0) && !out.full; first = false {
				out.add(' ')
			}
		case isVisible(r):
			out.add(r)
		}
	}
	return string(out.text)
}

// lineBuilder builds a clean line.
type lineBuilder struct {
	text    []byte
	runes   int
	last    int  // offset of the last rune
	full    bool // the line was truncated
	invalid bool // the last byte was not UTF-8
}

func (l *lineBuilder) add(r rune) {
	l.invalid = false
	if l.runes == MaxRunes {
		l.text = append(l.text[:l.last], "…"...)
		l.full = true
		return
	}
	l.last = len(l.text)
	l.text = utf8.AppendRune(l.text, r)
	l.runes++
}

// addInvalid adds one replacement character per run of invalid bytes, like [strings.ToValidUTF8].
func (l *lineBuilder) addInvalid() {
	if !l.invalid {
		l.add(utf8.RuneError)
		l.invalid = true
	}
}

// isVisible reports whether r can be printed without affecting the characters around it. It rejects
// controls (C0, DEL, C1), line and paragraph separators, and formatting characters, which include
// the bidi controls and invisible characters. It accepts the joiners and the two common variation
// selectors, since scripts and emoji need them.
func isVisible(r rune) bool {
	const zwnj, zwj, textStyle, emojiStyle = '\u200c', '\u200d', '\ufe0e', '\ufe0f'
	switch {
	case r < 0x7f:
		return r >= 0x20
	case r == zwnj || r == zwj || r == textStyle || r == emojiStyle:
		return true
	}
	return !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector)
}
