package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

const (
	// neededSessions is how many sessions a run has open on one connection at most.
	neededSessions = 3
	// maxSkew is how far the clocks of a host and of the operator's machine may be apart.
	// Certificates and tokens tolerate about this much.
	maxSkew = time.Minute
)

// Finding is one thing that a check found on a host.
type Finding struct {
	Code    fleet.Code
	Text    string // in a line
	Hint    string // what to do about it, in a line
	Warning bool   // a deploy works nevertheless
}

// Checked is what a check found on a host.
type Checked struct {
	Host *inventory.Host
	// Skipped is why the host was not checked: it is offline, and that is normal for it.
	Skipped  string
	Findings []Finding

	user, machine string
}

// Check checks everything that a deploy of a host depends on. It changes nothing there.
func (c *Client) Check(ctx context.Context, h *inventory.Host) Checked {
	result := Checked{Host: h}
	conn, err := c.Dialer.Dial(ctx, h)
	if err != nil {
		result.addResult(DialResult(err, h))
		return result
	}
	defer conn.Close()
	const network = 40 * time.Second // the host asks its remote and its daemon
	ctx, cancel := context.WithTimeout(ctx, h.Timeouts.Preflight+network+h.Timeouts.Grace)
	defer cancel()

	result.checkHost(ctx, conn, c, h)
	if ctx.Err() == nil {
		result.checkSessions(ctx, conn)
		result.checkLogin(ctx, c, h)
	}
	return result
}

// addResult adds the result of a host that could not be asked.
func (r *Checked) addResult(result *fleet.Result) {
	if result.Outcome == fleet.Skipped {
		r.Skipped = result.Reason
		return
	}
	r.Findings = append(r.Findings, Finding{Code: result.Code, Text: "connect: " + strings.TrimPrefix(result.Reason, "connect: "), Hint: result.Hint})
}

func (r *Checked) add(code fleet.Code, text string) {
	r.Findings = append(r.Findings, Finding{Code: code, Text: text, Hint: code.Hint()})
}

// checkHost asks the host what it finds.
func (r *Checked) checkHost(ctx context.Context, conn Conn, c *Client, h *inventory.Host) {
	plan := &fleet.Plan{
		Remote: c.Inventory.Remote, Branch: c.Inventory.Branch, Operator: c.Operator, Inventory: c.Inventory.Hosts,
		Options: fleet.Options{
			Goal: fleet.GoalSwitch,
			// A deploy that pulls requires the checkout to be on the branch. The check does not use
			// the commit, so the name of the branch is enough.
			Pinned: fleet.Revision{Commit: c.Inventory.Branch},
		},
	}
	job := NewJob(plan, "check", h)
	asked := time.Now()
	header, text, err := askAll(ctx, conn, job.Check, remote.MaxCheck)
	switch {
	case errors.Is(err, ErrNotRun):
		r.addResult(ShellResult(fleet.Connect, err))
		return
	case err != nil:
		r.addResult(DialResult(err, h))
		return
	case header.Word != "checked":
		r.addResult(DialResult(&AnswerError{fleet.CodeProtocol, fmt.Errorf("the host answered %q", header.Word)}, h))
		return
	}
	found := remote.ParseCheck(text)
	r.user, r.machine = found.User, found.Machine
	for _, f := range found.Found {
		code := fleet.Code(f.Code)
		r.Findings = append(r.Findings, Finding{Code: code, Text: f.Text, Hint: code.Hint(), Warning: f.Warning})
	}
	if !found.Clock.IsZero() {
		r.checkClock(found.Clock, asked, time.Now())
	}
}

// checkClock compares the host's clock with that of this machine, between the question and the
// answer.
func (r *Checked) checkClock(clock, asked, answered time.Time) {
	ahead, behind := clock.Sub(answered), asked.Sub(clock)
	code := fleet.CodeClock
	for text, skew := range map[string]time.Duration{"ahead of": ahead, "behind": behind} {
		if skew > maxSkew {
			r.Findings = append(r.Findings, Finding{
				Code: code, Hint: code.Hint(), Warning: true,
				Text: fmt.Sprintf("the host's clock is %s %s that of this machine", inventory.FormatDuration(skew.Round(time.Second)), text),
			})
		}
	}
}

// checkSessions opens as many sessions on the connection as a run needs.
func (r *Checked) checkSessions(ctx context.Context, conn Conn) {
	for n := range neededSessions {
		token := remote.Token()
		s := OpenSession(ctx, conn, remote.Hold(token), token, nil)
		defer s.Close()
		opened := false
		for m := range s.Messages {
			if opened = m.Header != nil; opened {
				break
			}
		}
		if !opened {
			text := fmt.Sprintf("the host opens only %d of %d sessions on a connection", n, neededSessions)
			if s.Err != nil {
				text += ": " + clean.Line([]byte(s.Err.Error()))
			}
			r.add(fleet.CodeSession, text)
			return
		}
	}
}

// checkLogin logs in again while the first connection is open, as a run does to confirm.
func (r *Checked) checkLogin(ctx context.Context, c *Client, h *inventory.Host) {
	conn, err := c.Dialer.Dial(ctx, h)
	if err != nil {
		r.Findings = append(r.Findings, Finding{
			Code: fleet.CodeLogin, Text: "a second login does not work, which every deploy needs to confirm: " + Reason(err, h),
			Hint: "allow several logins in a row: check the firewall, MaxStartups and MaxLogins",
		})
		return
	}
	_ = conn.Close()
}

// SameMachines adds a finding to each host that is the machine, or the home, of an earlier one but
// has another configuration: a deploy of both would put one's configuration in place of the
// other's.
func SameMachines(all []Checked) {
	first := make(map[string]*inventory.Host)
	for i := range all {
		r := &all[i]
		if r.machine == "" {
			continue
		}
		what := "machine " + r.machine
		if r.Host.Kind == inventory.Home {
			what = "home of " + r.user + " on " + r.machine
		}
		other, known := first[what]
		if !known {
			first[what] = r.Host
			continue
		}
		if !sameConfiguration(other, r.Host) && !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Code == "other-host" }) {
			kind := "machine"
			if r.Host.Kind == inventory.Home {
				kind = "home"
			}
			r.add(fleet.CodeSameMachine, fmt.Sprintf("this is the %s of %q, whose attr is %q, not %q", kind, other.Name, other.Attr, r.Host.Attr))
		}
	}
}

func sameConfiguration(a, b *inventory.Host) bool {
	return a.Kind == b.Kind && a.Attr == b.Attr && a.FlakeDir == b.FlakeDir
}
