package cli

import (
	"io"
	"sync"
)

// heard is an output that keeps its first error, for [Main] to say it: a full disk is no success, and most who print do not look.
type heard struct {
	io.Writer
	mu  sync.Mutex
	err error
}

func (h *heard) Write(p []byte) (int, error) {
	n, err := h.Writer.Write(p)
	if err != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.err == nil {
			h.err = err
		}
	}
	return n, err
}

func (h *heard) failed() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.err
}
