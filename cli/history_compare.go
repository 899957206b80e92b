package cli

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/tui"
)

func newHistoryCompare(env *Env) *cobra.Command {
	output := ""
	cmd := &cobra.Command{
		Use:   "compare RUN RUN",
		Short: "Tell two runs apart, host by host",
		Long: `Tell how each host fared in two runs: its outcome, the revision it had after it, and how long it took.

RUN is a run's id, a beginning of it, its last four letters, or "last".

EXIT STATUS

0  always, but
1  the records cannot be read
2  there is no such run`,
		Example:           `  fleetctl history compare k3f9 last`,
		Args:              arguments(2, 2),
		ValidArgsFunction: completeRun(env),
		RunE: func(_ *cobra.Command, args []string) error {
			var states [2]*fleet.State
			for i, name := range args {
				record, err := env.record([]string{name})
				if err != nil {
					return err
				}
				if states[i], err = record.State(); err != nil {
					return err
				}
			}
			return printComparison(env, output, states[0], states[1])
		},
	}
	outputFlag(cmd, &output, "host")
	return cmd
}

// comparedHost is one host in two runs. A run that did not have it, or has left it, has no result.
type comparedHost struct {
	Host   string        `json:"host"`
	First  *fleet.Result `json:"first,omitempty"`
	Second *fleet.Result `json:"second,omitempty"`
}

func compare(first, second *fleet.State) []comparedHost {
	var names []string
	for _, h := range append(slices.Clone(first.Hosts), second.Hosts...) {
		if !slices.Contains(names, h.Name) {
			names = append(names, h.Name)
		}
	}
	var all []comparedHost
	for _, name := range names {
		c := comparedHost{Host: name}
		if h := first.Host(name); h != nil {
			c.First = h.Result
		}
		if h := second.Host(name); h != nil {
			c.Second = h.Result
		}
		all = append(all, c)
	}
	return all
}

func printComparison(env *Env, output string, first, second *fleet.State) error {
	t := newTable(env, "HOST", "OUTCOME", "REVISION", "SECONDS")
	lines := json.NewEncoder(env.Out)
	for _, c := range compare(first, second) {
		if output == outputJSON {
			if err := lines.Encode(c); err != nil {
				return err
			}
			continue
		}
		t.row(tui.Ink{}, c.Host,
			c.cell(func(r *fleet.Result) string { return string(r.Outcome) }),
			c.cell(func(r *fleet.Result) string { return health.Short(r.After) }),
			c.cell(func(r *fleet.Result) string { return fmt.Sprintf("%.1f", r.Seconds) }))
	}
	if output == outputText {
		fmt.Fprint(env.Out, t)
	}
	return nil
}

// cell has both values, or one where they are the same.
func (c comparedHost) cell(of func(*fleet.Result) string) string {
	value := func(r *fleet.Result) string {
		if r == nil || of(r) == "" {
			return "-"
		}
		return of(r)
	}
	first, second := value(c.First), value(c.Second)
	if first == second {
		return first
	}
	return first + " → " + second
}
