package cli

import (
	"io"
	"sync"
)

// outputLimit limits how much the streams of a host's command print together.
type outputLimit struct {
	mu    sync.Mutex
	limit int64
	size  int64 // bytes received
}

// newOutputLimit returns a limit in bytes. 0 means none.
func newOutputLimit(limit int64) *outputLimit {
	if limit == 0 {
		limit = 1<<63 - 1
	}
	return &outputLimit{limit: limit}
}

// omitted returns how many bytes were not printed.
func (l *outputLimit) omitted() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, l.size-l.limit)
}

// take counts n bytes of output and returns how many of them may be printed.
func (l *outputLimit) take(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	room := max(0, min(int64(n), l.limit-l.size))
	l.size += int64(n)
	return int(room)
}

// writer returns a writer that drops what exceeds the limit.
func (l *outputLimit) writer(w io.Writer) io.Writer { return &limitedWriter{w, l} }

type limitedWriter struct {
	w     io.Writer
	limit *outputLimit
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	if room := l.limit.take(len(p)); room > 0 {
		if n, err := l.w.Write(p[:room]); err != nil {
			return n, err
		}
	}
	return len(p), nil
}
