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
}

func newStatus(env *Env) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status [SELECTOR...]",
		Short: "Show how hosts fare, and which are not as wanted",
		Long: `Show how hosts fare, and which are not as wanted: all hosts, or those selected.

A host is asked once, over one connection, and nothing is changed, fetched or built there: its checkout is held against the
commit that the inventory's branch is at, which the git of this machine is asked for; so is what runs there. A host is
"current" where nothing differs. Without an answer from git, the commits that a checkout fetched last have to do.

A host that the last deploy from this machine did not get to is owed one: deploy --owed makes good for it.

With --output json, each host is one line on standard output; fleetctl schema health describes its health.

EXIT STATUS

0  every host was asked
1  a host is there and could not be asked
2  the command line or the inventory is wrong
3  a host could not be reached, but for those with offline = "skip"
4  with --exit-code: a host is not as wanted; comes before 3
130  interrupted`,
		Example: `  fleetctl status
  fleetctl status @server --exit-code
  fleetctl status --output json | jq -r 'select(.drift != []) | .host'`,
		ValidArgsFunction: completeSelector(env),
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, hosts, err := loadHosts(env, cmd, args)
			if err != nil {
				return err
			}
			return env.withDialer(cmd.Context(), func(ctx context.Context, d host.Dialer) error { return runStatus(ctx, env, o, d, inv, hosts) })
		},
	}
	parallelFlag(cmd.Flags(), &o.parallel)
	cmd.Flags().BoolVar(&o.exitCode, "exit-code", false, "exit with 4 where a host is not as wanted")
	outputFlag(cmd.Flags(), &o.output, "host")
	return cmd
}

// hostReport is a host with all that status has to say about it.
type hostReport struct {
	host *inventory.Host
	host.HostStatus
	drift health.Drift
	owed  *record.Debt // nil where nothing is
}

func runStatus(ctx context.Context, env *Env, o statusOptions, d host.Dialer, inv *inventory.Inventory, hosts []*inventory.Host) error {
	if o.parallel == 0 {
		o.parallel = inv.Parallel
	}
	var revision string
	var debts []record.Debt
	var unread error
	var asking sync.WaitGroup
	asking.Go(func() { revision = env.tip(ctx, inv) })
	asking.Go(func() { debts, unread = env.records().Owed(inv.Name) })
	found := make(map[string]host.HostStatus)
	host.Status(ctx, d, inv, hosts, o.parallel, func(s host.HostStatus) { found[s.Host] = s })
	asking.Wait()
	if ctx.Err() != nil {
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	}
	if unread != nil {
		fmt.Fprintf(env.Err, "fleetctl: whether a deploy is owed is not known: %v\n", unread)
	}

	reports := holdAgainst(revision, inv.Branch, hosts, found)
	for i := range reports {
		reports[i].owes(debts)
	}
	print := func() error { return printStatus(env, inv, revision, reports) }
	if o.output == outputJSON {
		print = func() error { return printStatusJSON(env, revision, reports) }
	}
	if err := print(); err != nil {
		return err
	}
	return exit(statusCode(reports, o.exitCode), nil)
}

// tip is the commit that the inventory's branch is at, or "" where the git here does not know.
func (env *Env) tip(ctx context.Context, inv *inventory.Inventory) string {
	if inv.Remote == "" {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	revision, err := env.localGit(ctx, inv.Remote, inv.Branch)
	if err != nil {
		return ""
	}
	return revision
}

// holdAgainst finds out what of each host is not as wanted.
func holdAgainst(revision, branch string, hosts []*inventory.Host, found map[string]host.HostStatus) []hostReport {
	var all []health.Health
	for _, s := range found {
		if s.Health != nil {
			all = append(all, *s.Health)
		}
	}
	lock := health.UsualLock(revision, all)
	var reports []hostReport
	for _, h := range hosts {
		r := hostReport{host: h, HostStatus: found[h.Name], drift: health.Drift{}}
		if r.Health != nil {
			want := health.Wanted{Revision: revision, Branch: branch, Lock: lock}
			if h.Managed {
				want.Branch = "" // a clone of fleetctl's own is on none
			}
			r.drift = r.Health.Drift(want)
		}
		reports = append(reports, r)
	}
	return reports
}

// owes finds what is owed to the host. What it has been brought to since, by whomever, is not.
func (r *hostReport) owes(debts []record.Debt) {
	at := slices.IndexFunc(debts, func(d record.Debt) bool { return d.Host == r.host.Name })
	if at >= 0 && (r.Health == nil || debts[at].Revision == "" || r.Health.System.Revision != debts[at].Revision) {
		r.owed = &debts[at]
	}
}

func statusCode(reports []hostReport, drift bool) int {
	code := fleet.ExitOK
	for _, r := range reports {
		switch {
		case r.Err == nil && (!drift || len(r.drift) == 0), r.away() && r.host.SkipOffline:
		case r.Err != nil && !r.away():
			return fleet.ExitFailed
		case r.Err == nil:
			code = fleet.ExitDrift
		case code == fleet.ExitOK:
			code = fleet.ExitUnreachable
		}
	}
	return code
}

// away tells whether nothing answered.
func (r hostReport) away() bool { return r.Err != nil && !r.Reachable && offline(r.Err) }

// statusJSON is a host in --output json.
type statusJSON struct {
	Host      string         `json:"host"`
	Reachable bool           `json:"reachable"`
	Time      time.Time      `json:"time"`
	Wanted    string         `json:"wanted,omitempty"` // the revision
	Drift     health.Drift   `json:"drift"`
	Owed      *record.Debt   `json:"owed,omitempty"` // what its last deploy did not get to
	Health    *health.Health `json:"health,omitempty"`
	Agent     string         `json:"agent_error,omitempty"` // why an agent that is there does not count
	Error     string         `json:"error,omitempty"`
	Hint      string         `json:"hint,omitempty"`
}

func printStatusJSON(env *Env, revision string, reports []hostReport) error {
	lines := jsonLines(env.Out)
	for _, r := range reports {
		line := statusJSON{Host: r.host.Name, Reachable: r.Reachable, Time: r.Time, Wanted: revision, Drift: r.drift, Owed: r.owed, Health: r.Health}
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
