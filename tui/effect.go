package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// An effect is what a child of the [ui] asks for in response to a key or a message. The ui applies
// it; the zero effect asks for nothing.
type effect struct {
	closed bool    // the child is finished and leaves the screen
	notice notice  // to show in the footer
	cmd    tea.Cmd // to run
	dialog *dialog // to open
	action *action // to perform
}

// notice is a line in the footer that disappears after a few seconds.
type notice struct {
	text  string
	bad   bool
	shown time.Time
}

// noticeMsg carries a notice from the background. An empty one is ignored.
type noticeMsg notice

const noticeDuration = 6 * time.Second

func info(text string) effect { return effect{notice: notice{text: text}} }

func refusal(text string) effect { return effect{notice: notice{text: text, bad: true}} }

func run(cmd tea.Cmd) effect { return effect{cmd: cmd} }

// request returns a command that asks the owner for something in the background and shows its
// error, or done, in the footer.
func request(do func() error, done string) tea.Cmd {
	return background(func() tea.Msg {
		if err := do(); err != nil {
			return noticeMsg{text: err.Error(), bad: true}
		}
		return noticeMsg{text: done}
	})
}

// handle applies an effect and returns the command to run.
func (u *ui) handle(e effect) tea.Cmd {
	if e.notice.text != "" {
		u.notify(e.notice)
	}
	if e.dialog != nil {
		u.dialog = e.dialog
	}
	if e.action != nil {
		return u.perform(e.action)
	}
	return e.cmd
}

func (u *ui) notify(n notice) {
	n.shown = u.now
	u.notice = n
}
