package cli

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/tui"
)

type logsOptions struct {
	raw    bool
	follow bool
}

func newLogs(env *Env) *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:   "logs RUN HOST",
		Short: "Print the log of a host in a run",
		Long: `Print the log of a host's job: the job's output, without Nix's progress messages, and fleetctl's own notes and warnings. Only
what was received so far is printed; fleetctl attach fetches the rest.

RUN is a run's ID, a prefix of it, its last four letters, or "last".

EXIT STATUS

0  the log was printed
1  the log could not be read
2  there is no such run, or the run has no such host
130  interrupted`,
		Example: `  fleetctl logs last hsb0
  fleetctl logs k3f9 hsb0 --raw
  fleetctl logs last hsb0 --follow`,
		Args: arguments(2, 2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return hostsOfRun(env, args), cobra.ShellCompDirectiveNoFileComp
			}
			return completeRuns(env, 1)(cmd, args, word)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			rec, err := env.record(args[:1])
			if err != nil {
				return err
			}
			if err := requireHost(env, rec, args[1]); err != nil {
				return err
			}
			return printLog(cmd.Context(), env, o, rec, args[1])
		},
	}
	cmd.Flags().BoolVar(&o.raw, "raw", false, "print the log's bytes unchanged, with markers and escape sequences")
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "keep printing until the job ends")
	return cmd
}

func printLog(ctx context.Context, env *Env, o logsOptions, rec *record.Record, host string) error {
	out := &logOutput{Writer: bufio.NewWriter(env.Out), palette: env.palette(env.OutTTY), raw: o.raw}
	switch {
	case o.follow:
		return followLog(ctx, out, rec, host)
	case o.raw:
		log, err := rec.Log(host)
		if err != nil {
			return err
		}
		defer log.Close()
		if _, err := io.Copy(out, log); err != nil {
			return err
		}
	default:
		if err := rec.Lines(host, out.line); err != nil {
			return err
		}
	}
	return out.Flush()
}

// logOutput prints a log: its lines or, if raw is true, its bytes.
type logOutput struct {
	*bufio.Writer
	palette tui.Palette
	raw     bool
}

// line prints one line, unless the log is printed raw.
func (o *logOutput) line(stream, text string) {
	switch {
	case o.raw:
		return
	case stream == "warn":
		text = o.palette.Warn.Paint("warning:") + " " + text
	case stream == "note":
		text = o.palette.Strong.Paint(text)
	}
	fmt.Fprintln(o, text)
}

// requireHost returns an error if the run has no such host. If the record's events are damaged, the
// logs next to them may still be complete.
func requireHost(env *Env, rec *record.Record, host string) error {
	state, err := rec.State()
	if err != nil && slices.Contains(rec.LogHosts(), host) {
		return env.warnOfDamage(err)
	}
	if err != nil || state.Host(host) != nil {
		return err
	}
	var names []string
	for _, h := range state.Hosts {
		names = append(names, h.Name)
	}
	hint := cmp.Or(inventory.DidYouMean(host, names), "the run's hosts are "+nameList(names))
	return usage(hint, "run %s has no host %q", rec.Run, host)
}
