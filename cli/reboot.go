package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// rebootLimit is the time that a host has, as a rule, to be back.
const rebootLimit = 10 * time.Minute

type rebootOptions struct {
	selection
	host.RebootOptions
	yes bool
}

func newReboot(env *Env) *cobra.Command {
	var o rebootOptions
	cmd := &cobra.Command{
		Use:   "reboot SELECTOR...",
		Short: "Reboot hosts, and see them come back",
		Long: `Reboot hosts, wave after wave. A host is back when it lets somebody in and is in another boot than before; a wave begins when
the hosts of the one before are back. Users' homes are no machines, and are skipped; a host on which a job is at work is refused.

With --if-needed, hosts are left alone that would neither start another system nor have another kernel, initrd or kernel
modules after it.

EXIT STATUS

0  every host is back, or needed no reboot
1  a host refused, or did not come back in time
2  the command line or the inventory is wrong
3  a host could not be reached, but for those with offline = "skip"
130  interrupted; hosts that were told to reboot do so`,
		Example: `  fleetctl reboot hsb0
  fleetctl reboot --all --if-needed --yes
  fleetctl reboot @server --timeout 20m`,
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, hosts, err := o.load(env, cmd, args)
			if err != nil {
				return err
			}
			if o.Parallel == 0 {
				o.Parallel = inv.Parallel
			}
			if env.InTTY && !o.yes && !env.confirm(rebootQuestion(o, hosts)) {
				return exit(fleet.ExitInterrupted, errors.New("nothing was rebooted"))
			}
			if env.Secret != nil {
				o.SudoPassword = newSudoPasswords(env.Secret).password
			}
			return env.visit(cmd.Context(), func(ctx context.Context, d host.Dialer) error { return runReboot(ctx, env, o, d, inv, hosts) })
		},
	}
	o.selection.flags(cmd, env)
	f := cmd.Flags()
	f.BoolVar(&o.IfNeeded, "if-needed", false, "leave hosts alone that need none")
	o.Limit = rebootLimit
	f.Var((*limit)(&o.Limit), "timeout", "the `time` in which a host has to be back")
	parallelFlag(f, &o.Parallel)
	f.BoolVar(&o.yes, "yes", false, "do not ask; without a terminal nobody is asked")
	return cmd
}

func rebootQuestion(o rebootOptions, hosts []*inventory.Host) string {
	var names []string
	for _, h := range hosts {
		if h.Kind != inventory.Home {
			names = append(names, h.Name)
		}
	}
	if o.IfNeeded {
		return fmt.Sprintf("reboot those of %s (%s) that need it?", count(len(names), "host"), strings.Join(names, ", "))
	}
	return fmt.Sprintf("reboot %s (%s)?", count(len(names), "host"), strings.Join(names, ", "))
}

func runReboot(ctx context.Context, env *Env, o rebootOptions, d host.Dialer, inv *inventory.Inventory, hosts []*inventory.Host) error {
	ink := env.palette(env.OutTTY)
	labels := newLabels(env, hosts)
	code := fleet.ExitOK
	host.Reboot(ctx, d, inv, hosts, o.RebootOptions, func(r host.RebootResult) {
		word := ink.Good.Paint("✓ rebooted") + fmt.Sprintf(" in %.0f s", r.Seconds)
		switch r.Word {
		case host.RebootNotNeeded:
			word = ink.Good.Paint("= not needed")
		case host.RebootSkipped:
			word = ink.Faint.Paint("- skipped")
		case host.RebootAway:
			word = ink.Bad.Paint("? unreachable")
			if code == fleet.ExitOK {
				code = fleet.ExitUnreachable
			}
		case host.RebootRefused, host.RebootLost:
			word = ink.Bad.Paint("✗ " + string(r.Word))
			code = fleet.ExitFailed
		}
		if r.Reason != "" {
			word += ": " + r.Reason
		}
		fmt.Fprintln(env.Out, labels.of(inv.Host(r.Host), env.OutTTY)+word)
		if r.Hint != "" {
			fmt.Fprintf(env.Out, "  %s %s\n", ink.Strong.Paint("hint:"), r.Hint)
		}
	})
	if ctx.Err() != nil {
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	}
	return exit(code, nil)
}
