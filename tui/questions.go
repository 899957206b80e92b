package tui

import (
	"cmp"
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Question is a yes-or-no question for the operator.
type Question struct {
	Title   string
	Lines   []string // safe to print
	Yes     string   // the label of the button that answers yes
	No      string   // the label of the other button; "" is No
	Choices []string // to choose from with yes, safe to print; nil if there is nothing to choose
}

// question is a question of a goroutine that waits for the answer: yes or no, or a secret.
type question struct {
	Question
	secret bool
	answer chan reply // holds one
}

type reply struct {
	text   string
	chosen int
	ok     bool
}

type (
	askMsg      struct{ *question }
	withdrawMsg struct{ *question } // the goroutine no longer waits for the answer
)

// Ask asks the operator for a secret, which is not shown. ok is false if the operator cancels or
// ctx is done.
func (t *Table) Ask(ctx context.Context, prompt string) (secret string, ok bool) {
	lines := []string{strings.TrimRight(prompt, ": "), "", "it is kept only in memory, while the table is open"}
	r := t.ask(ctx, &question{Question: Question{Title: "fleetctl asks for", Lines: lines, Yes: "Answer", No: "Cancel"}, secret: true})
	return r.text, r.ok
}

// Confirm asks the operator a question. It returns false if the operator cancels or ctx is done.
func (t *Table) Confirm(ctx context.Context, q Question) bool {
	return t.ask(ctx, &question{Question: q}).ok
}

// Choose asks the operator a question with choices, and returns the index of the chosen one. ok is
// false if the operator cancels or ctx is done.
func (t *Table) Choose(ctx context.Context, q Question) (chosen int, ok bool) {
	r := t.ask(ctx, &question{Question: q})
	return r.chosen, r.ok
}

func (t *Table) ask(ctx context.Context, q *question) reply {
	q.answer = make(chan reply, 1)
	t.program.Send(askMsg{q})
	select {
	case r := <-q.answer:
		return r
	case <-ctx.Done():
		t.program.Send(withdrawMsg{q})
	case <-t.done:
	}
	return reply{}
}

// questionQueue holds the questions that are not answered yet. The first may be on the screen.
type questionQueue struct{ waiting []*question }

func (q *questionQueue) add(one *question) { q.waiting = append(q.waiting, one) }

func (q *questionQueue) remove(one *question) {
	q.waiting = slices.DeleteFunc(q.waiting, func(other *question) bool { return other == one })
}

// next returns a dialog for the next question, or nil if there is none.
func (q *questionQueue) next() *dialog {
	if len(q.waiting) == 0 {
		return nil
	}
	one := q.waiting[0]
	d := &dialog{title: one.Title, lines: one.Lines, confirm: one.Yes, decline: cmp.Or(one.No, "No"), question: one}
	if one.secret {
		d.input, d.hidden = &input{}, true
	}
	d.noun = "choice"
	for _, text := range one.Choices {
		d.choices = append(d.choices, choice{text: text})
	}
	d.accept = func(text string) tea.Cmd { one.answer <- reply{text, d.chosen, true}; return nil }
	d.cancel = func() { one.answer <- reply{} }
	return d
}
