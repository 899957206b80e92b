package cli

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
)

type logsOptions struct {
	raw    bool
	follow bool
}

func newLogs(env *Env) *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:   "logs RUN HOST",
		Short: "Print what a host's job said in a run",
		Long: `Print the log of a host's job: what it printed, with Nix's progress left out, and fleetctl's own notes and warnings.
The log is printed as far as it was received; attach fetches the rest.

RUN is a run's id, a beginning of it, its last four letters, or "last".

EXIT STATUS

0  the log was printed
1  it cannot be read
2  there is no such run, or it has no such host
130  interrupted`,
		Example: `  fleetctl logs last hsb0
  fleetctl logs k3f9 hsb0 --raw
  fleetctl logs last hsb0 --follow`,
		Args: arguments(2, 2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return hostsOfRun(env, args), cobra.ShellCompDirectiveNoFileComp
			}
			return completeRun(env)(cmd, args, word)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			record, err := env.record(args[:1])
			if err != nil {
				return err
			}
			if err := hasHost(record, args[1]); err != nil {
				return err
			}
			return printLog(cmd.Context(), env, o, record, args[1])
		},
	}
	cmd.Flags().BoolVar(&o.raw, "raw", false, "the log's bytes as they came, markers, escape sequences and all")
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on until the job has ended")
	return cmd
}

func printLog(ctx context.Context, env *Env, o logsOptions, record *record.Record, host string) error {
	out := bufio.NewWriter(env.Out)
	palette := env.palette(env.OutTTY)
	show := func(stream, line string) {
		switch {
		case o.raw:
			return
		case stream == "warn":
			line = palette.Warn.Paint("warning:") + " " + line
		case stream == "note":
			line = palette.Strong.Paint(line)
		}
		fmt.Fprintln(out, line)
	}
	switch {
	case o.follow:
		return followLog(ctx, out, show, o.raw, record, host)
	case o.raw:
		log, err := record.Log(host)
		if err != nil {
			return err
		}
		defer log.Close()
		if _, err := io.Copy(out, log); err != nil {
			return err
		}
	default:
		if err := record.Lines(host, show); err != nil {
			return err
		}
	}
	return out.Flush()
}

// hasHost is an error where a run has no such host.
func hasHost(record *record.Record, host string) error {
	state, err := record.State()
	if err != nil || state.Host(host) != nil {
		return err
	}
	var names []string
	for _, h := range state.Hosts {
		names = append(names, h.Name)
	}
	hint := cmp.Or(inventory.DidYouMean(host, names), "it has "+inWords(names))
	return usage(hint, "run %s has no host %q", record.Run, host)
}

func hostsOfRun(env *Env, args []string) []cobra.Completion {
	record, err := env.record(args)
	if err != nil {
		return nil
	}
	state, err := record.State()
	if err != nil {
		return nil
	}
	var names []cobra.Completion
	for _, h := range state.Hosts {
		names = append(names, h.Name)
	}
	return names
}
