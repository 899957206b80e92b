package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet/remote"
)

// Grace is how long a host may exceed a limit of its own before the operator's side gives up.
const Grace = 30 * time.Second

// Message is a part of a session's output: its header, or bytes that follow it.
type Message struct {
	Header *remote.Header
	Log    []byte
}

// Session is one script that runs on a host. Its goroutine sends the output to Messages, which is
// not buffered: a host that prints faster than the receiver reads is slowed down.
type Session struct {
	Messages chan Message // closed when the script exits, or the connection is lost
	Err      error        // set if the script was not seen to exit; valid once Messages is closed
	exit     int          // likewise
	stderr   *tail
	cancel   context.CancelFunc
}

// OpenSession starts a script whose header has the token. password may be nil. The caller closes
// the session.
func OpenSession(ctx context.Context, conn Conn, script remote.Script, token string, password *PasswordReader) *Session {
	ctx, cancel := context.WithCancel(ctx)
	s := &Session{Messages: make(chan Message), cancel: cancel, stderr: &tail{}}
	cmd := Command{Script: script.Text, Args: script.Args, Stderr: s.stderr}
	if password != nil {
		cmd.Stdin = password
		s.stderr.password = password
		context.AfterFunc(ctx, password.close)
	}
	stream := remote.NewStream(token,
		func(h remote.Header) {
			if password != nil {
				password.close() // sudo has run
			}
			_ = s.put(ctx, Message{Header: &h})
		},
		writerFunc(func(p []byte) (int, error) {
			return len(p), s.put(ctx, Message{Log: bytes.Clone(p)})
		}))
	cmd.Stdout = stream
	go func() {
		defer close(s.Messages)
		s.exit, s.Err = conn.Run(ctx, cmd)
	}()
	return s
}

func (s *Session) put(ctx context.Context, m Message) error {
	select {
	case s.Messages <- m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the session and waits for its goroutine.
func (s *Session) Close() {
	s.cancel()
	for range s.Messages {
	}
}

// writerFunc adapts a function to [io.Writer].
type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// ErrNotRun means that the login shell exited without running the script.
var ErrNotRun = errors.New("the host's shell did not run the script")

// NotRun returns an [ErrNotRun] with details, for a session that ended without a header or a
// result.
func (s *Session) NotRun() error {
	if last := s.stderr.last(); last != "" {
		return fmt.Errorf("%w: exit status %d, %s", ErrNotRun, s.exit, last)
	}
	return fmt.Errorf("%w: exit status %d", ErrNotRun, s.exit)
}

// Ask runs a script and returns its header.
func Ask(ctx context.Context, conn Conn, script func(token string) remote.Script) (remote.Header, error) {
	header, _, err := askAll(ctx, conn, script, 0)
	return header, err
}

// askAll runs a script and returns its header and at most limit bytes of the output that follows.
func askAll(ctx context.Context, conn Conn, script func(token string) remote.Script, limit int) (remote.Header, []byte, error) {
	token := remote.Token()
	s := OpenSession(ctx, conn, script(token), token, nil)
	defer s.Close()
	return s.read(limit)
}

// read waits for the script to exit and returns its header and at most limit bytes of the output
// that follows.
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
		return remote.Header{}, nil, s.NotRun()
	case header == nil:
		return remote.Header{}, nil, s.Err
	}
	return *header, text, nil
}
