package fleet

import (
	"context"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// CheckHost asks a host whether a deploy could begin there, and changes nothing. The outcome is [Unchanged] where it could. warn is
// given what would not keep a deploy from beginning, but is worth knowing.
func CheckHost(ctx context.Context, d Dialer, inv *inventory.Inventory, h *inventory.Host, operator string, warn func(line string)) *Result {
	conn, err := d.Dial(ctx, h)
	if err != nil {
		return notReached(err, h)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, h.Timeouts.Preflight+grace)
	defer cancel()

	plan := &Plan{Remote: inv.Remote, Branch: inv.Branch, Operator: operator, Options: Options{Goal: GoalSwitch}}
	token := remote.Token()
	s := open(ctx, conn, plan.job("check", h, "").Check(token), token, nil)
	defer s.close()
	var header *remote.Header
	var parser *remote.Parser
	var end *remote.Item
	for m := range s.messages {
		switch {
		case m.header != nil:
			header = m.header
			parser = remote.NewParser(header.Nonce, func(it remote.Item) {
				switch it.Kind {
				case remote.WarnItem:
					warn(it.Text)
				case remote.EndItem:
					end = &it
				}
			})
		case parser != nil:
			parser.Write(m.log)
		}
	}
	switch {
	case header != nil && header.Word == "refused":
		return refused(Preflight, *header, h)
	case end != nil:
		return &Result{Outcome: Outcome(end.Word), Step: Step(end.Step), Code: end.Code, Reason: end.Text, Hint: hint(end.Code)}
	case s.err != nil:
		return notReached(s.err, h)
	}
	return silent(Preflight, s.silence())
}
