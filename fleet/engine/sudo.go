package engine

import (
	"context"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// sudoPassword is the password that sudo wants on a host, once the operator has given it.
type sudoPassword struct {
	password string
	known    bool
	rejected int // how often sudo rejected it
}

// ask asks the operator for the password that the host's answer says it needs, at most three times,
// because more failures may lock the account. Without a password it returns the host's result.
func (s *sudoPassword) ask(
	ctx context.Context, ask func(context.Context, string, bool) (string, error), h remote.Header, target *inventory.Host,
) *fleet.Result {
	if s.known {
		s.rejected++
	}
	if ask == nil || s.rejected == maxRetries {
		return host.RefusalResult(fleet.Connect, h, target)
	}
	password, err := ask(ctx, target.Name, s.known)
	if err != nil {
		result := host.RefusalResult(fleet.Connect, remote.Header{Code: string(fleet.CodeSudoPassword)}, target)
		result.Reason += ": " + clean.Line([]byte(err.Error()))
		return result
	}
	s.password, s.known = password, true
	return nil
}
