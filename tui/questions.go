package tui

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Question is something to be decided by a person.
type Question struct {
	Title string
	Lines []string // clean text
	Yes   string   // what the button says
}

// question is one that a goroutine waits to hear the answer to: yes or no, or something to be typed that does not show.
type question struct {
	Question
	secret bool
	answer chan reply // holds one
}

type reply struct {
	text string
	ok   bool
}

// Ask has a person type something that does not show. ok is false where they did not want to, or ctx ended.
func (t *Table) Ask(ctx context.Context, prompt string) (secret string, ok bool) {
	lines := []string{strings.TrimRight(prompt, ": "), "", "it is kept in memory alone, while the table is open"}
	r := t.ask(ctx, &question{Question: Question{Title: "fleetctl asks for", Lines: lines, Yes: "Answer"}, secret: true})
	return r.text, r.ok
}

// Confirm has a person decide. Where they do not want to, or ctx ends, that is a no.
func (t *Table) Confirm(ctx context.Context, q Question) bool {
	return t.ask(ctx, &question{Question: q}).ok
}

func (t *Table) ask(ctx context.Context, q *question) reply {
	q.answer = make(chan reply, 1)
	t.program.Send(askMsg{q})
	select {
	case r := <-q.answer:
		return r
	case <-ctx.Done():
		t.program.Send(unaskMsg{q})
	case <-t.ended:
	}
	return reply{}
}

// nextQuestion asks what waits, once a person is not busy with something else.
func (u *ui) nextQuestion() {
	if u.dialog != nil || u.prompt != nil || u.commands != nil || len(u.asked) == 0 {
		return
	}
	q := u.asked[0]
	d := &dialog{title: q.Title, lines: q.Lines, yes: q.Yes, question: q}
	if q.secret {
		d.input, d.hidden = &input{}, true
	}
	d.do = func(u *ui, text string) tea.Cmd { u.answer(q, reply{text, true}); return nil }
	d.cancel = func(u *ui) { u.answer(q, reply{}) }
	u.dialog = d
}

func (u *ui) answer(q *question, r reply) {
	q.answer <- r
	u.asked = slices.DeleteFunc(u.asked, func(o *question) bool { return o == q })
}

// forget takes a question back: nobody waits for the answer any more.
func (u *ui) forget(q *question) {
	if u.dialog != nil && u.dialog.question == q {
		u.dialog = nil
	}
	u.asked = slices.DeleteFunc(u.asked, func(o *question) bool { return o == q })
	u.nextQuestion()
}
