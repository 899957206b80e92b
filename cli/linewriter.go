package cli

import (
	"bytes"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// lineWriter cuts one stream of one host into lines, cleans them and passes them on in one write for all that came at
// once: lines of several hosts never mix, and a fast host costs few system calls.
type lineWriter struct {
	out     io.Writer
	format  func(dst []byte, line string) []byte // appends a clean line, with its newline
	partial []byte                               // the beginning of a line whose end has not come
	batch   []byte
}

// Write never fails: who reads our output may be gone, but the command on the host is not to hang for it.
func (w *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			break
		}
		w.line(p[:end])
		p = p[end+1:]
	}
	w.partial = append(w.partial, p...)
	for len(w.partial) > clean.MaxRunes {
		rest := w.piece(w.partial)
		w.partial = append(w.partial[:0], rest...)
	}
	w.flush()
	return n, nil
}

// close passes on what came after the last newline.
func (w *lineWriter) close() {
	if len(w.partial) > 0 {
		w.line(nil)
	}
	w.flush()
}

// line ends a line with what came last of it.
func (w *lineWriter) line(end []byte) {
	if len(w.partial) > 0 {
		w.partial = append(w.partial, end...)
		end = w.partial
	}
	for len(end) > clean.MaxRunes {
		end = w.piece(end)
	}
	w.batch = w.format(w.batch, clean.Line(end))
	w.partial = w.partial[:0]
}

// piece passes on the beginning of a line that is too long for one, and returns the rest.
func (w *lineWriter) piece(long []byte) (rest []byte) {
	cut := clean.MaxRunes
	for back := 1; back < utf8.UTFMax; back++ {
		if utf8.RuneStart(long[cut]) {
			break
		}
		cut--
	}
	w.batch = w.format(w.batch, clean.Line(long[:cut]))
	return long[cut:]
}

func (w *lineWriter) flush() {
	if len(w.batch) > 0 {
		w.out.Write(w.batch)
		w.batch = w.batch[:0]
	}
}

// labelled formats lines with the host's name before them.
func labelled(label string) func([]byte, string) []byte {
	return func(dst []byte, line string) []byte {
		dst = append(dst, label...)
		dst = append(dst, line...)
		return append(dst, '\n')
	}
}

// lockedWriter lets one write through at a time.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
