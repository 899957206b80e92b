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
		Short: "Compare two runs, host by host",
		Long: `Compare the results of two runs for each host: its outcome, the revision it was left with, and how long it took.

RUN is a run's ID, a prefix of it, its last four letters, or "last".

EXIT STATUS

0  the comparison was printed
1  a record could not be read
2  there is no such run`,
		Example:           `  fleetctl history compare k3f9 last`,
		Args:              arguments(2, 2),
		ValidArgsFunction: completeRuns(env, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			var states [2]*fleet.State
			for i, name := range args {
				rec, err := env.record([]string{name})
				if err != nil {
					return err
				}
				if states[i], err = rec.State(); err != nil {
					return err
				}
			}
			return printComparison(env, output, states[0], states[1])
		},
	}
	outputFlag(cmd.Flags(), &output, "host")
	return cmd
}

// hostComparison is one host's results in two runs. A result is nil if the run did not include the
// host or did not finish with it.
type hostComparison struct {
	Host   string        `json:"host"`
	First  *fleet.Result `json:"first,omitempty"`
	Second *fleet.Result `json:"second,omitempty"`
}

func compareRuns(first, second *fleet.State) []hostComparison {
	var names []string
	for _, h := range append(slices.Clone(first.Hosts), second.Hosts...) {
		if !slices.Contains(names, h.Name) {
			names = append(names, h.Name)
		}
	}
	var comparisons []hostComparison
	for _, name := range names {
		c := hostComparison{Host: name}
		if h := first.Host(name); h != nil {
			c.First = h.Result
		}
		if h := second.Host(name); h != nil {
			c.Second = h.Result
		}
		comparisons = append(comparisons, c)
	}
	return comparisons
}

func printComparison(env *Env, output string, first, second *fleet.State) error {
	t := newTextTable(env, "HOST", "OUTCOME", "REVISION", "SECONDS")
	lines := json.NewEncoder(env.Out)
	for _, c := range compareRuns(first, second) {
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

// cell returns both values, or one if they are equal.
func (c hostComparison) cell(field func(*fleet.Result) string) string {
	value := func(r *fleet.Result) string {
		if r == nil || field(r) == "" {
			return "-"
		}
		return field(r)
	}
	first, second := value(c.First), value(c.Second)
	if first == second {
		return first
	}
	return first + " → " + second
}
