package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/hint"
)

// gitTimeout bounds the operator's git.
const gitTimeout = 20 * time.Second

// LocalGit returns the commit of a ref, or of a branch, a tag or an abbreviated commit, as the
// operator's git sees it. It returns the zero value if there is none, and an error if git cannot
// find out.
type LocalGit func(ctx context.Context, from fleet.Source, name string) (fleet.Revision, error)

// UnreadableError reports that the operator's git cannot read the tip of the fleet's branch. It
// says nothing about the branch.
type UnreadableError struct{ Err error }

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("cannot read the fleet's branch: %v", e.Err)
}

func (e *UnreadableError) Unwrap() error { return e.Err }

// Hint returns the hint of the cause, or how to do without that git.
func (e *UnreadableError) Hint() string {
	if h := hint.Of(e.Err); h != "" {
		return h
	}
	return "name the commit to deploy: --rev with its 40 hex digits; or let git on this machine read the remote"
}

// LookUp returns the commit that a plan deploys to all hosts: one for the whole run, even if the
// branch moves meanwhile. It is empty if no host pulls. Only the operator and the operator's git
// decide what it is, because a host could choose the commit of all others otherwise.
//
// If that git cannot be asked, the error is an [UnreadableError].
func LookUp(ctx context.Context, git LocalGit, p *fleet.Plan) (fleet.Revision, error) {
	name := p.Lookup()
	if name == "" {
		return p.Pinned, nil
	}
	rev, err := git.ask(ctx, p.Source(), name)
	switch {
	case err == nil && fleet.IsCommit(rev.Commit):
		return rev, nil
	case err != nil && p.Rev == "":
		return rev, &UnreadableError{err}
	case err == nil && p.Rev == "":
		return rev, hint.Errorf("push the branch, or set branch in [fleet]", "the fleet's remote has no branch %q", p.Branch)
	case err == nil:
		err = errors.New("no such branch, tag or commit")
	}
	return rev, hint.Errorf("to name a commit, use its full hash, 40 hex digits", "cannot look up %q: %w", p.Rev, err)
}

func (git LocalGit) ask(ctx context.Context, from fleet.Source, name string) (fleet.Revision, error) {
	if git == nil {
		return fleet.Revision{}, errors.New("there is no git on this machine")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, gitTimeout, fmt.Errorf("git has not answered within %v", gitTimeout))
	defer cancel()
	rev, err := git(ctx, from, name)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return rev, err
}
