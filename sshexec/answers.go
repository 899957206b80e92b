package sshexec

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Passwords and keyboard-interactive authentication (RFC 4252, section 8, and RFC 4256).

// loginAnswers holds what the operator answered to log in to a host under one name. Later logins
// reuse the answers, so that each question is asked once. If the host rejected them, or the
// operator declined to answer, no later login asks again.
type loginAnswers struct {
	turn     chan struct{} // holds one element while a login uses the fields below
	byPrompt map[string]string
	err      error // why no login asks anymore
}

// answersFor returns the answers for a login name on a host.
func (p *Pool) answersFor(s Settings) *loginAnswers {
	name, _ := knownHostsName(s)
	key := strings.Join([]string{s.User, name, s.Address(), s.ProxyJump, s.ProxyCommand}, " ")
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.answers[key]
	if a == nil {
		a = &loginAnswers{turn: make(chan struct{}, 1)}
		p.answers[key] = a
	}
	return a
}

// promptMethod returns a method that asks the operator, once no other login to the host is asking.
// The login keeps its turn until finishAnswers.
func (h *handshake) promptMethod(method string) (ssh.AuthMethod, error) {
	s := h.settings
	switch {
	case s.BatchMode:
		return nil, h.promptError(method, errors.New("BatchMode does not allow prompts"))
	case !h.pool.canPrompt():
		return nil, h.promptError(method, errNoTerminal)
	}
	if h.answers == nil {
		a := h.pool.answersFor(s)
		defer h.waitForOperator()()
		select {
		case a.turn <- struct{}{}:
			h.answers = a
		case <-h.ctx.Done():
			return nil, context.Cause(h.ctx)
		}
		h.answered = make(map[string]string)
	}
	if h.answers.err != nil {
		return nil, h.answers.err
	}
	if method == "password" {
		return ssh.PasswordCallback(func() (string, error) {
			return h.answer(fmt.Sprintf("password for %s@%s: ", s.User, s.Alias))
		}), nil
	}
	return ssh.KeyboardInteractive(func(name, instruction string, questions []string, _ []bool) ([]string, error) {
		about := sanitizeLine(fmt.Appendf(nil, "%.200s %.400s", name, instruction))
		if len(questions) == 0 && about != "" {
			h.pool.options.Log("%s: %s", s.Alias, about)
		}
		var answers []string
		for _, question := range questions {
			// The host's text, like what ssh shows. Answers are never echoed.
			prompt := sanitizeLine(fmt.Appendf(nil, "(%s@%s) %s %.400s", s.User, s.Alias, about, question))
			answer, err := h.answer(prompt + " ")
			if err != nil {
				return nil, err
			}
			answers = append(answers, answer)
		}
		return answers, nil
	}), nil
}

// answer returns the answer to a prompt. A prompt that the host repeats in the same login means
// that it rejected the last answer.
func (h *handshake) answer(prompt string) (string, error) {
	if _, repeated := h.answered[prompt]; !repeated {
		if answer, ok := h.answers.byPrompt[prompt]; ok {
			h.answered[prompt] = answer
			return answer, nil
		}
	}
	defer h.waitForOperator()()
	answer, err := h.pool.promptSecret(h.ctx, prompt)
	if err != nil {
		h.promptErr = err
		return "", err
	}
	h.answered[prompt] = answer
	return answer, nil
}

// waitForOperator stops the clock of the login and lets other logins have its slot, until the
// returned function is called.
func (h *handshake) waitForOperator() (resume func()) {
	h.timer.pause()
	h.releaseSlot()
	return h.timer.resume
}

// finishAnswers records the outcome of a login that may have asked the operator, and ends its turn.
// It reports whether the connection was lost with answers that the host did not judge, so that
// another login can use them: a server does not wait long for its answer.
func (h *handshake) finishAnswers(err error) (unjudged bool) {
	a := h.answers
	if a == nil {
		return false
	}
	defer func() { <-a.turn }()
	var failure *Error
	switch {
	case a.err != nil:
	case err == nil:
		a.byPrompt = h.answered
	case h.ctx.Err() != nil:
	case errors.As(err, &failure) && failure.Kind == KindAuth:
		a.byPrompt, a.err = nil, failure
	case isTooManyFailures(err):
		a.byPrompt, a.err = nil, h.answersRejected()
	case len(h.answered) > 0:
		a.byPrompt = h.answered
		return true
	}
	return false
}

// promptError returns the error for a host that only accepts what needs a prompt.
func (h *handshake) promptError(method string, reason error) *Error {
	e := h.authError(fmt.Errorf("%s asks for a password (%s): %w", h.settings.Address(), method, reason))
	e.Fix = fmt.Sprintf("run this at a terminal, or let %s log in with a key: ssh-copy-id %s, "+
		"and PubkeyAuthentication yes in sshd_config(5) on the host", h.settings.User, h.target.Name)
	return e
}

// answersRejected returns the error for a login whose answers the host rejected.
func (h *handshake) answersRejected() *Error {
	e := h.authError(fmt.Errorf("%s rejected the password of %s", h.settings.Address(), h.settings.User))
	if h.promptErr != nil {
		e.Err = fmt.Errorf("%s asks for the password of %s: %w", h.settings.Address(), h.settings.User, h.promptErr)
	}
	e.Fix = fmt.Sprintf("check the password and the user, or let %s log in with a key: ssh-copy-id %s",
		h.settings.User, h.target.Name)
	return e
}
