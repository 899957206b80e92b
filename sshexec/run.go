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

// Command is a POSIX sh script with its arguments.
type Command struct {
	Script string
	Args   []string  // "$@", byte for byte
	Stdin  io.Reader // what the script finds on standard input; nil is nothing
	Stdout io.Writer // nil discards
	Stderr io.Writer // nil discards
}

// Run gives a script to /bin/sh on the host and returns its exit status; a script that a signal ended has 128 and the
// signal's number. err is not nil only where the end of the script was not seen.
//
// Both streams are read whatever the writers do: a stream whose writer fails is discarded from there on, so a writer that
// can fail has to remember it. Nothing is written after Run has returned. When ctx ends, Run returns at once and
// closes the session; the host is not asked to kill anything. A Read of Stdin may still be under way then.
func (c *Conn) Run(ctx context.Context, cmd Command) (exit int, err error) {
	session, err := await(ctx, &c.pool.tasks, c.client.NewSession, func(late *ssh.Session) { late.Close() })
	if err != nil {
		return 0, c.sessionError(ctx, err)
	}
	out, errs := newSink(cmd.Stdout), newSink(cmd.Stderr)
	defer out.close()
	defer errs.close() // after what the gate still holds has gone through it
	session.Stdout, session.Stderr = out, errs
	stdin, err := session.StdinPipe()
	if err != nil {
		return 0, c.sessionError(ctx, err)
	}

	var token string
	ready := make(chan struct{})
	if cmd.Stdin != nil {
		token = rand.Text()
		gate := &tokenFilter{out: errs, token: []byte(token), onToken: func() { close(ready) }}
		session.Stderr = gate
		defer gate.close()
	}
	line, text := buildCommand(cmd.Script, cmd.Args, token)
	ended := make(chan struct{})
	defer close(ended)
	_, err = await(ctx, &c.pool.tasks, func() (struct{}, error) {
		if err := session.Start(line); err != nil {
			return struct{}{}, err
		}
		c.pool.tasks.start(func() { _, _ = io.WriteString(stdin, text); c.copyStdin(stdin, cmd.Stdin, ready, ended) })
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

// finished reports whether what Run waited for is the end of the script.
func scriptExited(err error) bool {
	var status *ssh.ExitError
	return err == nil || errors.As(err, &status)
}

// feed copies what follows the script, once the host has read that.
func (c *Conn) copyStdin(stdin io.WriteCloser, from io.Reader, ready, ended <-chan struct{}) {
	if from == nil {
		stdin.Close()
		return
	}
	select {
	case <-ready:
	case <-ended:
		return
	}
	// Nobody can be made to wait for a Read that may never return, so this goroutine is on its own. It ends with it.
	go func() {
		_, _ = io.Copy(stdin, from)
		stdin.Close()
	}()
}

// patienceWithSession is how long a session may take to be closed before the connection is taken for dead.
const sessionCloseTimeout = 5 * time.Second

// abandon closes a session that is still running. On a dead network even that can block, and then the connection has to go.
func (c *Conn) abandonSession(session *ssh.Session) {
	c.pool.tasks.start(func() {
		stuck := time.AfterFunc(sessionCloseTimeout, func() { c.closeWithError(errors.New("a session could not be closed")) })
		defer stuck.Stop()
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
		return &Error{Host: c.target.Name, Phase: "session", Kind: KindSession,
			Err:  fmt.Errorf("the host opens no further session on this connection: %s", refused.Message),
			Fix: "allow more of them: MaxSessions in sshd_config(5) on the host"}
	}
	return c.errorFor(ctx, "session", err)
}
