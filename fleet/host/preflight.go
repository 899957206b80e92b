package host

import (
	"context"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// CheckHost asks a host whether a deploy could begin there, and changes nothing. The outcome is [Unchanged] where it could. warn is
// given what would not keep a deploy from beginning, but is worth knowing.
func CheckHost(ctx context.Context, d Dialer, inv *inventory.Inventory, h *inventory.Host, operator string, warn func(line string)) *fleet.Result {
	conn, err := d.Dial(ctx, h)
	if err != nil {
		return NotReached(err, h)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, h.Timeouts.Preflight+Grace)
	defer cancel()

	plan := &fleet.Plan{Remote: inv.Remote, Branch: inv.Branch, Operator: operator, Options: fleet.Options{Goal: fleet.GoalSwitch}}
	token := remote.Token()
	// As in a deploy that pulls, whose checkout has to be on the branch. No revision is looked up: the check stops before the pull.
	rev := inv.Branch
	s := OpenSession(ctx, conn, Job(plan, "check", h, rev).Check(token), token, nil)
	defer s.Close()
	var header *remote.Header
	var parser *remote.Parser
	var end *remote.Item
	for m := range s.Messages {
		switch {
		case m.Header != nil:
			header = m.Header
			parser = remote.NewParser(header.Nonce, func(it remote.Item) {
				switch it.Kind {
				case remote.WarnItem:
					warn(it.Text)
				case remote.EndItem:
					end = &it
				}
			})
		case parser != nil:
			parser.Write(m.Log)
		}
	}
	switch {
	case header != nil && header.Word == "refused":
		return Refused(fleet.Preflight, *header, h)
	case end != nil:
		return &fleet.Result{Outcome: fleet.Outcome(end.Word), Step: fleet.Step(end.Step), Code: fleet.Code(end.Code), Reason: end.Text, Hint: fleet.Code(end.Code).Hint()}
	case s.Err != nil:
		return NotReached(s.Err, h)
	}
	return Silent(fleet.Preflight, s.Silence())
}
