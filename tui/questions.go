package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"
)

// question is something that a goroutine waits to hear from a person.
type question struct {
	prompt string
	answer chan reply // holds one
}

type reply struct {
	text string
	ok   bool
}

// nextQuestion asks what waits, once there is no other dialog.
func (u *ui) nextQuestion() {
	if u.dialog != nil || len(u.asked) == 0 {
		return
	}
	q := u.asked[0]
	u.dialog = &dialog{
		title: "a word from you", lines: []string{q.prompt}, yes: "Answer", input: &input{}, hidden: true,
		do:     func(u *ui, text string) tea.Cmd { u.answer(q, reply{text, true}); return nil },
		cancel: func(u *ui) { u.answer(q, reply{}) },
	}
}

func (u *ui) answer(q *question, r reply) {
	q.answer <- r
	u.asked = slices.DeleteFunc(u.asked, func(o *question) bool { return o == q })
}

// forget takes a question back: nobody waits for the answer any more.
func (u *ui) forget(q *question) {
	if len(u.asked) > 0 && u.asked[0] == q && u.dialog != nil && u.dialog.hidden {
		u.dialog = nil
	}
	u.asked = slices.DeleteFunc(u.asked, func(o *question) bool { return o == q })
	u.nextQuestion()
}
