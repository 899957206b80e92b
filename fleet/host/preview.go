package host

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// Preview is what a run would do on a host.
type Preview struct {
	Host     string
	Revision string // commit that the host would get
	Err      error  // why the rest is unknown: an error of the [Dialer], or one with a hint
	remote.Preview
}

// Preview asks a host what a plan would do there. It changes neither refs, index nor files of the
// checkout. If the plan pulls and its commit is not known, the host looks up the tip of the branch
// for itself. With build, the host builds the configuration and compares it with the running one.
func (c *Client) Preview(ctx context.Context, p *fleet.Plan, h *inventory.Host, build bool) Preview {
	preview := Preview{Host: h.Name}
	preview.Preview, preview.Revision, preview.Err = c.preview(ctx, p, h, build)
	if preview.Err != nil {
		return preview
	}
	if preview.Revision == "" {
		preview.Revision = preview.Head
	}
	if preview.Problem == "" {
		preview.comparePosition(h)
	}
	return preview
}

// preview returns the host's answer and the commit that it refers to.
func (c *Client) preview(
	ctx context.Context, p *fleet.Plan, h *inventory.Host, build bool,
) (remote.Preview, string, error) {
	var none remote.Preview
	rev := p.Pinned.Commit
	if p.Builder(h) != "" {
		return c.previewBuilder(ctx, p, h)
	}
	conn, err := c.Dialer.Dial(ctx, h)
	if err != nil {
		return none, rev, err
	}
	defer conn.Close()
	limit := h.Timeouts.Preflight + h.Timeouts.Pull + 2*h.Timeouts.Build + h.Timeouts.Grace
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit.Round(time.Second)))
	defer cancel()
	if rev == "" && !p.NoPull {
		if rev, err = branchTip(ctx, conn, h, p.Remote, p.Branch); err != nil {
			return none, "", err
		}
	}
	own, other := machineNames(p, h)
	request := remote.PreviewRequest{
		OwnNames: own, OtherNames: other,
		Kind: string(h.Kind), Checkout: CheckoutOf(p.Remote, h), Branch: p.Branch,
		Rev: rev, Ref: p.Named(), AllowedSigners: p.AllowedSigners,
		Attribute: attribute(p, h), Goal: p.Goal, Specialisation: h.Specialisation, Build: build,
		Nix: nixArgs(p, h), RootBy: h.Sudo, PullTimeout: h.Timeouts.Pull, BuildTimeout: h.Timeouts.Build,
	}
	preview, err := askPreview(ctx, conn, request)
	return preview, rev, err
}

func askPreview(ctx context.Context, conn Conn, request remote.PreviewRequest) (remote.Preview, error) {
	header, text, err := askAll(ctx, conn, request.Script, remote.MaxPreview)
	switch {
	case err != nil && ctx.Err() != nil:
		return remote.Preview{}, context.Cause(ctx)
	case err == nil && header.Word != "planned":
		err = fmt.Errorf("the host answered %q", header.Word)
	}
	return remote.ParsePreview(text), err
}

// previewBuilder asks the host that builds for h. What it would build is compared with the store of
// the builder, and the commits with what h runs.
func (c *Client) previewBuilder(ctx context.Context, p *fleet.Plan, h *inventory.Host) (remote.Preview, string, error) {
	var none remote.Preview
	rev := p.Pinned.Commit
	status := c.newPoller(h)
	defer status.close()
	seen := status.poll(ctx)
	if seen.Err != nil {
		return none, rev, seen.Err
	}
	b := p.InventoryHost(p.Builder(h))
	conn, err := c.Dialer.Dial(ctx, b)
	if err != nil {
		return none, rev, fmt.Errorf("on %s: %w", b.Name, err)
	}
	defer conn.Close()
	limit := h.Timeouts.Preflight + h.Timeouts.Pull + h.Timeouts.Build + h.Timeouts.Grace
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("on %s: no answer within %v", b.Name, limit.Round(time.Second)))
	defer cancel()
	if rev == "" {
		if rev, err = branchTip(ctx, conn, &inventory.Host{Managed: true, Timeouts: h.Timeouts}, p.Remote, p.Branch); err != nil {
			return none, "", fmt.Errorf("on %s: %w", b.Name, err)
		}
	}
	preview, err := askPreview(ctx, conn, remote.PreviewRequest{
		Kind: string(h.Kind), Checkout: remote.Checkout{Managed: true, Remote: p.Remote, FlakeDir: h.FlakeDir}, Branch: p.Branch,
		Rev: rev, Ref: p.Named(), AllowedSigners: p.AllowedSigners, Serves: h.Name, Runs: seen.Health.System.Revision,
		Attribute: attribute(p, h), Goal: p.Goal, Nix: nixArgs(p, h), PullTimeout: h.Timeouts.Pull, BuildTimeout: h.Timeouts.Build,
	})
	if preview.Problem != "" {
		preview.Problem = fmt.Sprintf("on %s: %s", b.Name, preview.Problem)
	}
	return preview, rev, err
}

// comparePosition sets the problem if the checkout has commits that the revision lacks.
func (p *Preview) comparePosition(h *inventory.Host) {
	switch {
	case h.Managed || p.Ahead == 0: // fleetctl resets its own clone to any commit
		return
	case p.Behind > 0:
		p.Code = string(fleet.CodeDiverged)
	default:
		p.Code = string(fleet.CodeAhead)
	}
	p.Problem = remote.Reason(p.Code, map[string]string{"ahead": strconv.Itoa(p.Ahead), "behind": strconv.Itoa(p.Behind)})
}

// Hint returns what to do about the problem, or "".
func (p *Preview) Hint() string {
	if p.Code == string(fleet.CodeBuild) {
		return "try it there: nix build --show-trace"
	}
	return fleet.Code(p.Code).Hint()
}

// attribute returns the flake output that the plan builds for a host, or "" if it builds none. A
// switch_command builds on its own.
func attribute(p *fleet.Plan, h *inventory.Host) string {
	if h.SwitchCommand != "" || p.Goal == fleet.GoalPull {
		return ""
	}
	return remote.Attribute(string(h.Kind), h.Attr)
}
