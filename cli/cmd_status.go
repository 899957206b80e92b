package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/internal/hint"
)

type statusOptions struct {
	parallel int
	exitCode bool
	output   string
	watch    bool
	interval time.Duration
}

func newStatus(env *Env) *cobra.Command {
	var selected selection
	o := statusOptions{interval: 10 * time.Second}
	cmd := &cobra.Command{
		Use:   "status [SELECTOR...]",
		Short: "Show each host's status and drift",
		Long: `Show the status of all hosts, or of the selected ones, and how they differ from the target: the commit at the tip of the
inventory's branch, as reported by git on this machine.

Each host is asked once, over one connection; nothing is changed, fetched or built there. A host is "current" if its checkout
and its running system are at the target and nothing else is wrong with it. If git cannot report the target, no host is called
current, and a checkout is compared with the commits that it fetched last.

A host on which the last run from this machine failed is "failed" until its next run. If the last deploy did not reach a host,
it is pending: deploy --owed makes up for it.

With --output json, each host is one line on standard output; fleetctl schema health describes its health.

With --watch, the hosts are asked again and again until ctrl-c. A terminal shows the newest table. Otherwise, a line is printed for
each host at first and whenever it changes; with --output json, for each host each time. The exit status is that of the last
complete round.

EXIT STATUS

0  every host was asked
1  a host answered but could not be queried
2  the command line or the inventory is invalid
3  a host could not be reached, other than those with offline = "skip"
4  with --exit-code: a host has drifted; takes precedence over 3
130  interrupted; with --watch, before the first round was complete`,
		Example: `  fleetctl status
  fleetctl status @server --exit-code
  fleetctl status --watch --interval 1m
  fleetctl status --output json | jq -r 'select(.drift != []) | .host'`,
		ValidArgsFunction: completeSelector(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("interval") && !o.watch {
				return usage("add --watch", "--interval is for --watch")
			}
			inv, hosts, err := selected.loadOrAll(env, cmd, args)
			if err != nil {
				return err
			}
			return env.withClient(cmd.Context(), inv, hosts, o.parallel, func(ctx context.Context, c *host.Client) error {
				return runStatus(ctx, env, o, c, hosts)
			})
		},
	}
	parallelFlag(cmd.Flags(), &o.parallel)
	cmd.Flags().BoolVar(&o.exitCode, "exit-code", false, "exit with status 4 if a host has drifted")
	cmd.Flags().BoolVar(&selected.all, "all", false, "select every host of the inventory, as without a selector")
	outputFlag(cmd.Flags(), &o.output, "host")
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "repeat until ctrl-c")
	cmd.Flags().Var((*timeoutFlag)(&o.interval), "interval", "with --watch, wait this long between two rounds")
	return cmd
}

// hostReport is everything that status reports about a host.
type hostReport struct {
	host *inventory.Host
	host.Status
	health.Judgement
	pending *record.PendingDeploy // nil if there is none
	tests   *health.TestRun       // the last result of the repository tests; nil if there is none
}

func runStatus(ctx context.Context, env *Env, o statusOptions, c *host.Client, hosts []*inventory.Host) error {
	look := func(ctx context.Context, env *Env) statusRound { return lookAtHosts(ctx, env, c, hosts) }
	if o.watch {
		return watchStatus(ctx, env, o, c.Inventory, look)
	}
	round := look(ctx, env)
	if ctx.Err() != nil {
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	}
	print := printStatus
	if o.output == outputJSON {
		print = printStatusJSON
	}
	if err := print(env, c.Inventory, round); err != nil {
		return err
	}
	return exit(statusCode(round.reports, o.exitCode), nil)
}

// statusRound is what all hosts reported when they were asked once.
type statusRound struct {
	revision string // the target's; "" if unknown
	reports  []hostReport
}

// lookAtHosts asks all hosts once. It prints what else it could not find out.
func lookAtHosts(ctx context.Context, env *Env, c *host.Client, hosts []*inventory.Host) statusRound {
	inv := c.Inventory
	var revision string
	var history record.HostHistory
	var tipErr, historyErr error
	var lookups sync.WaitGroup
	lookups.Go(func() { revision, tipErr = env.branchTip(ctx, inv) })
	lookups.Go(func() { history, historyErr = env.records().HostHistory(inv.Name) })
	found := make(map[string]host.Status)
	c.Status(ctx, hosts, func(s host.Status) { found[s.Host] = s })
	lookups.Wait()
	if ctx.Err() != nil {
		return statusRound{}
	}
	if tipErr != nil && !errors.Is(tipErr, errNoRemote) {
		fmt.Fprintf(env.Err, "fleetctl: cannot read the fleet's branch: %v\n", tipErr)
	}
	if historyErr = env.warnOfDamage(historyErr); historyErr != nil {
		fmt.Fprintf(env.Err, "fleetctl: cannot tell which deploys failed or are pending: %v\n", historyErr)
	}
	return statusRound{revision, judgeAll(inv, revision, hosts, found, history)}
}

