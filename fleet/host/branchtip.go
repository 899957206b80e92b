package host

import (
	"context"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// Tip is what git on a host reports as the tip of the fleet's branch. It is about this host alone:
// whether another one should believe it is up to the operator.
type Tip struct {
	Host   string
	Commit string // 40 hex digits
	Err    error  // why it is not known: an error of the [Dialer], or one with a hint
}

// Tips asks git on each host for the tip of the fleet's branch.
func (c *Client) Tips(ctx context.Context, hosts []*inventory.Host, sink func(Tip)) {
	each(ctx, c, hosts, c.tip, sink)
}

func (c *Client) tip(ctx context.Context, h *inventory.Host) Tip {
	conn, err := c.Dialer.Dial(ctx, h)
	if err != nil {
		return Tip{Host: h.Name, Err: err}
	}
	defer conn.Close()
	commit, err := branchTip(ctx, conn, h, c.Inventory.Remote, c.Inventory.Branch)
	return Tip{Host: h.Name, Commit: commit, Err: err}
}

// branchTip asks git on a host for the tip of a branch.
func branchTip(ctx context.Context, conn Conn, h *inventory.Host, url, branch string) (string, error) {
	repo := h.Repo
	if h.Managed {
		repo = ""
	}
	ctx, cancel := context.WithTimeout(ctx, h.Timeouts.Preflight)
	defer cancel()
	header, err := Ask(ctx, conn, func(token string) remote.Script { return remote.LsRemote(token, repo, url, branch) })
	switch {
	case err != nil:
		return "", err
	case header.Word != "tip" || !fleet.IsCommit(header.Code):
		return "", &codeError{header.Code, RefusalResult(fleet.Pull, header, h).Reason}
	}
	return header.Code, nil
}
