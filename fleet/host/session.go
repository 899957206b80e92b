package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/markus-barta/nixfleet/fleet/remote"
)

// message is a piece of what a session prints: its header, or bytes of the log.
type message struct {
	Header *remote.Header
	Log    []byte
}

// session is one script as it runs on a host. Its goroutine hands over what the script prints, piece by piece, to the one that owns the
// host; a host that prints faster than that is read is held back, so that nothing piles up.
type Session struct {
	Messages chan message // closed at the end of the script, or of the connection
	exit     int          // these two and stderr are to be read after that
	Err      error        // not nil where the script's own end was not seen
	stderr   *said
	cancel   context.CancelFunc
}

// open starts a script whose header carries token. The caller closes the session.
func OpenSession(ctx context.Context, conn Conn, script remote.Script, token string, password *PasswordReader) *Session {
	ctx, cancel := context.WithCancel(ctx)
	s := &Session{Messages: make(chan message), cancel: cancel, stderr: &said{}}
	cmd := Command{Script: script.Text, Args: script.Args, Stderr: s.stderr}
	if password != nil {
		cmd.Stdin = password
		s.stderr.password = password
		context.AfterFunc(ctx, password.close)
	}
	stream := remote.NewStream(token,
		func(h remote.Header) {
			if password != nil {
				password.close() // what was to be asked was asked
			}
			_ = s.put(ctx, message{Header: &h})
		},
		writerFunc(func(p []byte) (int, error) {
			return len(p), s.put(ctx, message{Log: bytes.Clone(p)})
		}))
	cmd.Stdout = stream
	go func() {
		defer close(s.Messages)
		s.exit, s.Err = conn.Run(ctx, cmd)
	}()
	return s
}

func (s *Session) put(ctx context.Context, m message) error {
	select {
	case s.Messages <- m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close ends the session and waits for its goroutine.
func (s *Session) Close() {
	s.cancel()
	for range s.Messages {
	}
}

// writerFunc is an [io.Writer] made of a function.
type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// errSilent: the script ended, and never printed its header.
var ErrSilent = errors.New("the host's shell did not run the script")

func (s *Session) Silence() error {
	if last := s.stderr.last(); last != "" {
		return fmt.Errorf("%w: exit status %d, %s", ErrSilent, s.exit, last)
	}
	return fmt.Errorf("%w: exit status %d", ErrSilent, s.exit)
}

// ask runs a script for its header alone.
func Ask(ctx context.Context, conn Conn, script func(token string) remote.Script) (remote.Header, error) {
	header, _, err := askAll(ctx, conn, script, 0)
	return header, err
}

// askAll runs a script for its header and what comes after it, as far as limit bytes.
func askAll(ctx context.Context, conn Conn, script func(token string) remote.Script, limit int) (remote.Header, []byte, error) {
	token := remote.Token()
	s := OpenSession(ctx, conn, script(token), token, nil)
	defer s.Close()
	return s.read(limit)
}

// read waits for the script's end, and returns its header and what came after that, as far as limit bytes.
func (s *Session) read(limit int) (remote.Header, []byte, error) {
	var header *remote.Header
	var text []byte
	for m := range s.Messages {
		if m.Header != nil {
			header = m.Header
		}
		text = append(text, m.Log[:min(len(m.Log), limit-len(text))]...)
	}
	switch {
	case header == nil && s.Err == nil:
		return remote.Header{}, nil, s.Silence()
	case header == nil:
		return remote.Header{}, nil, s.Err
	}
	return *header, text, nil
}
