package cli

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/record"
)

// records is where runs are remembered: under $XDG_STATE_HOME, which counts only where it is absolute.
func (env *Env) records() *record.Store {
	state := env.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		state = filepath.Join(env.Home, ".local", "state")
	}
	return &record.Store{Dir: filepath.Join(state, "fleetctl", "runs")}
}

// record is the run that an argument names: by its id, a unique part of it, or "last"; without one, the last.
func (env *Env) record(args []string) (*record.Record, error) {
	var record *record.Record
	var err error
	if len(args) == 0 || args[0] == "last" {
		record, err = env.records().Latest()
	} else {
		record, err = env.records().Open(args[0])
	}
	if err != nil {
		return nil, exit(fleet.ExitUsage, err)
	}
	return record, nil
}

// completeRun offers the ids of recorded runs to the shell, for the first argument.
func completeRun(env *Env) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		all, err := env.records().List()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var ids []cobra.Completion
		for _, record := range all {
			ids = append(ids, record.Run)
		}
		return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}
