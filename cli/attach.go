package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
)

func newAttach(env *Env) *cobra.Command {
	var v view
	cmd := &cobra.Command{
		Use:   "attach [RUN]",
		Short: "Show a run that goes on, or settle one that was left",
		Long: `Show a run from its first event on, and follow it to its end. Where the fleetctl that began it is gone, this one takes
over: it asks the hosts how their jobs stand, fetches what was missed of their logs, and says what is still to be said to them. A
host that had not begun when the other fleetctl ended is skipped: deploy again. For all others it is as the run was told: what waits,
built, goes on wave after wave, with soaks between them, and a wave that fails is rolled back where --on-failure said so.

RUN is a run's id, a beginning of it, or its last four letters; without one, the last run. The rollback of a failed wave
is a part of the run that it belongs to.

EXIT STATUS

That of the run:

0  every host is as wanted
1  a host failed
2  there is no such run, or the inventory is wrong
3  no host failed, some could not be reached
130  left before the end; jobs on hosts go on`,
		Example: `  fleetctl attach
  fleetctl attach k3f9`,
		Args:              arguments(0, 1),
		ValidArgsFunction: completeRun(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			record, err := env.record(args)
			if err != nil {
				return err
			}
			inv, err := loadInventory(env, cmd)
			if err != nil {
				return err
			}
			return v.follow(cmd.Context(), env, inv.Hosts, func(ctx context.Context, e *engine.Engine, sink func(fleet.Event)) (fleet.Summary, error) {
				return e.Attach(ctx, record, inv, sink)
			})
		},
	}
	v.flags(cmd)
	return cmd
}
