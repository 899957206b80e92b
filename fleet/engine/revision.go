package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// gitDeadline bounds the operator's git: hosts wait for its answer.
const gitDeadline = 10 * time.Second

// pin is the commit of a run: one for all its hosts, even if somebody pushes meanwhile. The operator's git is asked first, then the hosts
// as they connect; the first answer is the run's.
type pin struct {
	local chan struct{} // closed when the operator's git has had its say

	mu    sync.Mutex
	known bool
	rev   string // "" leaves every checkout where it is
}

func newPin(rev string, noPull bool) *pin {
	return &pin{local: make(chan struct{}), known: rev != "" || noPull, rev: rev}
}

// get returns the commit, if there is one yet.
func (p *pin) get() (rev string, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rev, p.known
}

// offer makes rev the commit, unless another one was first.
func (p *pin) offer(rev string) (first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known {
		return false
	}
	p.rev, p.known = rev, true
	return true
}

// pinRevision asks the operator's git, while hosts connect. What it returns waits for that to be over.
func (r *run) pinRevision(ctx context.Context) (wait func()) {
	if _, known := r.revision.get(); known || r.engine.LocalGit == nil || r.plan.Remote == "" {
		close(r.revision.local)
		return func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, gitDeadline)
	go func() {
		defer close(r.revision.local)
		rev, err := r.engine.LocalGit(ctx, r.plan.Remote, r.plan.Branch)
		if err == nil && !fleet.IsCommit(rev) {
			err = fmt.Errorf("%q has no branch %q", r.plan.Remote, r.plan.Branch)
		}
		switch {
		case err == nil:
			r.pinned(rev)
		case ctx.Err() != context.Canceled:
			r.say("", fleet.StreamNote, clean.Line([]byte(fmt.Sprintf("the git here does not know the revision (%v): asking the hosts", err))))
		}
	}()
	return func() {
		cancel()
		<-r.revision.local
	}
}

func (r *run) pinned(rev string) {
	if r.revision.offer(rev) {
		r.events <- fleet.Event{Type: fleet.FactLearned, Key: fleet.FactRevision, Value: rev}
	}
}

// revisionFor returns the run's commit, asking the host for it where nobody has known it so far.
func (r *run) revisionFor(ctx context.Context, conn host.Conn, h *inventory.Host) (string, *fleet.Result, error) {
	select {
	case <-r.revision.local:
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
	if rev, known := r.revision.get(); known {
		return rev, nil, nil
	}
	header, err := host.BranchTip(ctx, conn, h, r.plan.Remote, r.plan.Branch)
	switch {
	case errors.Is(err, host.ErrSilent):
		return "", host.Silent(fleet.Pull, err), nil
	case err != nil:
		return "", nil, err
	case header.Word != "tip" || !fleet.IsCommit(header.Code):
		return "", host.Refused(fleet.Pull, header, h), nil
	}
	r.pinned(header.Code)
	rev, _ := r.revision.get()
	return rev, nil, nil
}
