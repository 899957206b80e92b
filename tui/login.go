package tui

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// login is ssh with the terminal to itself.
type login struct{ *exec.Cmd }

// sshFailed is how ssh ends where it is ssh that failed, and not the last command of the shell.
const sshFailed = 255

// Run leaves what ssh complains of on the screen until it is read. It takes a moment in any case, as [aside] does.
func (l *login) Run() error {
	err := l.Cmd.Run()
	if l.ProcessState != nil && l.ProcessState.ExitCode() == sshFailed {
		fmt.Fprint(l.Stderr, "ssh has failed; enter goes back to the table ")
		_, _ = bufio.NewReader(l.Stdin).ReadString('\n')
	}
	time.Sleep(batchEvery)
	return err
}

func (l *login) SetStdin(r io.Reader)  { l.Stdin = r }
func (l *login) SetStdout(w io.Writer) { l.Stdout = w }
func (l *login) SetStderr(w io.Writer) { l.Stderr = w }
