package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/markus-barta/nixfleet/fleet"
)

// runOptions are the options of all commands that start a run.
type runOptions struct {
	selection
	view
	fleet.Options
	yes bool
}

// flags declares the flags that all of these commands have.
func (o *runOptions) flags(cmd *cobra.Command, env *Env) {
	o.selection.flags(cmd, env)
	o.runFlags(cmd)
	groupFlags(cmd, "Output", o.view.flags)
}

func (o *runOptions) runFlags(cmd *cobra.Command) {
	groupFlags(cmd, "Run", func(f *pflag.FlagSet) {
		parallelFlag(f, &o.Parallel)
		f.Var((*durationFlag)(&o.WaitOnline), "wait-online", "wait up to this long for hosts that are offline, while the others continue")
		yesFlag(f, &o.yes)
	})
}

// yesFlag declares --yes.
func yesFlag(f *pflag.FlagSet, yes *bool) {
	f.BoolVarP(yes, "yes", "y", false, "do not prompt for confirmation")
}

// requireYes returns an error if a command that prompts for confirmation has neither a terminal nor
// --yes.
func (env *Env) requireYes(yes bool, command string) error {
	if yes || env.InTTY {
		return nil
	}
	return usage("add --yes", "fleetctl %s requires confirmation, and standard input is not a terminal", command)
}

func (o *runOptions) confirmFlags(f *pflag.FlagSet) {
	choiceVar(f, &o.Confirm, "confirm", "", "who may keep the new configuration: the operator over a new login, the host itself, or none, "+
		"which keeps it whatever happens (default: operator; with --detach, self)",
		fleet.ConfirmOperator, fleet.ConfirmSelf, fleet.ConfirmNone).about = map[string]string{
		fleet.ConfirmOperator: "over a new login",
		fleet.ConfirmSelf:     "the host, by what still answers",
		fleet.ConfirmNone:     "keep it whatever happens",
	}
	o.ConfirmTimeout = fleet.DefaultConfirmTimeout
	f.Var((*timeoutFlag)(&o.ConfirmTimeout), "confirm-timeout", "roll back a host that has not been confirmed after this long")
	f.BoolVar(&o.Detach, "detach", false, "exit once every job has started; hosts confirm on their own")
	f.BoolVar(&o.StealLock, "steal-lock", false, "stop another run's job on the host, unless it is already activating")
}

func (o *runOptions) inhibitedFlag(f *pflag.FlagSet) {
	choiceVar(f, &o.OnInhibited, "on-inhibited", "", "if a NixOS switch is inhibited, fail, or prepare the next boot (default: on_inhibited in the inventory)",
		fleet.InhibitedFail, fleet.InhibitedBoot).about = map[string]string{
		fleet.InhibitedFail: "change nothing",
		fleet.InhibitedBoot: "activate it at the next boot",
	}
}

func (o *runOptions) waveFlags(f *pflag.FlagSet) {
	f.Var(&o.Canary, "canary", "deploy to this many hosts of the first wave before the rest of it")
	f.Var((*durationFlag)(&o.Soak), "soak", "wait this long between two waves, then check the earlier one again")
	f.Var(&o.MaxFailures, "max-failures", "stop starting hosts once more than this many of the run have failed")
	f.Var(&o.MaxWaveFailures, "max-wave-failures", "stop starting hosts once more than this many of a wave have failed")
	choiceVar(f, &o.OnFailure, "on-failure", fleet.OnFailureHalt, "if a wave fails, halt, continue with the next one, or roll back its hosts and halt",
		fleet.OnFailureHalt, fleet.OnFailureContinue, fleet.OnFailureRollback).about = map[string]string{
		fleet.OnFailureHalt:     "start no later wave",
		fleet.OnFailureContinue: "start the next wave",
		fleet.OnFailureRollback: "roll back its hosts and start no later wave",
	}
	f.BoolVar(&o.BuildFirst, "build-first", false, "let no host activate until all have built or failed to build")
}

// operator identifies who deploys, for others that find a host locked.
func (env *Env) operator() string { return env.User + "@" + env.Machine }
