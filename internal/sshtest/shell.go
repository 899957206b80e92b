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

// Shell runs commands as sshd does for a client that asked for no terminal.
//
// A client that hangs up kills nothing: the command's pipes are closed, so that one which writes gets SIGPIPE and one
// which does not lives on. The session ends when the command has ended and everyone has closed its output, as children
// in the background may not have. Only [Server.Close] kills, as a machine does that shuts down.
type Shell struct {
	Path string   // the login shell; "" is /bin/sh
	Dir  string   // where the command starts
	Env  []string // its whole environment, but for what the client asks to have set; nil is this process's own
}

// Handle is a [Handler].
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
	s.channel.Close() // nobody reads what the client may still send
	feeding.Wait()
	return NoStatus // it has been told, before its children were waited for
}

// ended tells the client how a process ended.
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

// start starts a command with pipes of which the caller holds, and has to close, one end each.
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
	for _, theirs := range []int{0, 3, 5} {
		files[theirs].Close()
	}
	return files[1], files[2], files[4], nil
}
