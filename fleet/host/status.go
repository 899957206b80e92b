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

// probeInterval is the time between two probes of a host whose agent answers.
const probeInterval = time.Minute

// Status is the result of asking a host for its health. All times are those of the operator's
// clock.
type Status struct {
	Host      string
	Reachable bool           // the host let fleetctl in
	Address   string         // where it did; see [AddressOf]
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
func (s Status) Observation() health.Observation {
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

func (s Status) contact() health.Contact {
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

// Status asks hosts for their health once.
func (c *Client) Status(ctx context.Context, hosts []*inventory.Host, sink func(Status)) {
	each(ctx, c, hosts, func(ctx context.Context, h *inventory.Host) Status {
		p := c.newPoller(h)
		defer p.close()
		return p.poll(ctx)
	}, sink)
}

// poller asks one host for its health, repeatedly over the same connection. It belongs to one
// goroutine.
type poller struct {
	dialer   Dialer
	host     *inventory.Host
	checkout remote.Checkout

	conn      Conn           // nil before the first attempt, and after a lost connection
	address   string         // of the last connection
	probed    *remote.Probed // the last probe
	probeTime time.Time      // when it started
	probeDue  time.Time      // when the next one is due if an agent answers in between
	health    *health.Health
	time      time.Time // when health was taken
	other     *health.AgentVersionError
}

func (c *Client) newPoller(h *inventory.Host) *poller {
	p := &poller{dialer: c.Dialer, host: h, checkout: CheckoutOf(c.Inventory.Remote, h)}
	if h.Builder != "" {
		p.checkout = remote.Checkout{} // no deploy moves one that may be there
	}
	return p
}

// CheckoutOf returns where a host has its configuration.
func CheckoutOf(address string, h *inventory.Host) remote.Checkout {
	return remote.Checkout{Repo: h.Repo, Managed: h.Managed, Remote: address, FlakeDir: h.FlakeDir}
}

func (p *poller) close() {
	if p.conn != nil {
		p.conn.Close()
		p.conn = nil
	}
}

// poll returns the current status of the host.
func (p *poller) poll(ctx context.Context) Status {
	status := Status{Host: p.host.Name, Time: time.Now()}
	reused := p.conn != nil
	f := fleet.CatchPanic(func() {
		status.Reachable, status.Err = p.connectAndQuery(ctx)
		if status.Err != nil && reused && ctx.Err() == nil {
			// The old connection may have died long ago; only a new one says whether the host has.
			status.Reachable, status.Err = p.connectAndQuery(ctx)
		}
	})
	if f != nil {
		status.Err = f
		p.close()
	}
	status.Address = p.address
	status.Health, status.FactsTime, status.CheckoutTime, status.OtherAgent = p.health, p.time, p.probeTime, p.other
	return status
}

func (p *poller) connectAndQuery(ctx context.Context) (reachable bool, err error) {
	if p.conn == nil {
		if p.conn, err = p.dialer.Dial(ctx, p.host); err != nil {
			p.conn = nil // not an interface that holds a nil pointer
			return false, err
		}
		p.address = AddressOf(p.conn)
	}
	limit := p.host.Timeouts.Answer
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the host did not report its health within %v", limit))
	defer cancel()
	if err = p.query(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		p.close()
	}
	return true, err
}

// query updates health from the probe, the agent, or both.
func (p *poller) query(ctx context.Context) error {
	if p.probed == nil || p.probed.Agent == "" || !time.Now().Before(p.probeDue) {
		if err := p.probe(ctx); err != nil {
			return err
		}
	}
	p.other = nil
	if p.probed.Agent == "" {
		return nil
	}
	started := time.Now()
	reported, err := askAgent(ctx, p.conn, p.probed.Agent)
	if err != nil {
		errors.As(err, &p.other)
		// Use the probe instead: now, unless it just ran, and from now on.
		p.probed.Agent = ""
		if p.health == &p.probed.Health {
			return nil
		}
		return p.probe(ctx)
	}
	p.health, p.time = new(withAgent(p.probed.Health, *reported)), started
	return nil
}

// probe runs the probe script on the host.
func (p *poller) probe(ctx context.Context) error {
	started := time.Now()
	header, text, err := askAll(ctx, p.conn, func(token string) remote.Script {
		return remote.Probe(token, string(p.host.Kind), p.checkout)
	}, remote.MaxProbe)
	if err != nil {
		return err
	}
	if header.Word != "probed" {
		return fmt.Errorf("the host answered %q to a probe", header.Word)
	}
	found := remote.ParseProbe(text)
	if p.probed != nil {
		found.Health.CPU = found.Ticks.Since(p.probed.Ticks)
	}
	p.probed, p.health = &found, &found.Health
	p.time, p.probeTime, p.probeDue = started, started, time.Now().Add(probeInterval)
	return nil
}
