package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// Message is a part of a session's output: its header, or bytes that follow it.
type Message struct {
	Header *remote.Header
	Log    []byte
}

// Session is one script that runs on a host. Its goroutine sends the output to Messages, which is
// not buffered: a host that prints faster than the receiver reads is slowed down.
type Session struct {
	Messages chan Message // closed when the script exits, or the connection is lost
	// set if the script was not seen to exit, or printed no header within [remote.MaxHeader] bytes;
	// valid once Messages is closed
	Err    error
	exit   int // likewise
	token  string
	stderr *tail
	cancel context.CancelCauseFunc
}

// OpenSession starts a script whose header has the token. password may be nil. The caller closes
// the session.
func OpenSession(ctx context.Context, conn Conn, script remote.Script, token string, password *PasswordReader) *Session {
	return openSession(ctx, conn, script, token, password, nil)
}

// openSession does the same. The script gets input, unless it is nil, on standard input once its
// header was seen, and after the password.
func openSession(ctx context.Context, conn Conn, script remote.Script, token string, password *PasswordReader, input io.Reader) *Session {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &Session{Messages: make(chan Message), token: token, cancel: cancel, stderr: &tail{}}
	cmd := Command{Script: script.Text, Args: script.Args, Stderr: s.stderr}
	if password != nil {
		cmd.Stdin = password
		s.stderr.password = password
		context.AfterFunc(ctx, password.close)
	}
	started := make(chan struct{})
	if input != nil {
		late := &lateReader{ctx: ctx, start: started, input: input}
		cmd.Stdin = late
		if password != nil {
			cmd.Stdin = io.MultiReader(password, late)
		}
	}
	stream := remote.NewStream(token,
		func(h remote.Header) {
			close(started)
			if password != nil {
				password.close() // sudo has run
			}
			_ = s.put(ctx, Message{Header: &h})
		},
		writerFunc(func(p []byte) (int, error) {
			return len(p), s.put(ctx, Message{Log: bytes.Clone(p)})
		}))
	cmd.Stdout = writerFunc(func(p []byte) (int, error) {
		n, err := stream.Write(p)
		if errors.Is(err, remote.ErrLongHeader) {
			cancel(&AnswerError{fleet.CodeExcess, err})
		}
		return n, err
	})
	go func() {
		defer close(s.Messages)
		s.exit, s.Err = conn.Run(ctx, cmd)
		if unusable, ok := errors.AsType[*AnswerError](context.Cause(ctx)); ok {
			s.Err = unusable
		}
	}()
	return s
}

// lateReader reads from input once start is closed. It ends when ctx does.
type lateReader struct {
	ctx   context.Context
	start <-chan struct{}
	input io.Reader
}

func (r *lateReader) Read(p []byte) (int, error) {
	select {
	case <-r.start:
	case <-r.ctx.Done():
		return 0, io.EOF
	}
	if r.ctx.Err() != nil {
		return 0, io.EOF
	}
	return r.input.Read(p)
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
	s.cancel(nil)
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

// ScriptError means that a script failed on the host, which was in reach.
type ScriptError struct{ text string }

func (e *ScriptError) Error() string { return e.text }

// AnswerError means that a host's answer cannot be used.
type AnswerError struct {
	code  fleet.Code
	cause error
}

func (e *AnswerError) Error() string { return e.cause.Error() }

// Unwrap returns the error of the connection, for example.
func (e *AnswerError) Unwrap() error { return e.cause }

// Code returns [fleet.CodeIncomplete] or [fleet.CodeExcess].
func (e *AnswerError) Code() string { return string(e.code) }

// Hint returns what to do about it.
func (e *AnswerError) Hint() string { return e.code.Hint() }

// result returns the result for a host that nothing was started on.
func (e *AnswerError) result(s fleet.Step) *fleet.Result {
	return &fleet.Result{Outcome: fleet.Failed, Step: s, Code: e.code, Reason: clean.Line([]byte(e.Error())), Hint: e.Hint()}
}

// Incomplete returns an [AnswerError] for a session that ended after its header, but before the end
// of its answer.
func (s *Session) Incomplete() *AnswerError {
	cause := s.Err
	switch last := s.stderr.last(); {
	case cause != nil:
	case last != "":
		cause = &ScriptError{fmt.Sprintf("the script ended early with exit status %d, %s", s.exit, last)}
	default:
		cause = &ScriptError{fmt.Sprintf("the script ended early with exit status %d", s.exit)}
	}
	return &AnswerError{fleet.CodeIncomplete, fmt.Errorf("the host's answer is incomplete: %w", cause)}
}

// Ask runs a script and returns its header. Without the end of the answer it returns an error.
func Ask(ctx context.Context, conn Conn, script func(token string) remote.Script) (remote.Header, error) {
	header, _, err := askAll(ctx, conn, script, 0)
	return header, err
}

// askAll runs a script and returns its header and the output that follows. Without the end of the
// answer, and if it is longer than limit bytes, it returns an error.
func askAll(ctx context.Context, conn Conn, script func(token string) remote.Script, limit int) (remote.Header, []byte, error) {
	return askWith(ctx, conn, script, nil, limit)
}

// askWith does the same with a script that reads input.
func askWith(ctx context.Context, conn Conn, script func(token string) remote.Script, input io.Reader, limit int) (remote.Header, []byte, error) {
	token := remote.Token()
	s := openSession(ctx, conn, script(token), token, nil, input)
	defer s.Close()
	return s.read(limit)
}

// read waits for the script to exit and returns its header and the output that follows, up to the
// end of the answer. If the answer does not end, or is longer than limit bytes, it returns an
// [AnswerError], with the header if there is one.
func (s *Session) read(limit int) (remote.Header, []byte, error) {
	var header remote.Header
	end := remote.EndMark(s.token)
	var text []byte
	seen, whole := false, false
	for m := range s.Messages {
		if m.Header != nil {
			header, seen = *m.Header, true
		}
		if whole {
			continue // a process that the script has left behind
		}
		from := max(0, len(text)-len(end))
		text = append(text, m.Log...)
		if at := bytes.Index(text[from:], end); at >= 0 {
			text, whole = text[:from+at], true
		}
		if len(text) > limit && (whole || len(text) > limit+len(end)) {
			return header, nil, &AnswerError{fleet.CodeExcess, fmt.Errorf("the host's answer is longer than %d bytes", limit)}
		}
	}
	switch {
	case whole:
		return header, text, nil
	case seen:
		return header, nil, s.Incomplete()
	case s.Err != nil:
		return header, nil, s.Err
	}
	return header, nil, s.NotRun()
}
