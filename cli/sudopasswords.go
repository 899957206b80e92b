package cli

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// sudoPasswords prompts for sudo's password: once for all hosts that ask for it at about the same
// time, and again for those that ask later. A prompt names every host that gets what is typed, and
// no host gets a password otherwise.
type sudoPasswords struct {
	prompt passwordPrompt
	gather time.Duration // how long the first host waits for others
	busy   chan struct{} // holds one element while a prompt is active

	mu       sync.Mutex
	waiting  []*sudoRequest
	given    map[string]string // what each host got last
	last     string            // what was typed last; "" is nothing
	declined bool              // ctrl-c at one prompt declines all
}

// sudoRequest is a host that waits for a password.
type sudoRequest struct {
	host   string
	again  bool            // sudo has rejected the last one
	answer chan sudoAnswer // gets one value; buffered
}

type sudoAnswer struct {
	password string
	err      error
}

// gatherTime is long enough for hosts that start at the same time to ask.
const gatherTime = 300 * time.Millisecond

func newSudoPasswords(prompt passwordPrompt) *sudoPasswords {
	return &sudoPasswords{prompt: prompt, gather: gatherTime, busy: make(chan struct{}, 1), given: make(map[string]string)}
}

// password returns a password for a host. again means that sudo rejected the last one.
func (s *sudoPasswords) password(ctx context.Context, host string, again bool) (string, error) {
	s.mu.Lock()
	given, ok := s.given[host]
	request := &sudoRequest{host, again, make(chan sudoAnswer, 1)}
	switch {
	case s.declined:
		s.mu.Unlock()
		return "", errDeclined
	case ok && !again:
		s.mu.Unlock()
		return given, nil
	}
	s.waiting = append(s.waiting, request)
	s.mu.Unlock()
	select {
	case a := <-request.answer:
		return a.password, a.err
	case <-ctx.Done():
		s.remove(request)
		return "", context.Cause(ctx)
	case s.busy <- struct{}{}: // this host prompts for all that wait
		defer func() { <-s.busy }()
	}
	select {
	case a := <-request.answer: // the previous prompt was for this host, too
		return a.password, a.err
	case <-ctx.Done():
		s.remove(request)
		return "", context.Cause(ctx)
	case <-time.After(s.gather):
	}
	s.promptAll(ctx)
	select {
	case a := <-request.answer:
		return a.password, a.err
	default:
		s.remove(request)
		return "", context.Cause(ctx)
	}
}

func (s *sudoPasswords) remove(r *sudoRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(other *sudoRequest) bool { return other == r })
}

// promptAll prompts for the hosts that wait, and answers them. If ctx ends, they continue to wait.
func (s *sudoPasswords) promptAll(ctx context.Context) {
	s.mu.Lock()
	asking, declined := slices.Clone(s.waiting), s.declined
	text, reuse := s.text(asking)
	s.mu.Unlock()
	password, err := "", errDeclined
	if !declined {
		password, err = s.prompt(ctx, text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && ctx.Err() != nil {
		return
	}
	if password == "" && reuse {
		password = s.last
	}
	s.declined = s.declined || errors.Is(err, errDeclined)
	for _, r := range asking {
		if err == nil {
			s.given[r.host] = password
		}
		r.answer <- sudoAnswer{password, err}
	}
	if err == nil {
		s.last = password
	}
	s.waiting = slices.DeleteFunc(s.waiting, func(r *sudoRequest) bool { return slices.Contains(asking, r) })
}

// text returns the prompt for some hosts, and whether an empty answer stands for the last password
// that was typed. It does not if one of them has rejected that.
func (s *sudoPasswords) text(asking []*sudoRequest) (text string, reuse bool) {
	var hosts, rejecting []string
	reuse = s.last != ""
	for _, r := range asking {
		hosts = append(hosts, r.host)
		if r.again {
			rejecting = append(rejecting, r.host)
			reuse = reuse && s.given[r.host] != s.last
		}
	}
	text = "sudo password for " + strings.Join(hosts, ", ")
	switch len(rejecting) {
	case 0:
	case len(hosts):
		text += " (the last one was wrong)"
	default:
		text += " (the last one was wrong on " + strings.Join(rejecting, ", ") + ")"
	}
	if reuse {
		text += " (enter: the same as before)"
	}
	return text + ": ", reuse
}
