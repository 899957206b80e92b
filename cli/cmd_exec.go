package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/hint"
)

type execOptions struct {
	selection
	parallel int
	timeout  time.Duration
	group    bool
	yes      bool
	output   string
}

func newExec(env *Env) *cobra.Command {
	var o execOptions
	cmd := &cobra.Command{
		Use:   "exec SELECTOR... -- COMMAND...",
		Short: "Run a command on many hosts",
		Long: `Run a command on many hosts at once and print its output line by line, each with the host's name.

The words of the command are joined with spaces and run by sh on the host, whatever the login shell,
with Nix's directories in PATH and nothing on standard input. Control characters and escape
sequences are removed from the output, and a line of more than 4096 characters is split. Of each
host, max_log bytes of output are printed; the inventory sets the limit.

A command that is typed at a terminal runs at once. From a script, a command for more than one host
requires --yes.

EXIT STATUS

0  the command exited with status 0 on every host
1  the command failed on a host
2  the command line or the inventory is invalid
3  no failure was seen, but some hosts could not be reached, or the connection was lost while the
   command ran
130  interrupted`,
		Example: `  fleetctl exec @server -- uptime
  fleetctl exec --all --group -- nixos-version
  fleetctl exec --all --timeout 10s -- 'df -h / | tail -1'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			exprs, words := splitAtDash(cmd, args)
			if len(words) == 0 {
				return usage("it follows two dashes: fleetctl exec SELECTOR -- uptime", "no command specified")
			}
			inv, hosts, err := o.load(env, cmd, exprs)
			if err != nil {
				return err
			}
			if len(hosts) > 1 {
				if err := env.requireYes(o.yes, "exec on "+count(len(hosts), "host")); err != nil {
					return err
				}
			}
			if o.parallel == 0 {
				o.parallel = inv.Parallel
			}
			return env.withDialer(cmd.Context(), unlessYes(o.yes, hosts), func(ctx context.Context, d host.Dialer) error {
				return runExec(ctx, env, o, d, hosts, strings.Join(words, " "))
			})
		},
	}
	o.flags(cmd, env)
	f := cmd.Flags()
	parallelFlag(f, &o.parallel)
	f.Var((*durationFlag)(&o.timeout), "timeout", "give up on a host after this long (default: never)")
	f.BoolVarP(&o.yes, "yes", "y", false, "run on several hosts although standard input is not a terminal")
	f.BoolVar(&o.group, "group", false, "print equal output, and equal failures, once for all hosts that have them")
	outputFlag(f, &o.output, "event")
	return cmd
}

// splitAtDash splits the arguments at "--".
func splitAtDash(cmd *cobra.Command, args []string) (before, after []string) {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		return args[:dash], args[dash:]
	}
	return args, nil
}

// execResult is the exit status of the command on a host, or the error that kept fleetctl from
// learning it.
type execResult struct {
	exit    int
	omitted int64 // bytes of output beyond the host's limit
	err     error
	unknown bool // the connection was lost while the command ran
}

func runExec(ctx context.Context, env *Env, o execOptions, d host.Dialer, hosts []*inventory.Host, command string) error {
	o.parallel = env.parallel(d, o.parallel, len(hosts))
	show := newExecPrinter(env, o, hosts)
	results := make(map[string]execResult)
	var mu sync.Mutex
	host.Each(ctx, hosts, o.parallel, func(ctx context.Context, h *inventory.Host) {
		out, err := show.streams(h)
		limited := newOutputLimit(h.MaxLog)
		result := execOn(ctx, o.timeout, d, h, host.Command{Stdout: limited.writer(out), Stderr: limited.writer(err)}, command)
		result.omitted = limited.omitted()
		out.close()
		err.close()
		show.finished(h, result)
		mu.Lock()
		defer mu.Unlock()
		results[h.Name] = result
	})
	show.close()
	if ctx.Err() != nil {
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	}
	return exit(reportExec(env, o.group, hosts, results), nil)
}

// execOn runs a command on one host. cmd has the writers for its output. If timeout is 0 there is
// none.
func execOn(ctx context.Context, timeout time.Duration, d host.Dialer, h *inventory.Host, cmd host.Command, command string) execResult {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, fmt.Errorf("timed out after %v", timeout))
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
	result := execResult{exit: exit, err: err}
	if err != nil {
		result.unknown = ctx.Err() == nil && offline(err)
		result.err = cmp.Or(context.Cause(ctx), err)
	}
	return result
}

// reportExec prints to standard error the hosts on which the command failed, equal reports once if
// group is set, and returns the exit code.
func reportExec(env *Env, group bool, hosts []*inventory.Host, results map[string]execResult) int {
	failed, unreachable := 0, 0
	palette := env.palette(env.ErrTTY)
	type report struct {
		text, hint string
		names      []string
	}
	var reports []*report
	add := func(h *inventory.Host, hint, format string, args ...any) {
		one := &report{text: fmt.Sprintf(format, args...), hint: hint}
		at := -1
		if group {
			at = slices.IndexFunc(reports, func(r *report) bool { return r.text == one.text && r.hint == hint })
		}
		if at < 0 {
			at = len(reports)
			reports = append(reports, one)
		}
		reports[at].names = append(reports[at].names, palette.Host(h.Color).Paint(h.Name))
	}
	for _, h := range hosts {
		r := results[h.Name]
		if r.omitted > 0 {
			add(h, "", "%d bytes of output are left out: it is longer than max_log in hosts.toml", r.omitted)
		}
		switch {
		case r.err == nil && r.exit == 0:
		case r.err == nil:
			failed++
			add(h, "", "exit status %d", r.exit)
		case r.unknown:
			unreachable++
			add(h, "", "unknown whether the command succeeded: %s", withoutName(r.err.Error(), h))
		case offline(r.err) && h.SkipOffline:
			add(h, "", "skipped: %s", withoutName(r.err.Error(), h))
		default:
			if offline(r.err) {
				unreachable++
			} else {
				failed++
			}
			add(h, hint.Of(r.err), "%s", withoutName(r.err.Error(), h))
		}
	}
	for _, r := range reports {
		who := strings.Join(r.names, ", ")
		if len(r.names) > 1 {
			who += fmt.Sprintf(" (%s)", count(len(r.names), "host"))
		}
		fmt.Fprintf(env.Err, "%s: %s\n", who, r.text)
		printHint(env.Err, palette, r.hint)
	}
	switch {
	case failed > 0:
		return fleet.ExitFailed
	case unreachable > 0:
		return fleet.ExitUnreachable
	}
	return fleet.ExitOK
}
