package sshexec

import (
	"bytes"
	"io"
	"sync"
)

// sink is where a stream goes: to a writer while that takes it, and to nowhere afterwards, so that the stream never stands
// still. A server that cannot get rid of one stream stops sending the other too.
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

// close waits for a Write that is under way, and lets no further one reach the writer.
func (s *sink) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = nil
}

// goAhead passes a stream on without the token in it, and calls seen when the token has come.
type tokenFilter struct {
	mu    sync.Mutex
	out   io.Writer
	token []byte // nil when it has come
	pending  []byte // the end of what came, which may be the token's beginning
	onToken  func()
}

func (g *tokenFilter) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token == nil {
		return g.out.Write(p)
	}
	g.pending = append(g.pending, p...)
	if before, after, found := bytes.Cut(g.pending, g.token); found {
		rest := append(bytes.Clone(before), after...)
		g.token, g.pending = nil, nil
		g.onToken()
		if len(rest) > 0 {
			_, _ = g.out.Write(rest)
		}
		return len(p), nil
	}
	if sure := len(g.pending) - len(g.token) + 1; sure > 0 {
		_, _ = g.out.Write(g.pending[:sure])
		g.pending = append([]byte(nil), g.pending[sure:]...)
	}
	return len(p), nil
}

// close passes on what is still held: the token did not come.
func (g *tokenFilter) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = g.out.Write(g.pending)
	g.token, g.pending = nil, nil
}
