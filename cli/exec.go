package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

type execOptions struct {
	selection
	parallel int
	timeout  time.Duration
	group    bool
	output   string
}

func newExec(env *Env) *cobra.Command {
	var o execOptions
	cmd := &cobra.Command{
		Use:   "exec SELECTOR... -- COMMAND...",
		Short: "Run a command on many hosts",
		Long: `Run a command on many hosts at once and show what it prints, line by line, with the host's name before it.

The words of the command are joined by spaces and run by sh on the host, whatever the login shell, with the directories
of Nix in PATH and nothing on standard input. Control characters and escape sequences are removed from the output, and a line of
more than 4096 characters is broken into several.

EXIT STATUS

0  the command ended with status 0 on every host
1  it did not, on at least one host
2  the command line or the inventory is wrong
3  it failed nowhere, but some hosts could not be reached
130  interrupted`,
		Example: `  fleetctl exec @server -- uptime
  fleetctl exec --all --group -- nixos-version
  fleetctl exec --all --timeout 10s -- 'df -h / | tail -1'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			exprs, words := splitAtDash(cmd, args)
			if len(words) == 0 {
				return usage("it follows two dashes: fleetctl exec SELECTOR -- uptime", "no command was given")
			}
			inv, hosts, err := o.load(env, cmd, exprs)
			if err != nil {
				return err
			}
			if o.parallel == 0 {
				o.parallel = inv.Parallel
			}
			return env.visit(cmd.Context(), func(ctx context.Context, d host.Dialer) error {
				return runExec(ctx, env, o, d, hosts, strings.Join(words, " "))
			})
		},
	}
	o.flags(cmd, env)
	parallelFlag(cmd.Flags(), &o.parallel)
	cmd.Flags().Var((*length)(&o.timeout), "timeout", "give a host up after this `time`; without it, never")
	cmd.Flags().BoolVar(&o.group, "group", false, "show equal output once, under the hosts that gave it")
	outputFlag(cmd, &o.output, "event")
	return cmd
}

// splitAtDash cuts the arguments at "--".
func splitAtDash(cmd *cobra.Command, args []string) (before, after []string) {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		return args[:dash], args[dash:]
	}
	return args, nil
}

// execResult is how the command ended on a host. err is not nil where its end was not seen.
type execResult struct {
	exit int
	err  error
}

func runExec(ctx context.Context, env *Env, o execOptions, d host.Dialer, hosts []*inventory.Host, command string) error {
	show := newExecPrinter(env, o, hosts)
	results := make(map[string]execResult)
	var mu sync.Mutex
	host.Each(ctx, hosts, o.parallel, func(ctx context.Context, h *inventory.Host) {
		out, err := show.streams(h)
		result := execOn(ctx, o.timeout, d, h, host.Command{Stdout: out, Stderr: err}, command)
		out.close()
		err.close()
		show.ended(h, result)
		mu.Lock()
		defer mu.Unlock()
		results[h.Name] = result
	})
	show.finish()
	if ctx.Err() != nil {
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	}
	return exit(reportExec(env, hosts, results), nil)
}

// execOn runs the command on one host; cmd says where its output goes.
func execOn(ctx context.Context, timeout time.Duration, d host.Dialer, h *inventory.Host, cmd host.Command, command string) execResult {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no end after %v", timeout))
		defer cancel()
	}
	conn, err := d.Dial(ctx, h)
	if err != nil {
		return execResult{err: cmp.Or(context.Cause(ctx), err)}
	}
	defer conn.Close()
	script := remote.Exec(command)
	cmd.Script, cmd.Args = script.Text, script.Args
	exit, err := conn.Run(ctx, cmd)
	if err != nil {
		err = cmp.Or(context.Cause(ctx), err)
	}
	return execResult{exit: exit, err: err}
}

// reportExec names on standard error the hosts where it did not go well, and returns the exit code.
func reportExec(env *Env, hosts []*inventory.Host, results map[string]execResult) int {
	failed, unreachable := 0, 0
	palette := env.palette(env.ErrTTY)
	for _, h := range hosts {
		r := results[h.Name]
		name := palette.Host(h.Color).Paint(h.Name)
		switch {
		case r.err == nil && r.exit == 0:
		case r.err == nil:
			failed++
			fmt.Fprintf(env.Err, "%s: exit status %d\n", name, r.exit)
		case offline(r.err) && h.SkipOffline:
			fmt.Fprintf(env.Err, "%s: skipped: %s\n", name, withoutName(r.err.Error(), h))
		default:
			if offline(r.err) {
				unreachable++
			} else {
				failed++
			}
			fmt.Fprintf(env.Err, "%s: %s\n", name, withoutName(r.err.Error(), h))
			printHint(env.Err, palette, r.err)
		}
	}
	switch {
	case failed > 0:
		return fleet.ExitFailed
	case unreachable > 0:
		return fleet.ExitUnreachable
	}
	return fleet.ExitOK
}

// offline reports whether nothing answered.
func offline(err error) bool { return host.ContactOf(err).Reach == health.Offline }

// withoutName takes the host's name off an error that begins with it, where it stands before the error anyway.
func withoutName(text string, h *inventory.Host) string {
	return clean.Text(strings.TrimPrefix(text, h.Name+": "))
}
