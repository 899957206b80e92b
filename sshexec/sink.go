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
type goAhead struct {
	mu    sync.Mutex
	out   io.Writer
	token []byte // nil when it has come
	held  []byte // the end of what came, which may be the token's beginning
	seen  func()
}

func (g *goAhead) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token == nil {
		return g.out.Write(p)
	}
	g.held = append(g.held, p...)
	if before, after, found := bytes.Cut(g.held, g.token); found {
		rest := append(bytes.Clone(before), after...)
		g.token, g.held = nil, nil
		g.seen()
		if len(rest) > 0 {
			_, _ = g.out.Write(rest)
		}
		return len(p), nil
	}
	if sure := len(g.held) - len(g.token) + 1; sure > 0 {
		_, _ = g.out.Write(g.held[:sure])
		g.held = append([]byte(nil), g.held[sure:]...)
	}
	return len(p), nil
}

// close passes on what is still held: the token did not come.
func (g *goAhead) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = g.out.Write(g.held)
	g.token, g.held = nil, nil
}
