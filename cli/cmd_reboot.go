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

// rebootTimeout is how long a host may take to come back.
const rebootTimeout = 10 * time.Minute

type rebootOptions struct {
	selection
	host.RebootOptions
	parallel int
	yes      bool
}

func newReboot(env *Env) *cobra.Command {
	var o rebootOptions
	cmd := &cobra.Command{
		Use:   "reboot SELECTOR...",
		Short: "Reboot hosts and wait until they are back",
		Long: `Reboot hosts, one wave after another. A host is back when it accepts a login and has booted again. A
wave starts when all hosts of the previous one are back. Hosts of kind home are skipped, since they
are not machines. A host that runs a job refuses to reboot.

--if-needed reboots only hosts that would boot into a different system, or have a different kernel,
initrd or kernel modules afterwards.

Without --yes, reboot prompts for confirmation. If standard input is not a terminal, --yes is
required.

EXIT STATUS

0  every host is back, or needed no reboot
1  a host refused, or did not come back in time
2  the command line or the inventory is invalid
3  a host without offline = "skip" could not be reached
130  interrupted; hosts that were asked to reboot do so`,
		Example: `  fleetctl reboot hsb0
  fleetctl reboot --all --if-needed --yes
  fleetctl reboot @server --timeout 20m`,
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, hosts, err := o.load(env, cmd, args)
			if err != nil {
				return err
			}
			if err := env.requireYes(o.yes, "reboot"); err != nil {
				return err
			}
			if !o.yes && !env.confirm(rebootPrompt(o, hosts)) {
				return exit(fleet.ExitInterrupted, errors.New("nothing was rebooted"))
			}
			return env.withClient(cmd.Context(), inv, unlessYes(o.yes, hosts), o.parallel, func(ctx context.Context, c *host.Client) error {
				if env.Secret != nil {
					c.SudoPassword = newSudoPasswords(env.Secret).password
				}
				return runReboot(ctx, env, o, c, hosts)
			})
		},
	}
	o.selection.flags(cmd, env)
	f := cmd.Flags()
	f.BoolVar(&o.IfNeeded, "if-needed", false, "reboot only hosts that need it")
	o.Limit = rebootTimeout
	f.Var((*timeoutFlag)(&o.Limit), "timeout", "how long a host may take to come back")
	parallelFlag(f, &o.parallel)
	yesFlag(f, &o.yes)
	return cmd
}

func rebootPrompt(o rebootOptions, hosts []*inventory.Host) string {
	var names []string
	for _, h := range hosts {
		if h.Kind != inventory.Home {
			names = append(names, h.Name)
		}
	}
	if o.IfNeeded {
		return fmt.Sprintf("Reboot those of %s (%s) that need it?", count(len(names), "host"), strings.Join(names, ", "))
	}
	return fmt.Sprintf("Reboot %s (%s)?", count(len(names), "host"), strings.Join(names, ", "))
}

func runReboot(ctx context.Context, env *Env, o rebootOptions, c *host.Client, hosts []*inventory.Host) error {
	ink := env.palette(env.OutTTY)
	labels := newLabels(env, hosts)
	code := fleet.ExitOK
	c.Reboot(ctx, hosts, o.RebootOptions, func(r host.RebootResult) {
		word := ink.Good.Paint("✓ rebooted") + fmt.Sprintf(" in %.0f s", r.Seconds)
		switch r.Outcome {
		case host.RebootNotNeeded:
			word = ink.Good.Paint("= not needed")
		case host.RebootSkipped:
			word = ink.Faint.Paint("- skipped")
		case host.RebootUnreachable:
			word = ink.Bad.Paint("? unreachable")
			if code == fleet.ExitOK {
				code = fleet.ExitUnreachable
			}
		case host.RebootRefused, host.RebootLost:
			word = ink.Bad.Paint("✗ " + string(r.Outcome))
			code = fleet.ExitFailed
		}
		if r.Reason != "" {
			word += ": " + r.Reason
		}
		fmt.Fprintln(env.Out, labels.of(c.Inventory.Host(r.Host), env.OutTTY)+word)
		printHint(env.Out, ink, r.Hint)
	})
	if ctx.Err() != nil {
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	}
	return exit(code, nil)
}
