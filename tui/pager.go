package tui

import (
	"io"
	"os/exec"
	"time"

	tea "charm.land/bubbletea/v2"
)

// Page is a text for the operator's pager: lines or, if they are nil, a log from the record of a
// run.
type Page struct {
	Lines []Text
	Run   string // "" is the newest run of the host
	Host  string // "" is every host of the run
}

// pagerUnavailable returns why no pager can be opened, or "".
func (u *ui) pagerUnavailable() string {
	if u.options.Actions.Pager == nil {
		return "a pager is not available here"
	}
	return ""
}

// openPager shows the log that is shown, whole, in the operator's pager.
func (u *ui) openPager() effect {
	cmd, err := u.options.Actions.Pager(u.wholeLog())
	if err != nil {
		return refusal(firstLine(err))
	}
	return inTerminal("pager", &pagerCommand{cmd})
}

// wholeLog returns all of the log or text that is shown. If the buffer lacks lines, it is the log
// in the record.
func (u *ui) wholeLog() Page {
	p := u.pane()
	switch {
	case u.runsPage.open && u.runsPage.tab == reportTab && u.runsPage.current() != nil:
		return Page{Run: u.runsPage.current().Run}
	case u.runsPage.open:
		return Page{Lines: p.buffer.texts()}
	case u.page.row == nil && u.logs.onReport && u.logs.report.run != "":
		return Page{Run: u.logs.report.run}
	case p.record.host == "" || len(p.buffer.lines) > 0 && p.buffer.first() == 0:
		return Page{Lines: p.buffer.texts()}
	case p.page != nil:
		return Page{Run: p.page.run, Host: p.record.host}
	}
	return Page{Run: p.record.run, Host: p.record.host}
}

// texts returns all lines that are kept.
func (b *logBuffer) texts() []Text {
	texts := make([]Text, 0, len(b.lines))
	for n := b.first(); n < b.next; n++ {
		l := b.line(n)
		text := l.text
		if l.host != "" {
			text = l.host + "  " + text
		}
		texts = append(texts, Text{l.stream, text})
	}
	return texts
}

// pagerCommand is a pager, which reads the text from standard input and keys from the terminal.
type pagerCommand struct{ *exec.Cmd }

func (pagerCommand) SetStdin(io.Reader)      {}
func (c pagerCommand) SetStdout(w io.Writer) { c.Stdout = w }
func (c pagerCommand) SetStderr(w io.Writer) { c.Stderr = w }

// Run runs the pager. It pauses like [aside].
func (c *pagerCommand) Run() error {
	err := c.Cmd.Run()
	time.Sleep(batchInterval)
	return err
}

// Edited is what has become of the inventory in the operator's editor.
type Edited struct {
	Name     string   // of the file
	Changed  bool     // its text is another
	Findings []string // safe to print; nil if it is valid
}

// editorClosedMsg reports that the editor has exited.
type editorClosedMsg struct{ read func() (Edited, error) }

// editedMsg is what has become of the inventory.
type editedMsg struct {
	Edited
	err error
}

func (u *ui) editUnavailable() string {
	if u.options.Actions.Edit == nil {
		return "editing the inventory is not available here"
	}
	return ""
}

// edit opens the inventory in the operator's editor.
func (u *ui) edit() effect {
	cmd, read, err := u.options.Actions.Edit()
	if err != nil {
		return refusal(firstLine(err))
	}
	return run(tea.Exec(&editorCommand{terminalCommand{cmd}}, func(err error) tea.Msg {
		if err != nil {
			return noticeMsg{text: "editor: " + err.Error(), bad: true}
		}
		return editorClosedMsg{read}
	}))
}

// editorCommand is an editor that has the terminal to itself.
type editorCommand struct{ terminalCommand }

// Run runs the editor. It pauses like [aside].
func (c *editorCommand) Run() error {
	err := c.Cmd.Run()
	time.Sleep(batchInterval)
	return err
}

// readAgain reads the inventory again after the editor has exited.
func readAgain(msg editorClosedMsg) effect {
	return run(background(func() tea.Msg {
		edited, err := msg.read()
		return editedMsg{edited, err}
	}))
}

// edited shows the findings about the inventory. If there are none and it has changed, the table is
// opened again with the new one. The table has the same inventory as long as it is open: hosts are
// not exchanged below a run.
func (u *ui) edited(msg editedMsg) effect {
	switch active := u.runs.activeCount() + len(u.hosts.activities()); {
	case msg.err != nil:
		return refusal(firstLine(msg.err))
	case len(msg.Findings) > 0:
		return effect{dialog: &dialog{
			title: plural(len(msg.Findings), "problem") + " in " + msg.Name, lines: append(msg.Findings, "", "the table keeps the inventory as it was"),
			confirm: "Edit again", decline: "Leave it", onYes: true, accept: func(string) tea.Cmd { return u.handle(u.edit()) },
		}}
	case !msg.Changed:
		return info(msg.Name + " is as it was")
	case active > 0:
		return info(msg.Name + " is valid; close the table and open it again to use it, once the run has finished")
	}
	u.reopen = true
	return run(tea.Quit)
}
