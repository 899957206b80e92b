package sshexec

import (
	"bytes"
	"io"
	"sync"
)

// sink passes a stream to a writer until a write fails or close is called, and discards the rest.
// Its Write never fails and so never blocks the stream: a server that cannot deliver one stream of
// a session stops sending the other, too.
type sink struct {
	mu  sync.Mutex
	out io.Writer // nil discards
}

func newSink(out io.Writer) *sink { return &sink{out: out} }

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out != nil {
		if _, err := s.out.Write(p); err != nil {
			s.out = nil
		}
	}
	return len(p), nil
}

// close waits for a Write in progress and discards everything from then on.
func (s *sink) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = nil
}

// tokenFilter passes a stream on, removes the first occurrence of a token, and calls onToken when
// it has arrived.
type tokenFilter struct {
	mu      sync.Mutex
	out     io.Writer
	token   []byte // nil once it has arrived
	pending []byte // data that may be the start of the token
	onToken func()
}

func (f *tokenFilter) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.token == nil {
		return f.out.Write(p)
	}
	f.pending = append(f.pending, p...)
	if before, after, found := bytes.Cut(f.pending, f.token); found {
		rest := append(bytes.Clone(before), after...)
		f.token, f.pending = nil, nil
		f.onToken()
		if len(rest) > 0 {
			_, _ = f.out.Write(rest)
		}
		return len(p), nil
	}
	if n := len(f.pending) - len(f.token) + 1; n > 0 {
		_, _ = f.out.Write(f.pending[:n])
		f.pending = append([]byte(nil), f.pending[n:]...)
	}
	return len(p), nil
}

// close passes on the pending data, because the token did not arrive.
func (f *tokenFilter) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = f.out.Write(f.pending)
	f.token, f.pending = nil, nil
}