// judgeAll reports on hosts by what was found, in the order of the hosts.
func judgeAll(inv *inventory.Inventory, revision string, hosts []*inventory.Host, found map[string]host.Status, history record.HostHistory) []hostReport {
	var checkouts []*health.Checkout
	for _, h := range hosts {
		if seen := found[h.Name].Health; seen != nil {
			checkouts = append(checkouts, seen.Checkout)
		}
	}
	target := health.Target{Revision: revision, Branch: inv.Branch, Lock: health.UsualLock(revision, checkouts)}
	var reports []hostReport
	for _, h := range hosts {
		r := hostReport{host: h, Status: found[h.Name]}
		target.Managed = h.Managed
		evidence := health.Evidence{Seen: r.Observation(), Target: target, OfflineOK: h.SkipOffline}
		if last, ok := history.LastRuns[h.Name]; ok {
			evidence.LastRun = &last
		}
		if tests, ok := history.Tests[h.Name]; ok {
			r.tests = &tests
		}
		r.Judgement = health.Judge(evidence)
		r.findPending(history.Pending)
		reports = append(reports, r)
	}
	return reports
}

// findPending finds the host's pending deploy. A host that runs its revision by now has none.
func (r *hostReport) findPending(all []record.PendingDeploy) {
	at := slices.IndexFunc(all, func(p record.PendingDeploy) bool { return p.Host == r.host.Name })
	if at >= 0 && (r.Health == nil || all[at].Revision == "" || r.Health.System.Revision != all[at].Revision) {
		r.pending = &all[at]
	}
}

func statusCode(reports []hostReport, drift bool) int {
	code := fleet.ExitOK
	for _, r := range reports {
		switch {
		case r.Err == nil && (!drift || len(r.Drift) == 0), r.offline() && r.host.SkipOffline:
		case r.Err != nil && !r.offline():
			return fleet.ExitFailed
		case r.Err == nil:
			code = fleet.ExitDrift
		case code == fleet.ExitOK:
			code = fleet.ExitUnreachable
		}
	}
	return code
}

// offline reports whether nothing answered.
func (r hostReport) offline() bool { return r.Observation().Reach == health.Offline }

// statusJSON is a host in --output json.
type statusJSON struct {
	Host      string       `json:"host"`
	Reachable bool         `json:"reachable"`
	Address   string       `json:"address,omitempty"` // that answered, or "local" without SSH
	Time      time.Time    `json:"time"`
	State     string       `json:"state"`
	Reason    string       `json:"reason,omitempty"` // why the state is not current
	Wanted    string       `json:"wanted,omitempty"` // the target's revision
	Drift     health.Drift `json:"drift"`
	// if it failed or left the host degraded
	LastRun *health.LastRun       `json:"last_run,omitempty"`
	Owed    *record.PendingDeploy `json:"owed,omitempty"`
	// of the repository, when they were last run
	Tests  *health.TestRun `json:"tests,omitempty"`
	Health *health.Health  `json:"health,omitempty"`
	// why an agent that answers is not used
	Agent string `json:"agent_error,omitempty"`
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

func printStatusJSON(env *Env, _ *inventory.Inventory, round statusRound) error {
	lines := jsonLines(env.Out)
	for _, r := range round.reports {
		line := statusJSON{
			Host: r.host.Name, Reachable: r.Reachable, Address: r.Address, Time: r.Time, State: r.State.String(), Reason: r.Reason,
			Wanted: round.revision, Drift: r.Drift, LastRun: r.LastRun, Owed: r.pending, Tests: r.tests, Health: r.Health,
		}
		if r.OtherAgent != nil {
			line.Agent = r.OtherAgent.Error()
		}
		if r.Err != nil {
			line.Error = withoutName(r.Err.Error(), r.host)
			line.Hint = hint.Of(r.Err)
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}
