package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

const (
	probeTimeout  = 20 * time.Second
	probeInterval = time.Minute // between two probes of a host whose agent answers
)

// HostStatus is the result of asking a host for its health. All times are those of the operator's
// clock.
type HostStatus struct {
	Host      string
	Reachable bool           // the host let fleetctl in
	Health    *health.Health // the last known facts; nil if there are none
	// why Health is not up to date; an error of the [Dialer]'s if not Reachable
	Err  error
	Time time.Time // before the host was asked

	FactsTime    time.Time // before Health was taken; zero means Time
	CheckoutTime time.Time // before Health.Checkout was taken; zero means FactsTime

	// OtherAgent is set if an agent answers that cannot be used, because it speaks another version
	// of the API.
	OtherAgent *health.AgentVersionError
}

// Observation returns the status as evidence for [health.Judge].
func (s HostStatus) Observation() health.Observation {
	facts := s.FactsTime
	if facts.IsZero() {
		facts = s.Time
	}
	checkout := s.CheckoutTime
	if checkout.IsZero() {
		checkout = facts
	}
	return health.Observation{
		Contact: s.contact(), Time: s.Time, Health: s.Health, FactsTime: facts, CheckoutTime: checkout, OtherAgent: s.OtherAgent != nil,
	}
}

func (s HostStatus) contact() health.Contact {
	if s.Err == nil && !s.Reachable {
		return health.Contact{}
	}
	if s.Err == nil {
		return health.Contact{Reach: health.Answered}
	}
	c := ContactOf(s.Err)
	if s.Reachable {
		c.Reach, c.Code = health.Answered, ""
	}
	c.Reason = clean.Line([]byte(strings.TrimPrefix(strings.Join(strings.Fields(s.Err.Error()), " "), s.Host+": ")))
	return c
}

// Status asks hosts for their health once, over one connection each. It passes the results to sink
// as they arrive, from one goroutine.
func Status(ctx context.Context, d Dialer, inv *inventory.Inventory, hosts []*inventory.Host, parallel int, sink func(HostStatus)) {
	found := make(chan HostStatus)
	go func() {
		defer close(found)
		Each(ctx, hosts, parallel, func(ctx context.Context, h *inventory.Host) {
			c := newStatusClient(d, inv, h)
			defer c.close()
			found <- c.ask(ctx)
		})
	}()
	for status := range found {
		sink(status)
	}
}

// statusClient asks one host for its health, repeatedly over the same connection. It belongs to one
// goroutine.
type statusClient struct {
	dialer   Dialer
	host     *inventory.Host
	checkout remote.Checkout

	conn      Conn           // nil before the first attempt, and after a lost connection
	probed    *remote.Probed // the last probe
	probeTime time.Time      // when it started
	probeDue  time.Time      // when the next one is due if an agent answers in between
	health    *health.Health
	time      time.Time // when health was taken
	other     *health.AgentVersionError
}

func newStatusClient(d Dialer, inv *inventory.Inventory, h *inventory.Host) *statusClient {
	return &statusClient{dialer: d, host: h, checkout: CheckoutOf(inv.Remote, h)}
}

// CheckoutOf returns where a host has its configuration.
func CheckoutOf(address string, h *inventory.Host) remote.Checkout {
	return remote.Checkout{Repo: h.Repo, Managed: h.Managed, Remote: address}
}

func (c *statusClient) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// ask returns the current status of the host.
func (c *statusClient) ask(ctx context.Context) HostStatus {
	status := HostStatus{Host: c.host.Name, Time: time.Now()}
	reused := c.conn != nil
	f := fleet.CatchPanic(func() {
		status.Reachable, status.Err = c.connectAndQuery(ctx)
		if status.Err != nil && reused && ctx.Err() == nil {
			// The old connection may have died long ago; only a new one says whether the host has.
			status.Reachable, status.Err = c.connectAndQuery(ctx)
		}
	})
	if f != nil {
		status.Err = f
		c.close()
	}
	status.Health, status.FactsTime, status.CheckoutTime, status.OtherAgent = c.health, c.time, c.probeTime, c.other
	return status
}

func (c *statusClient) connectAndQuery(ctx context.Context) (reachable bool, err error) {
	if c.conn == nil {
		if c.conn, err = c.dialer.Dial(ctx, c.host); err != nil {
			c.conn = nil // not an interface that holds a nil pointer
			return false, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, probeTimeout, fmt.Errorf("the host did not report its health within %v", probeTimeout))
	defer cancel()
	if err = c.query(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		c.close()
	}
	return true, err
}

// query updates health from the probe, the agent, or both.
func (c *statusClient) query(ctx context.Context) error {
	if c.probed == nil || c.probed.Agent == "" || !time.Now().Before(c.probeDue) {
		if err := c.probe(ctx); err != nil {
			return err
		}
	}
	c.other = nil
	if c.probed.Agent == "" {
		return nil
	}
	started := time.Now()
	reported, err := askAgent(ctx, c.conn, c.probed.Agent)
	if err != nil {
		errors.As(err, &c.other)
		// Use the probe instead: now, unless it just ran, and from now on.
		c.probed.Agent = ""
		if c.health == &c.probed.Health {
			return nil
		}
		return c.probe(ctx)
	}
	c.health, c.time = new(withAgent(c.probed.Health, *reported)), started
	return nil
}

// probe runs the probe script on the host.
func (c *statusClient) probe(ctx context.Context) error {
	started := time.Now()
	header, text, err := askAll(ctx, c.conn, func(token string) remote.Script {
		return remote.Probe(token, string(c.host.Kind), c.checkout)
	}, remote.MaxProbe)
	if err != nil {
		return err
	}
	if header.Word != "probed" {
		return fmt.Errorf("the host answered %q to a probe", header.Word)
	}
	found := remote.ParseProbe(text)
	if c.probed != nil {
		found.Health.CPU = found.Ticks.Since(c.probed.Ticks)
	}
	c.probed, c.health = &found, &found.Health
	c.time, c.probeTime, c.probeDue = started, started, time.Now().Add(probeInterval)
	return nil
}
