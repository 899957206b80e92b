package clean

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxRunes is the length at which a line is cut; its last rune is then an ellipsis.
const MaxRunes = 4096

const tabStop = 8

// Line cleans one line, given without its newline. Of a line that was drawn over, as progress bars are, the last state is kept.
func Line(b []byte) string {
	if plain(b) {
		return string(b)
	}
	b = bytes.TrimRight(b, "\r\n")
	b = b[bytes.LastIndexByte(b, '\r')+1:]
	if plain(b) {
		return string(b)
	}
	return rewrite(b)
}

// Text cleans several lines. Their number stays what it is.
func Text(s string) string {
	if plain([]byte(s)) {
		return s
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Line([]byte(line))
	}
	return strings.Join(lines, "\n")
}

// plain reports whether b is what nearly every line is: short, and printable ASCII alone.
func plain(b []byte) bool {
	if len(b) > MaxRunes {
		return false
	}
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

func rewrite(b []byte) string {
	out := line{text: make([]byte, 0, min(len(b), MaxRunes))}
	for len(b) > 0 && !out.full {
		if n := sequence(b); n > 0 {
			b = b[n:]
			continue
		}
		r, size := utf8.DecodeRune(b)
		b = b[size:]
		switch {
		case r == utf8.RuneError && size == 1:
			out.broken()
		case r == '\t':
			for first := true; (first || out.runes%tabStop != 0) && !out.full; first = false {
				out.add(' ')
			}
		case visible(r):
			out.add(r)
		}
	}
	return string(out.text)
}

// line is the clean line as it grows.
type line struct {
	text  []byte
	runes int
	last  int  // where the last rune begins
	full  bool // cut: nothing more fits
	bad   bool // what came last was a broken byte
}

func (l *line) add(r rune) {
	l.bad = false
	if l.runes == MaxRunes {
		l.text = append(l.text[:l.last], "…"...)
		l.full = true
		return
	}
	l.last = len(l.text)
	l.text = utf8.AppendRune(l.text, r)
	l.runes++
}

// broken stands for a run of bytes that are not UTF-8, as [strings.ToValidUTF8] has it.
func (l *line) broken() {
	if !l.bad {
		l.add(utf8.RuneError)
		l.bad = true
	}
}

// visible reports whether r can be shown without changing how its neighbours are. Controls (C0, DEL, C1), separators of
// lines and paragraphs, and formatting characters cannot: among the last are all that turn the direction of writing, or hide.
// The joiners and the two common variation selectors may stay: scripts and emoji need them.
func visible(r rune) bool {
	const nonJoiner, joiner, asText, asEmoji = '\u200c', '\u200d', '\ufe0e', '\ufe0f'
	switch {
	case r < 0x7f:
		return r >= 0x20
	case r == nonJoiner || r == joiner || r == asText || r == asEmoji:
		return true
	}
	return !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector)
}
