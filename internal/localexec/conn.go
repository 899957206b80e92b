package localexec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/markus-barta/nixfleet/sshexec"
)

// A Conn stands for one login on this machine. It is safe for concurrent use, and any number of
// scripts can run on it at once.
type Conn struct {
	host, dir string
	env       []string
	ctx       context.Context // canceled by Close
	cancel    context.CancelCauseFunc
}

var errClosed = errors.New("the connection is closed")

// New returns a Conn whose scripts run in a directory with an environment, except for variables
// that would be untrue there; see [Environment]. host is the machine's name in messages. The caller
// must close the Conn.
func New(host, dir string, environ []string) *Conn {
	c := &Conn{host: host, dir: dir, env: Environment(environ)}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	return c
}

// Close hangs up all scripts that are running.
func (c *Conn) Close() error {
	c.cancel(errClosed)
	return nil
}

// Environment returns an environment without the variables that describe the shell it comes from
// and not the user: the SSH connection of that shell, and the repository that git runs a hook for.
func Environment(environ []string) []string {
	// Those of git are what git rev-parse --local-env-vars prints.
	stale := []string{"SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX",
		"GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS",
		"GIT_CONFIG_COUNT", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE",
		"GIT_SHALLOW_FILE", "GIT_INTERNAL_SUPER_PREFIX"}
	return slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(stale, name)
	})
}

// DialContext opens a connection from this machine.
func (c *Conn) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// Run runs a script and returns its exit status, which is 128 plus the signal number if a signal
// ended the script. The error is non-nil only if Run did not see the script exit.
//
// As over SSH, Run returns when the script has exited and no process holds its output any longer.
// It discards the rest of a stream if its writer returns an error, and writes nothing after it has
// returned. If ctx is done, Run returns immediately, although a Read of Stdin may still be in
// progress. Then the script and its children get a hang-up, as from a terminal that closes. A
// script that ignores it continues, for example to start a job.
func (c *Conn) Run(ctx context.Context, cmd sshexec.Command) (exitStatus int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) })()
	if ctx.Err() != nil {
		return 0, c.errorFor(ctx, nil)
	}
	s, err := c.start()
	if err != nil {
		return 0, c.errorFor(ctx, err)
	}
	defer s.close()

	go s.feed(sshexec.StandardInput(cmd.Script, cmd.Args, "exec 3>&-"), cmd.Stdin)
	var output sync.WaitGroup
	output.Go(func() { pass(cmd.Stdout, s.stdout) })
	output.Go(func() { pass(cmd.Stderr, s.stderr) })
	hangUp := context.AfterFunc(ctx, func() {
		s.stdout.Close()
		s.stderr.Close()
	})
	output.Wait()
	if hangUp() {
		select {
		case <-s.exited:
			return s.exitStatus(), nil
		case <-ctx.Done():
		}
	}
	select {
	case <-s.exited:
		return s.exitStatus(), nil
	default:
	}
	// Nothing waits for a script that ignores this: what it does is meant to outlive fleetctl.
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGHUP)
	return 0, c.errorFor(ctx, nil)
}

// session is a script that runs, and this side's ends of its pipes.
type session struct {
	cmd            *exec.Cmd
	stdin          *os.File
	stdout, stderr *os.File
	// at its end once the shell, which has the other end as number 3, has read the script
	ready  *os.File
	exited chan struct{} // closed when the shell has exited
}

// start starts a shell with a session of its own: it has no terminal that sudo or git could ask on,
// and no interrupt from the keyboard reaches it. A goroutine waits for the shell and ends with it.
func (c *Conn) start() (*session, error) {
	var ours, theirs []*os.File
	closeAll := func(files []*os.File) {
		for _, f := range files {
			f.Close()
		}
	}
	for _, input := range []bool{true, false, false, false} {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(append(ours, theirs...))
			return nil, err
		}
		if input {
			r, w = w, r
		}
		ours, theirs = append(ours, r), append(theirs, w)
	}
	cmd := exec.Command("/bin/sh", "-s")
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = theirs[0], theirs[1], theirs[2], theirs[3:]
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err := cmd.Start()
	closeAll(theirs)
	if err != nil {
		closeAll(ours)
		return nil, err
	}
	s := &session{cmd: cmd, stdin: ours[0], stdout: ours[1], stderr: ours[2], ready: ours[3], exited: make(chan struct{})}
	go func() {
		defer close(s.exited)
		_ = cmd.Wait() // the state has the exit status
	}()
	return s, nil
}

// feed writes the script to the shell, and then its input.
func (s *session) feed(text string, input io.Reader) {
	defer s.stdin.Close()
	if _, err := io.WriteString(s.stdin, text); err != nil || input == nil {
		return
	}
	if _, err := io.Copy(io.Discard, s.ready); err == nil {
		_, _ = io.Copy(s.stdin, input)
	}
}

func (s *session) close() {
	for _, f := range []*os.File{s.stdin, s.stdout, s.stderr, s.ready} {
		f.Close()
	}
}

// exitStatus returns the exit status of a shell that has exited.
func (s *session) exitStatus() int {
	if status, ok := s.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return s.cmd.ProcessState.ExitCode()
}

// pass copies a stream to a writer until a write fails, and discards the rest.
func pass(out io.Writer, in io.Reader) {
	if out != nil {
		_, _ = io.Copy(out, in)
	}
	_, _ = io.Copy(io.Discard, in)
}

// errorFor returns the error of a script that did not start, because of err, or was not seen to
// exit.
func (c *Conn) errorFor(ctx context.Context, err error) error {
	e := &sshexec.Error{Host: c.host, Phase: "session", Kind: sshexec.KindLocal}
	switch {
	case err == nil && errors.Is(context.Cause(ctx), errClosed):
		e.Kind, e.Err = sshexec.KindLost, errClosed
	case err == nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Kind, e.Err = sshexec.KindTimeout, context.Cause(ctx)
	case err == nil:
		e.Kind, e.Err = sshexec.KindStopped, context.Cause(ctx)
	default:
		e.Err = fmt.Errorf("cannot start /bin/sh on this machine: %w", err)
		for _, shortage := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EAGAIN, syscall.ENOMEM} {
			if errors.Is(err, shortage) {
				e.Kind, e.Fix = sshexec.KindShortage, "close other programs, or raise the limits of files and processes (ulimit -n, ulimit -u)"
			}
		}
	}
	return e
}
