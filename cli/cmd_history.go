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
		Short: "List past runs, or replay one",
		Long: `List the runs that were started on this machine, newest first. With RUN, print that run's events again.

RUN is a run's ID, a prefix of it, its last four letters, or "last".

EXIT STATUS

0  the runs, or the events, were printed
1  a record could not be read
2  there is no such run`,
		Example: `  fleetctl history
  fleetctl history last
  fleetctl history compare k3f9 last
  fleetctl history --output json | jq -r 'select(.living) | .run'`,
		Args:              arguments(0, 1),
		ValidArgsFunction: completeRuns(env, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listRuns(env, o)
			}
			rec, err := env.record(args)
			if err != nil {
				return err
			}
			return replayRun(env, o, rec)
		},
	}
	cmd.Flags().Var((*countFlag)(&o.limit), "limit", "list at most this many runs; 0 lists all")
	outputFlag(cmd.Flags(), &o.output, "run (with RUN, per event)")
	cmd.AddCommand(newHistoryCompare(env), newHistoryPrune(env))
	return cmd
}

// pastRun is a run in --output json.
type pastRun struct {
	Run      string                `json:"run"`
	Time     time.Time             `json:"time"`
	Fleet    string                `json:"fleet"`
	Goal     string                `json:"goal"`
	Revision string                `json:"revision,omitempty"`
	Hosts    []string              `json:"hosts"`
	Counts   map[fleet.Outcome]int `json:"counts"`
	Living   bool                  `json:"living"` // a fleetctl process is running it
	Ended    bool                  `json:"ended"`  // every host has a final outcome
}

func listRuns(env *Env, o historyOptions) error {
	records, err := env.records().List()
	if err != nil {
		return err
	}
	if o.limit > 0 && len(records) > o.limit {
		records = records[:o.limit]
	}
	t := newTextTable(env, "RUN", "STARTED", "GOAL", "REVISION", "HOSTS", "OUTCOMES", "")
	empty := true
	var readErr error // reported at the end: a damaged record must not hide the others
	lines := json.NewEncoder(env.Out)
	for _, rec := range records {
		state, err := rec.State()
		if err != nil {
			readErr = errors.Join(readErr, err)
			continue
		}
		if state.Start == nil {
			continue // interrupted before the first event
		}
		run := newPastRun(rec, state)
		if o.output == outputJSON {
			if err := lines.Encode(run); err != nil {
				return err
			}
			continue
		}
		t.row(tui.Ink{}, run.cells()...)
		empty = false
	}
	switch {
	case o.output == outputJSON:
	case empty && readErr == nil:
		fmt.Fprintln(env.Err, "no runs yet; start one with fleetctl deploy")
	default:
		t.fit("REVISION", "STARTED", "HOSTS")
		fmt.Fprint(env.Out, t)
	}
	return readErr
}

func newPastRun(rec *record.Record, s *fleet.State) pastRun {
	p := pastRun{
		Run: rec.Run, Time: s.Began, Fleet: s.Start.Fleet, Goal: s.Start.Goal, Revision: s.Start.Revision,
		Counts: s.Summarize().Counts, Living: rec.Owned(), Ended: s.Settled(),
	}
	for _, h := range s.Hosts {
		p.Hosts = append(p.Hosts, h.Name)
	}
	return p
}

// status returns whether the run has not finished: running, abandoned or "".
func (p pastRun) status() string {
	switch {
	case p.Living:
		return "running"
	case !p.Ended:
		return "abandoned"
	}
	return ""
}

func (p pastRun) cells() []string {
	return []string{
		p.Run, p.Time.Local().Format("2006-01-02 15:04"), p.Goal, health.Short(p.Revision), someHosts(p.Hosts),
		outcomeCounts(p.Counts), p.status(),
	}
}

// someHosts names a few hosts and counts the others.
func someHosts(names []string) string {
	const limit = 4
	if len(names) <= limit {
		return strings.Join(names, " ")
	}
	return fmt.Sprintf("%s +%d", strings.Join(names[:limit-1], " "), len(names)-limit+1)
}

// replayRun prints a recorded run the way it was printed when it ran, without the hosts' own
// output, which fleetctl logs prints.
func replayRun(env *Env, o historyOptions, rec *record.Record) error {
	state, err := rec.State()
	if err != nil {
		return err
	}
	var show printer
	if o.output == outputJSON {
		show = &jsonPrinter{env: env, lines: json.NewEncoder(env.Out)}
	} else {
		noColors := make(map[string]string)
		for _, h := range state.Hosts {
			noColors[h.Name] = ""
		}
		show = newPlainPrinter(env, noColors)
	}
	if err := rec.Replay(show.Event); err != nil {
		return err
	}
	if o.output == outputText {
		printSummary(env, nil, state)
		if state.Start != nil && newPastRun(rec, state).status() == "abandoned" {
			fmt.Fprintln(env.Err, "\nthe run was abandoned before it finished")
			printHint(env.Err, env.palette(env.ErrTTY), "fleetctl attach "+rec.Run+" asks the hosts what became of it, and finishes it")
		}
	}
	return show.Close()
}
