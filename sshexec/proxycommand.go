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
func (p *Pool) wayByCommand(t Target, s Settings) (dialFunc, error) {
	command, err := p.tokens(s.ProxyCommand, s)
	if err != nil {
		return nil, p.fail(t, "config", Config, fmt.Errorf("ProxyCommand: %w", err))
	}
	return func(context.Context) (net.Conn, error) {
		conn, err := p.startCommand(command)
		if err != nil {
			return nil, &Error{Host: t.Name, Phase: "proxy command", Kind: Jump, Err: fmt.Errorf("%q: %w", command, err)}
		}
		return conn, nil
	}, nil
}

// commandConn is a connection made of a process. It knows no deadlines; closing it frees who reads or writes.
type commandConn struct {
	in, out *os.File
	cmd     *exec.Cmd
	text    string
	stderr  tail
	ended   chan struct{} // closed when the process has
	once    sync.Once
}

// complaint is why the command was no connection: what it said, and how it ended.
func (c *commandConn) complaint() error {
	c.Close()
	<-c.ended
	if said := c.stderr.String(); said != "" {
		return fmt.Errorf("%q failed: %s", c.text, said)
	}
	return fmt.Errorf("%q ended: %v", c.text, c.cmd.ProcessState)
}

// tail keeps the end of what a command says on standard error.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-longestGreeting):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return oneLine(t.text)
}

func (p *Pool) startCommand(command string) (*commandConn, error) {
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
	c := &commandConn{in: in, out: out, cmd: cmd, text: command, ended: make(chan struct{})}
	cmd.Stderr = &c.stderr
	if err := cmd.Start(); err != nil {
		in.Close()
		out.Close()
		return nil, err
	}
	wait := func() { _ = cmd.Wait(); close(c.ended) }
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
