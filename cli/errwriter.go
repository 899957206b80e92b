package cli

import (
	"errors"
	"io"
	"sync"
	"syscall"
)

// errWriter keeps the first error of a writer for [Main], since most callers that print ignore it:
// a command whose output hit a full disk has failed. A reader that has left is not an error: only
// commands that must not end because of it ignore SIGPIPE.
type errWriter struct {
	io.Writer
	mu  sync.Mutex
	err error
}

func (w *errWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		return len(p), nil
	}
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.err == nil {
			w.err = err
		}
	}
	return n, err
}

// Err returns the first error of Write.
func (w *errWriter) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
