package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/internal/hint"
)

// Cancel ends what has not started to activate, even while another process owns the run: it ends
// jobs on their hosts, and keeps waiting hosts from starting. It calls sink with each host's
// answer, one call at a time. The outcomes are reported by the run's owner, or by Attach. An error
// means that some hosts could not be asked.
func (e *Engine) Cancel(ctx context.Context, rec *record.Record, inv *inventory.Inventory, sink func(host, answer string)) error {
	// Ask the owner first, so that it starts no host that is not in the list below.
	if err := rec.RequestCancel(); err != nil {
		return err
	}
	state, err := rec.State()
	if err != nil {
		return err
	}
	rollback, err := e.runningRollback(state)
	if err != nil {
		return err
	}
	if state.Settled() && rollback == nil {
		return fmt.Errorf("run %s has finished: there is nothing to cancel", rec.Run)
	}
	var hosts []*inventory.Host
	missed := 0
	for _, hs := range state.Hosts {
		h := inv.Host(hs.Name)
		switch {
		case hs.Settled():
		case hs.Phase == fleet.Waiting, hs.Facts[fleet.FactAway] == fleet.Yes:
			sink(hs.Name, "not started, and will not be")
		case h == nil:
			sink(hs.Name, fmt.Sprintf("not in %q anymore", inv.Path))
			missed++
		default:
			hosts = append(hosts, h)
		}
	}
	var mu sync.Mutex
	host.Each(ctx, hosts, inv.Parallel, func(ctx context.Context, h *inventory.Host) {
		answer, err := e.cancelJob(ctx, h, host.JobID(rec.Run, h.Name))
		if b := inv.Host(state.Host(h.Name).Builder); b != nil && err == nil {
			// The owner of the run does that, too, if there is one.
			_, err = e.cancelJob(ctx, b, host.BuildJobID(rec.Run, h.Name))
		}
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			missed++
			answer = host.Reason(err, h)
		}
		sink(h.Name, answer)
	})
	if rollback != nil {
		err = e.Cancel(ctx, rollback, inv, sink)
	}
	if missed > 0 {
		return hint.Errorf("fleetctl cancel "+rec.Run+" tries again",
			"%d of %d hosts could not be asked to cancel", missed, len(state.Hosts))
	}
	return err
}

// runningRollback returns the run that is rolling back hosts of another, or nil.
func (e *Engine) runningRollback(s *fleet.State) (*record.Record, error) {
	if s.Rollback == "" {
		return nil, nil
	}
	rec, err := e.Records.Open(s.Rollback)
	if err != nil {
		return nil, err
	}
	rollback, err := rec.State()
	if err != nil || rollback.Settled() {
		return nil, err
	}
	return rec, nil
}

// cancelJob cancels a job on a host and returns the host's answer.
func (e *Engine) cancelJob(ctx context.Context, h *inventory.Host, id string) (string, error) {
	conn, err := e.Dialer.Dial(ctx, h)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	header, err := signalJob(ctx, conn, id, signalCancel, "", h.Timeouts.Grace)
	switch {
	case err != nil:
		return "", err
	case header.Word == "cancelled":
		return "cancelled", nil
	case header.Word == "absent":
		return "there is no job on the host", nil
	case header.Code == "activating":
		return "too late: it is activating and will finish", nil
	case header.Code == "finished":
		return "too late: it has finished", nil
	}
	return "", fmt.Errorf("unexpected answer %q from the host", header.Word+" "+header.Code)
}
