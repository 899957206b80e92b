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

// ReadFrom implements [io.ReaderFrom].
func (s *sink) ReadFrom(r io.Reader) (int64, error) { return copyStream(s, r) }

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

// ReadFrom implements [io.ReaderFrom].
func (f *tokenFilter) ReadFrom(r io.Reader) (int64, error) { return copyStream(f, r) }

// close passes on the pending data, because the token did not arrive.
func (f *tokenFilter) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = f.out.Write(f.pending)
	f.token, f.pending = nil, nil
}

// copyChunk is the buffer for a stream with much data. Most streams never need one.
type copyChunk [32 << 10]byte

var copyChunks = sync.Pool{New: func() any { return new(copyChunk) }}

// copyStream copies r to w until either fails, like [io.Copy]. While little arrives, it holds
// little memory: a thousand hosts may each have a script that runs for hours.
func copyStream(w io.Writer, r io.Reader) (copied int64, err error) {
	small := make([]byte, 512)
	buffer := small
	var chunk *copyChunk
	defer func() {
		if chunk != nil {
			copyChunks.Put(chunk)
		}
	}()
	for {
		n, err := r.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return copied, err
			}
			copied += int64(n)
		}
		switch {
		case err == io.EOF:
			return copied, nil
		case err != nil:
			return copied, err
		case n == len(small) && chunk == nil:
			chunk = copyChunks.Get().(*copyChunk)
			buffer = chunk[:]
		case n < len(small) && chunk != nil:
			copyChunks.Put(chunk)
			buffer, chunk = small, nil
		}
	}
}
