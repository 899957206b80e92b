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

// Forecast is what a run would do on a host.
type Forecast struct {
	Host     string
	Revision string // that it would get
	Err      error  // why no more is known of it; an error of the [Dialer]'s, or one with a hint
	remote.Preview
}

// Foresee asks a host what the plan would do there, and does none of it: refs, index and files of the checkout stay as they are. rev is
// the commit of the run; where it is "" without NoPull, the host is asked for the branch's. With build, the configuration is built,
// and compared with what runs.
func Foresee(ctx context.Context, d Dialer, p *fleet.Plan, h *inventory.Host, rev string, build bool) Forecast {
	f := Forecast{Host: h.Name, Revision: rev}
	f.Preview, f.Revision, f.Err = foresee(ctx, d, p, h, rev, build)
	if f.Err == nil && f.Revision == "" {
		f.Revision = f.Head
	}
	if f.Err == nil && f.Problem == "" {
		f.standing(h)
	}
	return f
}

func foresee(ctx context.Context, d Dialer, p *fleet.Plan, h *inventory.Host, rev string, build bool) (remote.Preview, string, error) {
	var none remote.Preview
	conn, err := d.Dial(ctx, h)
	if err != nil {
		return none, rev, err
	}
	defer conn.Close()
	limit := h.Timeouts.Preflight + h.Timeouts.Pull + 2*h.Timeouts.Build + Grace
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit.Round(time.Second)))
	defer cancel()
	if rev == "" && !p.NoPull {
		header, err := BranchTip(ctx, conn, h, p.Remote, p.Branch)
		if err == nil && (header.Word != "tip" || !fleet.IsCommit(header.Code)) {
			err = &coded{header.Code, Refused(fleet.Pull, header, h).Reason}
		}
		if err != nil {
			return none, "", err
		}
		rev = header.Code
	}
	ask := remote.PreviewRequest{
		Kind: string(h.Kind), Checkout: remote.Checkout{Repo: h.Repo, Managed: h.Managed, Remote: p.Remote}, Branch: p.Branch, Rev: rev,
		Attribute: attribute(p, h), Build: build, PullTimeout: h.Timeouts.Pull, BuildTimeout: h.Timeouts.Build,
	}
	header, text, err := askAll(ctx, conn, ask.Script, remote.MaxPreview)
	switch {
	case err != nil && ctx.Err() != nil:
		return none, rev, context.Cause(ctx)
	case err == nil && header.Word != "planned":
		err = fmt.Errorf("the host answered %q", header.Word)
	}
	return remote.ParsePreview(text), rev, err
}

// standing finds what of the commits alone would keep the checkout from being brought to the revision.
func (f *Forecast) standing(h *inventory.Host) {
	switch {
	case h.Managed || f.Ahead == 0: // fleetctl's own clone is reset to anything
		return
	case f.Behind > 0:
		f.Code = "diverged"
	default:
		f.Code = "ahead"
	}
	f.Problem = remote.Reason(f.Code, map[string]string{"ahead": strconv.Itoa(f.Ahead), "behind": strconv.Itoa(f.Behind)})
}

// Hint is what to do about the problem.
func (f *Forecast) Hint() string {
	if f.Code == "build" {
		return "try it there: nix build --show-trace"
	}
	return fleet.Code(f.Code).Hint()
}

// attribute is what of the flake the plan builds for a host: nothing where it only pulls, and nothing of ours where a switch_command does.
func attribute(p *fleet.Plan, h *inventory.Host) string {
	if h.SwitchCommand != "" || p.Goal == fleet.GoalPull {
		return ""
	}
	return remote.Attribute(string(h.Kind), h.Attr)
}

// PlannedStep is a step with the commands that it comes to on a host, as somebody would type them there. A step with none is left out.
type PlannedStep struct {
	Step     fleet.Step `json:"step"`
	Commands []string   `json:"commands"`
}

// Commands tells what the plan comes to on a host.
func Commands(p *fleet.Plan, h *inventory.Host, rev string) []PlannedStep {
	var steps []PlannedStep
	add := func(s fleet.Step, commands ...string) {
		if len(commands) > 0 {
			steps = append(steps, PlannedStep{s, commands})
		}
	}
	add(fleet.Pull, pullCommands(p, h, rev)...)
	if built := attribute(p, h); built != "" {
		add(fleet.Build, fmt.Sprintf("nix build '.#%s' --no-write-lock-file", built))
	}
	if p.Goal != fleet.GoalPull && p.Goal != fleet.GoalBuild {
		activate, confirmed := activateCommands(p, h)
		add(fleet.Activate, activate...)
		var checks []string
		for _, check := range h.Health {
			checks = append(checks, check.String())
		}
		add(fleet.Verify, checks...)
		add(fleet.Confirm, confirmed...)
	}
	return steps
}

func pullCommands(p *fleet.Plan, h *inventory.Host, rev string) []string {
	switch {
	case p.NoPull:
		return nil
	case h.Managed:
		return []string{"git fetch origin " + p.Branch, "git checkout --force --detach " + rev, "git clean -ffdx"}
	}
	return []string{"git fetch origin " + p.Branch, "git merge --ff-only " + rev}
}

// activateCommands are those that make the new configuration run, and those that keep it, once that is confirmed.
func activateCommands(p *fleet.Plan, h *inventory.Host) (activate, confirmed []string) {
	const (
		system = "sudo nix-env -p /nix/var/nix/profiles/system --set ./result"
		home   = "nix-env -p ~/.local/state/nix/profiles/home-manager --set ./result"
		change = "sudo ./result/bin/switch-to-configuration "
	)
	switch {
	case h.SwitchCommand != "":
		return []string{h.SwitchCommand}, nil
	case h.Kind == inventory.Darwin:
		return []string{system, "sudo ./result/activate"}, nil
	case h.Kind == inventory.Home:
		return []string{"./result/activate --driver-version 1"}, []string{home}
	case p.Goal == fleet.GoalBoot:
		return []string{system, change + "boot"}, nil
	case p.Goal == fleet.GoalTest:
		return []string{change + "test"}, nil
	}
	return []string{change + "test"}, []string{system, change + "boot"}
}
