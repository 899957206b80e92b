package host

import (
	"context"
	"errors"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// Preflight checks whether a deploy could start on a host, without changing anything there. The
// outcome is [fleet.Unchanged] if it could. warn is called with problems that would not stop a
// deploy.
func (c *Client) Preflight(ctx context.Context, h *inventory.Host, warn func(line string)) *fleet.Result {
	conn, err := c.Dialer.Dial(ctx, h)
	if err != nil {
		return DialResult(err, h)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, h.Timeouts.Preflight+Grace)
	defer cancel()

	plan := &fleet.Plan{
		Remote: c.Inventory.Remote, Branch: c.Inventory.Branch, Operator: c.Operator,
		Options: fleet.Options{
			Goal: fleet.GoalSwitch,
			// A deploy that pulls requires the checkout to be on the branch. The check stops before
			// it would use the commit, so the name of the branch is enough.
			Pinned: fleet.Revision{Commit: c.Inventory.Branch},
		},
	}
	token := remote.Token()
	s := OpenSession(ctx, conn, NewJob(plan, "check", h).Check(token), token, nil)
	defer s.Close()
	var header *remote.Header
	var parser *remote.Parser
	var end *remote.Item
	var unusable *AnswerError
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
		return RefusalResult(fleet.Preflight, *header, h)
	case end != nil:
		code := fleet.Code(end.Code)
		return &fleet.Result{Outcome: fleet.Outcome(end.Word), Step: fleet.Step(end.Step), Code: code, Reason: end.Text, Hint: code.Hint()}
	case errors.As(s.Err, &unusable):
		return unusable.result(fleet.Preflight)
	case s.Err != nil:
		return DialResult(s.Err, h)
	case header != nil:
		return s.Incomplete().result(fleet.Preflight)
	}
	return ShellResult(fleet.Preflight, s.NotRun())
}
