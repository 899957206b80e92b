package sshexec

import (
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

// wayByCommand opens transports by running a ProxyCommand, whose standard input and output are the connection.
func (p *Pool) proxyCommandDialer(t Target, s Settings) (dialFunc, error) {
	command, err := p.expandTokens(s.ProxyCommand, s)
	if err != nil {
		return nil, p.errorFor(t, "config", KindConfig, fmt.Errorf("ProxyCommand: %w", err))
	}
	return func(context.Context) (net.Conn, error) {
		conn, err := p.startProxyCommand(command)
		if err != nil {
			return nil, &Error{Host: t.Name, Phase: "proxy command", Kind: KindJump, Err: fmt.Errorf("%q: %w", command, err)}
		}
		return conn, nil
	}, nil
}

// commandConn is a connection made of a process. It knows no deadlines; closing it frees who reads or writes.
type commandConn struct {
	in, out *os.File
	cmd     *exec.Cmd
	command    string
	stderr  stderrTail
	exited   chan struct{} // closed when the process has
	once    sync.Once
}

// complaint is why the command was no connection: what it said, and how it ended.
func (c *commandConn) exitError() error {
	c.Close()
	<-c.exited
	if said := c.stderr.String(); said != "" {
		return fmt.Errorf("%q failed: %s", c.command, said)
	}
	return fmt.Errorf("%q ended: %v", c.command, c.cmd.ProcessState)
}

// tail keeps the end of what a command says on standard error.
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
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close()
	out, theirOut, err := os.Pipe()
	if err != nil {
		in.Close()
		return nil, err
	}
	defer theirOut.Close()
	// As ssh does: the user's shell gives way to the command.
	shell := orElse(p.options.Getenv("SHELL"), "/bin/sh")
	cmd := exec.Command(shell, "-c", "exec "+strings.TrimPrefix(command, "exec "))
	cmd.Stdin, cmd.Stdout = theirIn, theirOut
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // ctrl-c at the terminal is not the command's business
	cmd.WaitDelay = time.Second                           // for its standard error, which children may hold
	c := &commandConn{in: in, out: out, cmd: cmd, command: command, exited: make(chan struct{})}
	cmd.Stderr = &c.stderr
	if err := cmd.Start(); err != nil {
		in.Close()
		out.Close()
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

func (c *commandConn) Read(b []byte) (int, error)  { return c.out.Read(b) }
func (c *commandConn) Write(b []byte) (int, error) { return c.in.Write(b) }

func (c *commandConn) Close() error {
	c.once.Do(func() {
		c.in.Close()
		c.out.Close()
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
