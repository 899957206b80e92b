package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// Cancel ends what has not begun to activate: the jobs of a run are ended on their hosts, and hosts that wait are not begun, even
// though another process owns the run. sink is given each host's answer, from one goroutine. The outcomes are the owner's to tell, or
// Attach's. An error says that some hosts could not be asked.
func (e *Engine) Cancel(ctx context.Context, record *record.Record, inv *inventory.Inventory, sink func(host, answer string)) error {
	// First the word to the owner: a host that it begins after that is in nobody's list.
	if err := record.RequestCancel(); err != nil {
		return err
	}
	state, err := record.State()
	if err != nil {
		return err
	}
	rollback, err := e.rollbackOf(state)
	if err != nil {
		return err
	}
	if state.Settled() && rollback == nil {
		return fmt.Errorf("run %s has ended: there is nothing to cancel", record.Run)
	}
	var hosts []*inventory.Host
	missed := 0
	for _, hs := range state.Hosts {
		h := inv.Host(hs.Name)
		switch {
		case hs.Result != nil && hs.Result.Outcome.Terminal():
		case hs.Phase == fleet.Waiting, hs.Facts[fleet.FactAway] == fleet.Yes:
			sink(hs.Name, "not begun, and will not be")
		case h == nil:
			sink(hs.Name, fmt.Sprintf("not in %q any more", inv.Path))
			missed++
		default:
			hosts = append(hosts, h)
		}
	}
	var mu sync.Mutex
	host.Each(ctx, hosts, inv.Parallel, func(ctx context.Context, h *inventory.Host) {
		answer, err := e.cancelOn(ctx, record.Run, h)
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
		return fmt.Errorf("%d of %d hosts could not be asked to cancel\n  hint: fleetctl cancel %s asks again", missed, len(state.Hosts), record.Run)
	}
	return err
}

// rollbackOf is the run that takes hosts of another back; nil where none is at work.
func (e *Engine) rollbackOf(s *fleet.State) (*record.Record, error) {
	if s.Rollback == "" {
		return nil, nil
	}
	record, err := e.Records.Open(s.Rollback)
	if err != nil {
		return nil, err
	}
	rollback, err := record.State()
	if err != nil || rollback.Settled() {
		return nil, err
	}
	return record, nil
}

func (e *Engine) cancelOn(ctx context.Context, run string, h *inventory.Host) (string, error) {
	conn, err := e.Dialer.Dial(ctx, h)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, host.Grace)
	defer cancel()
	header, err := host.Ask(ctx, conn, func(token string) remote.Script { return remote.Cancel(token, host.JobID(run, h.Name)) })
	switch {
	case err != nil:
		return "", err
	case header.Word == "cancelled":
		return "cancelled", nil
	case header.Word == "absent":
		return "there is no job here", nil
	case header.Code == "activating":
		return "too late: it is activating, and goes on to its end", nil
	case header.Code == "finished":
		return "too late: it has ended", nil
	}
	return "", fmt.Errorf("the host answered %q", header.Word+" "+header.Code)
}
