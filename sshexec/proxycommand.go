package sshexec

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// proxyCommandDialer returns a function that opens transports by running a ProxyCommand.
func (p *Pool) proxyCommandDialer(t Target, s Settings) (dialFunc, error) {
	command, err := p.expandPercent(s.ProxyCommand, proxyCommandTokens, s)
	if err != nil {
		return nil, p.errorFor(t, "config", KindConfig, fmt.Errorf("ProxyCommand: %w", err))
	}
	return func(context.Context) (net.Conn, error) {
		conn, err := p.startProxyCommand(command)
		if err != nil {
			return nil, &Error{
				Host: t.Name, Phase: "proxy command", Kind: KindJump, Err: fmt.Errorf("%q: %w", command, err),
			}
		}
		return conn, nil
	}, nil
}

// commandConn is a connection over the standard input and output of a process. It does not support
// deadlines, but Close unblocks Read and Write.
type commandConn struct {
	stdin, stdout *os.File
	cmd           *exec.Cmd
	command       string
	stderr        stderrTail
	exited        chan struct{} // closed when the process has exited
	once          sync.Once
}

// exitError closes the connection and returns why the command failed: its standard error or, if
// that is empty, its exit status.
func (c *commandConn) exitError() error {
	c.Close()
	<-c.exited
	if message := c.stderr.String(); message != "" {
		return fmt.Errorf("%q failed: %s", c.command, message)
	}
	return fmt.Errorf("%q exited: %v", c.command, c.cmd.ProcessState)
}

// stderrTail keeps the end of a command's standard error.
type stderrTail struct {
	mu   sync.Mutex
	text []byte
}

func (t *stderrTail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-maxPreamble):]
	return len(p), nil
}

func (t *stderrTail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return sanitizeLine(t.text)
}

func (p *Pool) startProxyCommand(command string) (*commandConn, error) {
	childStdin, stdin, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer childStdin.Close()
	stdout, childStdout, err := os.Pipe()
	if err != nil {
		stdin.Close()
		return nil, err
	}
	defer childStdout.Close()
	// Like ssh, run the command with exec from the user's shell (ssh_config(5), ProxyCommand).
	shell := cmp.Or(p.options.Getenv("SHELL"), "/bin/sh")
	cmd := exec.Command(shell, "-c", "exec "+strings.TrimPrefix(command, "exec "))
	cmd.Stdin, cmd.Stdout = childStdin, childStdout
	// Ctrl-C in the terminal must not reach the command.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// Its children may hold standard error open.
	cmd.WaitDelay = time.Second
	c := &commandConn{stdin: stdin, stdout: stdout, cmd: cmd, command: command, exited: make(chan struct{})}
	cmd.Stderr = &c.stderr
	if err := cmd.Start(); err != nil {
		stdin.Close()
		stdout.Close()
		return nil, err
	}
	wait := func() { _ = cmd.Wait(); close(c.exited) }
	if !p.tasks.start(wait) {
		c.Close()
		wait()
		return nil, errClosed
	}
	return c, nil
}

func (c *commandConn) Read(b []byte) (int, error)  { return c.stdout.Read(b) }
func (c *commandConn) Write(b []byte) (int, error) { return c.stdin.Write(b) }

func (c *commandConn) Close() error {
	c.once.Do(func() {
		c.stdin.Close()
		c.stdout.Close()
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGTERM)
	})
	return nil
}

func (c *commandConn) LocalAddr() net.Addr              { return commandAddr{} }
func (c *commandConn) RemoteAddr() net.Addr             { return commandAddr{} }
func (c *commandConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (c *commandConn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (c *commandConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

type commandAddr struct{}

func (commandAddr) Network() string { return "proxycommand" }
func (commandAddr) String() string  { return "proxycommand" }
