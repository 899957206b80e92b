package sshexec

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/ssh"
)

// A Command is a POSIX sh script with its arguments and streams.
type Command struct {
	Script string
	Args   []string  // become "$@", byte for byte
	Stdin  io.Reader // nil means empty
	Stdout io.Writer // nil discards
	Stderr io.Writer // nil discards
}

// Run runs a script with /bin/sh on the host and returns its exit status, which is 128 plus the
// signal number if a signal ended the script. The error is non-nil only if Run did not see the
// script exit.
//
// Run discards the rest of a stream if its writer returns an error, and does not report that error.
// It writes nothing after it has returned. If ctx is done, Run closes the session and returns
// immediately, without killing anything on the host; a Read of Stdin may still be in progress.
func (c *Conn) Run(ctx context.Context, cmd Command) (exitStatus int, err error) {
	session, err := await(ctx, &c.pool.tasks, c.client.NewSession,
		func(unused *ssh.Session) { unused.Close() })
	if err != nil {
		return 0, c.sessionError(ctx, err)
	}
	stdout, stderr := newSink(cmd.Stdout), newSink(cmd.Stderr)
	defer stdout.close()
	defer stderr.close() // deferred before the filter's close, which flushes to it
	session.Stdout, session.Stderr = stdout, stderr
	stdin, err := session.StdinPipe()
	if err != nil {
		return 0, c.sessionError(ctx, err)
	}

	var announce string
	ready := make(chan struct{})
	if cmd.Stdin != nil {
		token := rand.Text()
		announce = "printf %s " + token + " >&2"
		filter := &tokenFilter{out: stderr, token: []byte(token), onToken: func() { close(ready) }}
		session.Stderr = filter
		defer filter.close()
	}
	c.requestAgent(session)
	text := StandardInput(cmd.Script, cmd.Args, announce)
	returned := make(chan struct{})
	defer close(returned)
	_, err = await(ctx, &c.pool.tasks, func() (struct{}, error) {
		if err := session.Start(commandLine); err != nil {
			return struct{}{}, err
		}
		c.pool.tasks.start(func() {
			_, _ = io.WriteString(stdin, text)
			copyStdin(stdin, cmd.Stdin, ready, returned)
		})
		return struct{}{}, session.Wait()
	}, nil)
	if ctx.Err() != nil && !scriptExited(err) {
		c.abandonSession(session)
	} else {
		session.Close()
	}
	var status *ssh.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &status):
		return status.ExitStatus(), nil
	}
	return 0, c.sessionError(ctx, err)
}

// scriptExited reports whether err, returned by ssh.Session.Wait, means that the script has exited.
func scriptExited(err error) bool {
	var status *ssh.ExitError
	return err == nil || errors.As(err, &status)
}

// copyStdin copies input to the script once ready is closed, which means that the shell has read
// the script. It gives up if returned is closed first.
func copyStdin(stdin io.WriteCloser, input io.Reader, ready, returned <-chan struct{}) {
	if input == nil {
		stdin.Close()
		return
	}
	select {
	case <-ready:
	case <-returned:
		return
	}
	// A Read may block forever, so nothing waits for this goroutine.
	go func() {
		_, _ = io.Copy(stdin, input)
		stdin.Close()
	}()
}

// sessionCloseTimeout is how long closing a session may take before the connection counts as lost.
const sessionCloseTimeout = 5 * time.Second

// abandonSession closes a session whose script is still running. On a dead network even that can
// block; the connection is closed in that case.
func (c *Conn) abandonSession(session *ssh.Session) {
	c.pool.tasks.start(func() {
		timer := time.AfterFunc(sessionCloseTimeout, func() {
			c.closeWithError(fmt.Errorf("a session did not close within %v", sessionCloseTimeout))
		})
		defer timer.Stop()
		session.Close()
	})
}

func (c *Conn) sessionError(ctx context.Context, err error) error {
	var refused *ssh.OpenChannelError
	var noStatus *ssh.ExitMissingError
	switch {
	case errors.As(err, &noStatus):
		err = fmt.Errorf("the session ended without an exit status: %w", io.ErrUnexpectedEOF)
	case errors.As(err, &refused) && ctx.Err() == nil:
		return &Error{
			Host: c.target.Name, Phase: "session", Kind: KindSession,
			Err: fmt.Errorf("the host rejected another session on this connection: %s", refused.Message),
			Fix: "raise MaxSessions in sshd_config(5) on the host",
		}
	}
	return c.errorFor(ctx, "session", err)
}
