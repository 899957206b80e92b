package cli

import (
	"io"
	"sync"
)

// errWriter keeps the first error of a writer for [Main], since most callers that print ignore it:
// a command whose output hit a full disk has failed.
type errWriter struct {
	io.Writer
	mu  sync.Mutex
	err error
}

func (w *errWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
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
