package sshtest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// A Shell runs commands as sshd does for a client that did not request a terminal.
//
// A client that hangs up does not kill its command. The command's pipes are closed, so it gets
// SIGPIPE if it writes, and otherwise keeps running. The session ends once the command has exited
// and all its output is closed, including that of background processes. Only [Server.Close] kills
// commands, as a machine that shuts down does.
type Shell struct {
	Path string   // the login shell; "" means /bin/sh
	Dir  string   // the working directory; "" means this process's own
	Env  []string // the environment, without the client's variables; nil means this process's own
}

// Handle implements [Handler].
func (sh Shell) Handle(s *Session) int {
	path := sh.Path
	if path == "" {
		path = "/bin/sh"
	}
	cmd := exec.Command(path, "-c", s.Command)
	cmd.Dir = sh.Dir
	cmd.Env = append(append([]string(nil), sh.Env...), s.Env...)
	if sh.Env == nil {
		cmd.Env = append(os.Environ(), s.Env...)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, out, errs, err := startWithPipes(cmd)
	if err != nil {
		fmt.Fprintln(s.Stderr, err)
		return 255
	}

	var feeding, draining, command sync.WaitGroup
	feeding.Go(func() { _, _ = io.Copy(in, s.Stdin); in.Close() })
	draining.Go(func() { _, _ = io.Copy(s.Stdout, out); out.Close() })
	draining.Go(func() { _, _ = io.Copy(s.Stderr, errs); errs.Close() })
	command.Go(func() { _ = cmd.Wait(); s.sendExit(cmd.ProcessState) })
	hangUp := context.AfterFunc(s.Context, func() { in.Close(); out.Close(); errs.Close() })
	shutDown := context.AfterFunc(s.Server, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })

	command.Wait()
	draining.Wait()
	hangUp()
	shutDown()
	s.channel.Close() // ends feeding: no process reads further input
	feeding.Wait()
	return NoStatus // already sent, before waiting for background processes
}

// sendExit sends the exit status or signal of a process to the client (RFC 4254, section 6.10).
func (s *Session) sendExit(state *os.ProcessState) {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		signal := strings.TrimPrefix(unix.SignalName(status.Signal()), "SIG")
		_, _ = s.channel.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Signal     string
			CoreDumped bool
			Text, Lang string
		}{Signal: signal}))
		return
	}
	s.sendExitStatus(state.ExitCode())
}

// startWithPipes starts a command with a pipe for each stream. The caller must close the returned
// ends.
func startWithPipes(cmd *exec.Cmd) (in, out, errs *os.File, err error) {
	var files []*os.File
	for range 3 {
		r, w, pipeErr := os.Pipe()
		if pipeErr != nil {
			err = pipeErr
			break
		}
		files = append(files, r, w)
	}
	if err == nil {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[3], files[5]
		err = cmd.Start()
	}
	if err != nil {
		for _, f := range files {
			f.Close()
		}
		return nil, nil, nil, err
	}
	for _, child := range []int{0, 3, 5} {
		files[child].Close()
	}
	return files[1], files[2], files[4], nil
}
