package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// RebootOptions are what an operator asks of a reboot.
type RebootOptions struct {
	IfNeeded bool          // reboot only hosts that need it, or would boot into another system
	Limit    time.Duration // how long a host may take to come back
}

// RebootOutcome is how the reboot of a host ended.
type RebootOutcome string

const (
	Rebooted          RebootOutcome = "rebooted"    // the host has booted and accepts logins
	RebootNotNeeded   RebootOutcome = "not-needed"  // only with IfNeeded
	RebootSkipped     RebootOutcome = "skipped"     // not started; the reason says why
	RebootRefused     RebootOutcome = "refused"     // the host answered, but did not reboot
	RebootUnreachable RebootOutcome = "unreachable" // nothing answered, so nothing was started
	// started, but the host did not come back in time
	RebootLost RebootOutcome = "lost"
)

// RebootResult is the result of rebooting a host.
type RebootResult struct {
	Host    string
	Outcome RebootOutcome
	Reason  string
	Hint    string
	Seconds float64
}

// Reboot reboots hosts, wave after wave. A host has rebooted when its boot ID changes: a login that
// works may be one to a host that has not gone down yet. If a host of a wave refuses or is lost,
// later waves are skipped.
func (c *Client) Reboot(ctx context.Context, hosts []*inventory.Host, o RebootOptions, sink func(RebootResult)) {
	halted := "" // why no more waves start
	for _, wave := range fleet.GroupByWave(hosts) {
		failed := ""
		each(ctx, c, wave.Hosts, func(ctx context.Context, h *inventory.Host) RebootResult {
			started := time.Now()
			result := c.reboot(ctx, h, o, halted)
			result.Host, result.Seconds = h.Name, time.Since(started).Seconds()
			return result
		}, func(r RebootResult) {
			if r.Outcome == RebootRefused || r.Outcome == RebootLost {
				failed = fmt.Sprintf("wave %d failed: %s", wave.Number, r.Host)
			}
			sink(r)
		})
		halted = cmp.Or(halted, failed)
	}
}

func (c *Client) reboot(ctx context.Context, h *inventory.Host, o RebootOptions, halted string) RebootResult {
	switch {
	case halted != "":
		return RebootResult{Outcome: RebootSkipped, Reason: halted}
	case ctx.Err() != nil:
		return RebootResult{Outcome: RebootSkipped, Reason: "interrupted before it started"}
	case h.Kind == inventory.Home:
		return RebootResult{Outcome: RebootSkipped, Reason: "it is a user's home, not a machine"}
	}
	if h.Local {
		return RebootResult{
			Outcome: RebootSkipped, Reason: "it is the machine that fleetctl runs on, which would end fleetctl",
			Hint: "reboot it yourself once the others are back",
		}
	}
	p := c.newPoller(h)
	defer p.close()
	status := p.poll(ctx)
	if status.Err != nil {
		return notRebooted(DialResult(status.Err, h))
	}
	if s := status.Health.System; o.IfNeeded && !s.RebootNeeded && !s.BootPending {
		return RebootResult{Outcome: RebootNotNeeded}
	}
	header, refused, err := c.requestReboot(ctx, p.conn, h)
	switch {
	case refused != nil:
		return notRebooted(refused)
	case header.Word == "rebooting":
		p.close()
		return c.awaitReboot(ctx, h, cmp.Or(header.Code, status.Health.BootID), o.Limit)
	case errors.Is(err, ErrNotRun), err != nil && status.Health.BootID == "":
		return RebootResult{Outcome: RebootRefused, Reason: Reason(err, h)}
	case err != nil: // the host may have received the request
		p.close()
		return c.awaitReboot(ctx, h, status.Health.BootID, o.Limit)
	}
	return notRebooted(RefusalResult(fleet.Connect, header, h))
}

// notRebooted converts the result of a host on which nothing was started.
func notRebooted(r *fleet.Result) RebootResult {
	outcome := RebootRefused
	switch r.Outcome {
	case fleet.Unreachable:
		outcome = RebootUnreachable
	case fleet.Skipped:
		outcome = RebootSkipped
	}
	return RebootResult{Outcome: outcome, Reason: r.Reason, Hint: r.Hint}
}

// requestReboot asks a host to reboot, with the password for sudo if that asks for one. The result
// is nil unless there is no such password.
func (c *Client) requestReboot(ctx context.Context, conn Conn, h *inventory.Host) (remote.Header, *fleet.Result, error) {
	var sudo SudoPassword
	for {
		prompt, password := sudo.Reader()
		header, err := runReboot(ctx, conn, h, prompt, password)
		if err != nil || !NeedsSudo(header) {
			return header, nil, err
		}
		if refused := sudo.Ask(ctx, c.SudoPassword, header, h); refused != nil {
			return header, refused, nil
		}
	}
}

func runReboot(ctx context.Context, conn Conn, h *inventory.Host, prompt string, password *PasswordReader) (remote.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, h.Timeouts.Grace)
	defer cancel()
	token := remote.Token()
	s := OpenSession(ctx, conn, remote.Reboot(token, prompt, h.Sudo), token, password)
	defer s.Close()
	header, _, err := s.read(0)
	return header, err
}

var errSameBoot = errors.New("it has not gone down yet")

// awaitReboot waits until the boot ID of a host is no longer before.
func (c *Client) awaitReboot(ctx context.Context, h *inventory.Host, before string, limit time.Duration) RebootResult {
	waitCtx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	last := errSameBoot
	for try := 0; Sleep(waitCtx, Backoff(try)); try++ {
		now, err := c.bootID(waitCtx, h)
		switch {
		case err == nil && now != before:
			return RebootResult{Outcome: Rebooted}
		case err == nil:
			last = errSameBoot
		case waitCtx.Err() == nil:
			last = err
		}
	}
	if ctx.Err() != nil {
		return RebootResult{Outcome: RebootLost, Reason: "interrupted while the host was rebooting"}
	}
	return RebootResult{
		Outcome: RebootLost, Reason: fmt.Sprintf("not back after %v: %s", limit, Reason(last, h)),
		Hint: "check its console; it may only need more time",
	}
}

// bootID logs in to a host and returns its boot ID.
func (c *Client) bootID(ctx context.Context, h *inventory.Host) (string, error) {
	conn, err := c.Dialer.Dial(ctx, h)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, h.Timeouts.Answer)
	defer cancel()
	header, err := Ask(ctx, conn, remote.Boot)
	if err == nil && (header.Word != "booted" || header.Code == "") {
		err = errors.New("the host did not report its boot ID")
	}
	return header.Code, err
}
