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

// gitTimeout bounds the operator's git, because hosts wait for its answer.
const gitTimeout = 10 * time.Second

// pinnedRevision is the commit of a run: one for all hosts, even if the branch moves meanwhile. The
// operator's git is asked first, then the hosts as they connect. The first answer counts.
type pinnedRevision struct {
	localDone chan struct{} // closed when the operator's git has answered or failed

	mu    sync.Mutex
	known bool
	rev   string // "" leaves every checkout as it is
}

func newPinnedRevision(rev string, noPull bool) *pinnedRevision {
	return &pinnedRevision{localDone: make(chan struct{}), known: rev != "" || noPull, rev: rev}
}

// get returns the commit, if it is known yet.
func (p *pinnedRevision) get() (rev string, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rev, p.known
}

// set pins rev unless another commit was pinned before.
func (p *pinnedRevision) set(rev string) (pinned bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known {
		return false
	}
	p.rev, p.known = rev, true
	return true
}

// pinFromLocalGit asks the operator's git while hosts connect. The returned function stops that and
// waits for it.
func (r *run) pinFromLocalGit(ctx context.Context) (stop func()) {
	if _, known := r.revision.get(); known || r.engine.LocalGit == nil || r.plan.Remote == "" {
		close(r.revision.localDone)
		return func() {}
	}
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	go func() {
		defer close(r.revision.localDone)
		rev, err := r.engine.LocalGit(ctx, r.plan.Remote, r.plan.Branch)
		if err == nil && !fleet.IsCommit(rev) {
			err = fmt.Errorf("%q has no branch %q", r.plan.Remote, r.plan.Branch)
		}
		switch {
		case err == nil:
			r.pin(rev)
		case ctx.Err() != context.Canceled:
			r.logLine("", fleet.StreamNote, clean.Line([]byte(fmt.Sprintf("cannot read the fleet's branch (%v): asking the hosts", err))))
		}
	}()
	return func() {
		cancel()
		<-r.revision.localDone
	}
}

func (r *run) pin(rev string) {
	if r.revision.set(rev) {
		r.send(fleet.Event{Type: fleet.FactLearned, Key: fleet.FactRevision, Value: rev})
	}
}

// revisionFor returns the run's commit. If it is not known yet, it asks the host. A result means
// that the host cannot say, an error that the connection was lost.
func (r *run) revisionFor(ctx context.Context, conn host.Conn, h *inventory.Host) (string, *fleet.Result, error) {
	select {
	case <-r.revision.localDone:
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
	if rev, known := r.revision.get(); known {
		return rev, nil, nil
	}
	header, err := host.BranchTip(ctx, conn, h, r.plan.Remote, r.plan.Branch)
	switch {
	case errors.Is(err, host.ErrNotRun):
		return "", host.ShellResult(fleet.Pull, err), nil
	case err != nil:
		return "", nil, err
	case header.Word != "tip" || !fleet.IsCommit(header.Code):
		return "", host.RefusalResult(fleet.Pull, header, h), nil
	}
	r.pin(header.Code)
	rev, _ := r.revision.get()
	return rev, nil, nil
}
