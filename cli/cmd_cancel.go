package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
)

func newCancel(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel [RUN]",
		Short: "End a run's jobs on its hosts",
		Long: `End a run: hosts that wait are not begun, and jobs that have not begun to activate end. A job that activates goes on to its
end, since half an activation is worse than a whole one. The rollback of a failed wave is a part of its run, and ends with it.

RUN is a run's id, a beginning of it, or its last four letters; without one, the last run.

EXIT STATUS

0  every host has answered
1  a host did not, or the run has ended
2  there is no such run, or the inventory is wrong
130  interrupted`,
		Example: `  fleetctl cancel
  fleetctl cancel k3f9`,
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
			ctx, stop := untilInterrupted(cmd.Context())
			defer stop()
			engine, pool := newEngine(env, newPlainPrinter(env, nil, false))
			defer pool.Close()
			err = engine.Cancel(ctx, record, inv, func(host, answer string) {
				fmt.Fprintf(env.Out, "%s: %s\n", host, answer)
			})
			if ctx.Err() != nil {
				return exit(fleet.ExitInterrupted, errors.New("interrupted"))
			}
			return err
		},
	}
}
