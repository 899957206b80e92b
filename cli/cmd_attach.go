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
		Short: "Follow a run, or finish one whose fleetctl is gone",
		Long: `Show a run from its first event and follow it until it finishes. If the fleetctl that started it is
gone, this one takes over: it asks the hosts about their jobs, fetches the rest of their logs, and
sends what is still missing, such as a confirmation. Hosts that had not started are skipped: deploy
to them again. The others continue as the run was started: hosts that have built and wait activate
wave after wave, with soaks in between, and a failed wave is rolled back if the run was started with
--on-failure rollback-wave.

RUN is a run's ID, the start of one, or its last four letters. The default is the last run. The
rollback of a failed wave is part of its run.

EXIT STATUS

That of the run:

0  every host is up to date
1  a host failed
2  there is no such run, or the inventory is invalid
3  no host failed, but some could not be reached
130  interrupted before the run finished; jobs on hosts continue`,
		Example: `  fleetctl attach
  fleetctl attach k3f9`,
		Args:              arguments(0, 1),
		ValidArgsFunction: completeRuns(env, 1),
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
	v.flags(cmd.Flags())
	return cmd
}
