package cli

import (
	"bytes"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// lineWriter splits one stream of one host into lines, cleans and formats them, and writes all
// complete lines of one Write at once. So lines of different hosts never mix, and a host with much
// output costs few system calls.
type lineWriter struct {
	out     io.Writer
	format  func(dst, line []byte) []byte // appends a clean line with its newline
	partial []byte                        // a line whose newline has not arrived
	batch   []byte
}

// Write never fails: a reader that is gone must not stall the command on the host.
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
		rest := w.split(w.partial)
		w.partial = append(w.partial[:0], rest...)
	}
	w.flush()
	return n, nil
}

// close writes the last line if it lacks a newline.
func (w *lineWriter) close() {
	if len(w.partial) > 0 {
		w.line(nil)
	}
	w.flush()
}

// line completes a line: the partial line, if any, followed by end.
func (w *lineWriter) line(end []byte) {
	if len(w.partial) > 0 {
		w.partial = append(w.partial, end...)
		end = w.partial
	}
	for len(end) > clean.MaxRunes {
		end = w.split(end)
	}
	w.batch = w.format(w.batch, clean.Bytes(end))
	w.partial = w.partial[:0]
}

// split formats the first clean.MaxRunes bytes of an overlong line and returns the rest. It does
// not split a UTF-8 sequence.
func (w *lineWriter) split(long []byte) (rest []byte) {
	cut := clean.MaxRunes
	for back := 1; back < utf8.UTFMax; back++ {
		if utf8.RuneStart(long[cut]) {
			break
		}
		cut--
	}
	w.batch = w.format(w.batch, clean.Bytes(long[:cut]))
	return long[cut:]
}

func (w *lineWriter) flush() {
	if len(w.batch) > 0 {
		w.out.Write(w.batch)
		w.batch = w.batch[:0]
	}
}

// prefixed returns a format for lineWriter that prefixes each line with a label.
func prefixed(label string) func(dst, line []byte) []byte {
	return func(dst, line []byte) []byte {
		dst = append(dst, label...)
		dst = append(dst, line...)
		return append(dst, '\n')
	}
}

// lockedWriter makes a writer safe for concurrent use.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
