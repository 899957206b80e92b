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
		Short: "Stop a run's jobs on its hosts",
		Long: `Stop a run: waiting hosts do not start, and jobs that have not started to activate stop. A job that
is activating finishes, since half an activation is worse than a whole one. The rollback of a failed
wave is part of its run and is cancelled with it.

RUN is a run's ID, the start of one, or its last four letters. The default is the last run.

EXIT STATUS

0  every host answered
1  a host did not answer, or the run has finished
2  there is no such run, or the inventory is invalid
130  interrupted`,
		Example: `  fleetctl cancel
  fleetctl cancel k3f9`,
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
			ctx, stop := untilInterrupted(cmd.Context())
			defer stop()
			engine, pool := newEngine(env, newPlainPrinter(env, nil))
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
