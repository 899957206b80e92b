package tui

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	tea "charm.land/bubbletea/v2"
)

func (a *hostActions) shellUnavailable(r *row) string {
	switch {
	case a.options.Actions.Shell == nil:
		return "a shell is not available here"
	case r == nil:
		return noHost
	}
	return ""
}

// shell opens a shell on a host. The table releases the terminal until it exits.
func (a *hostActions) shell(host string) effect {
	cmd, err := a.options.Actions.Shell(host)
	if err != nil {
		return refusal(firstLine(err))
	}
	return inTerminal("ssh", &sshShell{terminalCommand{cmd}})
}

// inTerminal returns the effect of a command that has the terminal to itself. An exit status is the
// command's own business; other errors are shown after the name.
func inTerminal(name string, cmd tea.ExecCommand) effect {
	return run(tea.Exec(cmd, func(err error) tea.Msg {
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			return noticeMsg{text: name + ": " + err.Error(), bad: true}
		}
		return noticeMsg{}
	}))
}

// terminalCommand is a process that takes its streams from [tea.Exec].
type terminalCommand struct{ *exec.Cmd }

func (c terminalCommand) SetStdin(r io.Reader)  { c.Stdin = r }
func (c terminalCommand) SetStdout(w io.Writer) { c.Stdout = w }
func (c terminalCommand) SetStderr(w io.Writer) { c.Stderr = w }

// sshShell is an ssh process that has the terminal to itself.
type sshShell struct{ terminalCommand }

// sshFailed is the exit status of ssh if ssh itself failed, not the shell's last command.
const sshFailed = 255

// Run runs ssh and keeps its error messages on the screen until the operator has read them. It
// pauses like [aside].
func (s *sshShell) Run() error {
	err := s.Cmd.Run()
	if s.ProcessState != nil && s.ProcessState.ExitCode() == sshFailed {
		fmt.Fprint(s.Stderr, "ssh failed; press enter to return to the table ")
		_, _ = bufio.NewReader(s.Stdin).ReadString('\n')
	}
	time.Sleep(batchInterval)
	return err
}
