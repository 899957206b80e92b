package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

const (
	probeLimit = 20 * time.Second // for a host's answer to a probe
	probeEvery = time.Minute      // where an agent tells the rest
)

// HostStatus is what was found out about a host, or why nothing was.
type HostStatus struct {
	Host      string
	Reachable bool           // it let us in
	Health    *health.Health // the last that is known; nil where nothing is
	Err       error          // why Health is not of now; an error of the [Dialer]'s where not Reachable
	Time      time.Time      // by the operator's clock

	// OtherAgent is an agent that is there and of no use, as one of another version; nil where there is none such.
	OtherAgent *health.AgentVersionError
}

// Status looks at hosts once, over one connection each, and gives what it finds to sink as it comes, from one goroutine.
func Status(ctx context.Context, d Dialer, inv *inventory.Inventory, hosts []*inventory.Host, parallel int, sink func(HostStatus)) {
	found := make(chan HostStatus)
	go func() {
		defer close(found)
		Each(ctx, hosts, parallel, func(ctx context.Context, h *inventory.Host) {
			l := newLookout(d, inv, h)
			defer l.close()
			found <- l.look(ctx)
		})
	}()
	for status := range found {
		sink(status)
	}
}

// lookout looks at one host, again and again over the same connection. It belongs to one goroutine.
type lookout struct {
	dialer   Dialer
	host     *inventory.Host
	checkout remote.Checkout

	conn   Conn           // nil before the first look, and after a lost connection
	probed *remote.Probed // the last
	due    time.Time      // for the next probe, where an agent answers in between
	seen   *health.Health
	other  *health.AgentVersionError
}

func newLookout(d Dialer, inv *inventory.Inventory, h *inventory.Host) *lookout {
	return &lookout{dialer: d, host: h, checkout: CheckoutOf(inv.Remote, h)}
}

// checkoutOf is where a host has its configuration.
func CheckoutOf(address string, h *inventory.Host) remote.Checkout {
	return remote.Checkout{Repo: h.Repo, Managed: h.Managed, Remote: address}
}

func (l *lookout) close() {
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}

// look finds out how the host is now.
func (l *lookout) look(ctx context.Context) HostStatus {
	status := HostStatus{Host: l.host.Name}
	kept := l.conn != nil
	f := fleet.CatchPanic(func() {
		status.Reachable, status.Err = l.visit(ctx)
		if status.Err != nil && kept && ctx.Err() == nil {
			// A connection that was kept may have died long ago; a new one tells whether the host has.
			status.Reachable, status.Err = l.visit(ctx)
		}
	})
	if f != nil {
		status.Err = f
		l.close()
	}
	status.Health, status.OtherAgent, status.Time = l.seen, l.other, time.Now()
	return status
}

func (l *lookout) visit(ctx context.Context) (reachable bool, err error) {
	if l.conn == nil {
		if l.conn, err = l.dialer.Dial(ctx, l.host); err != nil {
			l.conn = nil // an interface around nothing is not nil
			return false, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, probeLimit, fmt.Errorf("the host did not say how it fares within %v", probeLimit))
	defer cancel()
	if err = l.ask(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		l.close()
	}
	return true, err
}

// ask fills in seen: from the probe, from the agent, or from both.
func (l *lookout) ask(ctx context.Context) error {
	if l.probed == nil || l.probed.Agent == "" || !time.Now().Before(l.due) {
		if err := l.probe(ctx); err != nil {
			return err
		}
	}
	l.other = nil
	if l.probed.Agent == "" {
		return nil
	}
	told, err := askAgent(ctx, l.conn, l.probed.Agent)
	if err != nil {
		errors.As(err, &l.other)
		// What the agent does not tell, the probe does: now, unless it just did, and from now on.
		l.probed.Agent = ""
		if l.seen == &l.probed.Health {
			return nil
		}
		return l.probe(ctx)
	}
	l.seen = new(withAgent(l.probed.Health, *told))
	return nil
}

// probe gives the host the probe script.
func (l *lookout) probe(ctx context.Context) error {
	header, text, err := askAll(ctx, l.conn, func(token string) remote.Script {
		return remote.Probe(token, string(l.host.Kind), l.checkout)
	}, remote.MaxProbe)
	if err != nil {
		return err
	}
	if header.Word != "probed" {
		return fmt.Errorf("the host answered %q to a probe", header.Word)
	}
	found := remote.ParseProbe(text)
	if l.probed != nil {
		found.Health.CPU = found.Ticks.Since(l.probed.Ticks)
	}
	l.probed, l.seen, l.due = &found, &found.Health, time.Now().Add(probeEvery)
	return nil
}
