package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/markus-barta/nixfleet/fleet/remote"
)

// message is a piece of what a session prints: its header, or bytes of the log.
type message struct {
	header *remote.Header
	log    []byte
}

// session is one script as it runs on a host. Its goroutine hands over what the script prints, piece by piece, to the one that owns the
// host; a host that prints faster than that is read is held back, so that nothing piles up.
type session struct {
	messages chan message // closed at the end of the script, or of the connection
	exit     int          // these two and stderr are to be read after that
	err      error        // not nil where the script's own end was not seen
	stderr   *said
	cancel   context.CancelFunc
}

// open starts a script whose header carries token. The caller closes the session.
func open(ctx context.Context, conn Conn, script remote.Script, token string, password *answer) *session {
	ctx, cancel := context.WithCancel(ctx)
	s := &session{messages: make(chan message), cancel: cancel, stderr: &said{}}
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
			s.put(ctx, message{header: &h})
		},
		writerFunc(func(p []byte) (int, error) {
			return len(p), s.put(ctx, message{log: bytes.Clone(p)})
		}))
	cmd.Stdout = stream
	go func() {
		defer close(s.messages)
		s.exit, s.err = conn.Run(ctx, cmd)
	}()
	return s
}

func (s *session) put(ctx context.Context, m message) error {
	select {
	case s.messages <- m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close ends the session and waits for its goroutine.
func (s *session) close() {
	s.cancel()
	for range s.messages {
	}
}

// writerFunc is an [io.Writer] made of a function.
type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// errSilent: the script ended, and never printed its header.
var errSilent = errors.New("the host's shell did not run the script")

func (s *session) silence() error {
	if last := s.stderr.last(); last != "" {
		return fmt.Errorf("%w: exit status %d, %s", errSilent, s.exit, last)
	}
	return fmt.Errorf("%w: exit status %d", errSilent, s.exit)
}

// ask runs a script for its header alone.
func ask(ctx context.Context, conn Conn, script func(token string) remote.Script) (remote.Header, error) {
	header, _, err := askAll(ctx, conn, script, 0)
	return header, err
}

// askAll runs a script for its header and what comes after it, as far as limit bytes.
func askAll(ctx context.Context, conn Conn, script func(token string) remote.Script, limit int) (remote.Header, []byte, error) {
	token := remote.Token()
	s := open(ctx, conn, script(token), token, nil)
	defer s.close()
	return s.read(limit)
}

// read waits for the script's end, and returns its header and what came after that, as far as limit bytes.
func (s *session) read(limit int) (remote.Header, []byte, error) {
	var header *remote.Header
	var text []byte
	for m := range s.messages {
		if m.header != nil {
			header = m.header
		}
		text = append(text, m.log[:min(len(m.log), limit-len(text))]...)
	}
	switch {
	case header == nil && s.err == nil:
		return remote.Header{}, nil, s.silence()
	case header == nil:
		return remote.Header{}, nil, s.err
	}
	return *header, text, nil
}
