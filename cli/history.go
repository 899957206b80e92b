package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/tui"
)

type historyOptions struct {
	output string
	limit  int
}

func newHistory(env *Env) *cobra.Command {
	o := historyOptions{limit: 20}
	cmd := &cobra.Command{
		Use:   "history [RUN]",
		Short: "List past runs, or tell one of them again",
		Long: `List the runs begun on this machine, the newest first; or, with RUN, tell that run's events again.

RUN is a run's id, a beginning of it, its last four letters, or "last".

EXIT STATUS

0  always, but
1  the records cannot be read
2  there is no such run`,
		Example: `  fleetctl history
  fleetctl history last
  fleetctl history compare k3f9 last
  fleetctl history --output json | jq -r 'select(.living) | .run'`,
		Args:              arguments(0, 1),
		ValidArgsFunction: completeRun(env),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listRuns(env, o)
			}
			record, err := env.record(args)
			if err != nil {
				return err
			}
			return tellRun(env, o, record)
		},
	}
	cmd.Flags().Var((*number)(&o.limit), "limit", "list at most this `number` of runs; 0 lists all")
	outputFlag(cmd, &o.output, "run (with RUN, one event)")
	cmd.AddCommand(newHistoryCompare(env), newHistoryPrune(env))
	return cmd
}

// pastRun is a run as history lists it.
type pastRun struct {
	Run      string                `json:"run"`
	Time     time.Time             `json:"time"`
	Fleet    string                `json:"fleet"`
	Goal     string                `json:"goal"`
	Revision string                `json:"revision,omitempty"`
	Hosts    []string              `json:"hosts"`
	Counts   map[fleet.Outcome]int `json:"counts"`
	Living   bool                  `json:"living"` // a fleetctl follows it now
	Ended    bool                  `json:"ended"`  // every host has an outcome that stays
}

func listRuns(env *Env, o historyOptions) error {
	all, err := env.records().List()
	if err != nil {
		return err
	}
	if o.limit > 0 && len(all) > o.limit {
		all = all[:o.limit]
	}
	t := newTable(env, "RUN", "BEGAN", "GOAL", "REVISION", "HOSTS", "OUTCOMES", "")
	none := true
	var unread error // one broken record hides no other
	lines := json.NewEncoder(env.Out)
	for _, record := range all {
		state, err := record.State()
		if err != nil {
			unread = errors.Join(unread, err)
			continue
		}
		if state.Start == nil {
			continue // it ended before it began
		}
		past := past(record, state)
		if o.output == outputJSON {
			if err := lines.Encode(past); err != nil {
				return err
			}
			continue
		}
		t.row(tui.Ink{}, past.row()...)
		none = false
	}
	switch {
	case o.output == outputJSON:
	case none && unread == nil:
		fmt.Fprintln(env.Err, "no runs yet; fleetctl deploy begins one")
	default:
		t.fit("REVISION", "BEGAN", "HOSTS")
		fmt.Fprint(env.Out, t)
	}
	return unread
}

func past(record *record.Record, s *fleet.State) pastRun {
	p := pastRun{
		Run: record.Run, Time: s.Began, Fleet: s.Start.Fleet, Goal: s.Start.Goal, Revision: s.Start.Revision,
		Counts: s.Summarize().Counts, Living: record.Living(), Ended: s.Settled(),
	}
	for _, h := range s.Hosts {
		p.Hosts = append(p.Hosts, h.Name)
	}
	return p
}

func (p pastRun) row() []string {
	now := ""
	switch {
	case p.Living:
		now = "goes on"
	case !p.Ended:
		now = "left"
	}
	return []string{
		p.Run, p.Time.Local().Format("2006-01-02 15:04"), p.Goal, health.Short(p.Revision), someHosts(p.Hosts),
		counts(p.Counts), now,
	}
}

// someHosts names a few hosts, and counts the others.
func someHosts(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, " ")
	}
	return fmt.Sprintf("%s +%d", strings.Join(names[:most-1], " "), len(names)-most+1)
}

// tellRun shows a recorded run as it was shown when it was new, but for the hosts' own output, which logs shows.
func tellRun(env *Env, o historyOptions, record *record.Record) error {
	state, err := record.State()
	if err != nil {
		return err
	}
	var show printer
	if o.output == outputJSON {
		show = &jsonPrinter{env: env, lines: json.NewEncoder(env.Out)}
	} else {
		names := make(map[string]string)
		for _, h := range state.Hosts {
			names[h.Name] = ""
		}
		show = newPlainPrinter(env, names, false)
	}
	if err := record.Replay(show.Event); err != nil {
		return err
	}
	if o.output == outputText {
		printSummary(env, nil, state)
	}
	return show.Close()
}
