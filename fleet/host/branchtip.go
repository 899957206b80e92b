package host

import (
	"context"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// BranchTip asks git on a host for the tip of a branch. The code of the header is the commit, if
// its word is "tip".
func BranchTip(ctx context.Context, conn Conn, h *inventory.Host, url, branch string) (remote.Header, error) {
	repo := h.Repo
	if h.Managed {
		repo = ""
	}
	ctx, cancel := context.WithTimeout(ctx, h.Timeouts.Preflight)
	defer cancel()
	return Ask(ctx, conn, func(token string) remote.Script { return remote.LsRemote(token, repo, url, branch) })
}
