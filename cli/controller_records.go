package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/internal/clean"
	"github.com/markus-barta/nixfleet/tui"
)

// recordedRuns returns the newest runs of the fleet in the record, newest first.
func (c *tableController) recordedRuns() ([]tui.RecordedRun, error) {
	records, err := c.env.records().List()
	if err != nil {
		return nil, err
	}
	var runs []tui.RecordedRun
	for _, rec := range records[:min(len(records), maxRecords)] {
		state, err := rec.State()
		switch {
		case err != nil && state.Start == nil:
			runs = append(runs, tui.RecordedRun{Run: rec.Run, Problem: clean.Line([]byte(err.Error()))})
			continue
		case state.Start == nil || state.Start.Fleet != c.inv.Name:
			continue // interrupted before the first event, or of another fleet
		}
		past := newPastRun(rec, state)
		run := tui.RecordedRun{
			Run: rec.Run, Time: state.Began, Goal: past.Goal, Revision: past.Revision, Hosts: len(past.Hosts), Counts: past.Counts,
			Running: past.Living, Ended: past.Ended,
		}
		if err != nil {
			run.Problem = clean.Line([]byte(err.Error()))
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// readRun reads a run from the record: its state, and its events as fleetctl history prints them.
func (c *tableController) readRun(run string) (*fleet.State, []tui.Text, error) {
	rec, err := c.env.records().Open(run)
	if err != nil {
		return nil, nil, err
	}
	state, err := rec.State()
	if err != nil {
		return nil, nil, err
	}
	noColors := make(map[string]string)
	for _, h := range state.Hosts {
		noColors[h.Name] = ""
		if h.Result != nil && !h.Result.Outcome.Good() {
			h.Tail = c.tailOf(run, h.Name)
		}
	}
	events, err := c.printed(func(env *Env) error { return rec.Replay(newPlainPrinter(env, noColors).Event) })
	return state, events, err
}

// tailLines is how many of the last lines of a log are searched for what explains a failure.
const tailLines = 20

// tailOf returns the last lines of a host's log in the record of a run, since the recorded events
// do not have them. It returns nil if there is no log.
func (c *tableController) tailOf(run, host string) []string {
	lines, _, _, err := c.readLog(run, host, -tailLines, tailLines)
	if err != nil {
		return nil
	}
	var tail []string
	for _, l := range lines {
		tail = append(tail, l.Line)
	}
	return tail
}

// compareRecorded compares two recorded runs, host by host.
func (c *tableController) compareRecorded(first, second string) ([]tui.Text, error) {
	var states [2]*fleet.State
	for i, run := range []string{first, second} {
		rec, err := c.env.records().Open(run)
		if err != nil {
			return nil, err
		}
		if states[i], err = rec.State(); err != nil {
			return nil, err
		}
	}
	lines := []tui.Text{{Stream: "note", Line: first + " → " + second}, {}}
	printed, err := c.printed(func(env *Env) error { return printComparison(env, outputText, states[0], states[1]) })
	return append(lines, printed...), err
}

// printed returns what a command would print to a file.
func (c *tableController) printed(print func(*Env) error) ([]tui.Text, error) {
	var out bytes.Buffer
	env := *c.env
	env.Out, env.OutTTY = &out, false
	err := print(&env)
	var lines []tui.Text
	for line := range strings.Lines(out.String()) {
		text := tui.Text{Stream: "out", Line: strings.TrimRight(line, " \n")}
		if strings.Contains(line, " warning: ") {
			text.Stream = "warn"
		}
		lines = append(lines, text)
	}
	return lines, err
}

// attachToRun shows a recorded run in the table until it ends.
func (c *tableController) attachToRun(run string) error {
	rec, err := c.env.records().Open(run)
	if err != nil {
		return err
	}
	c.mu.Lock()
	_, shown := c.runs[run]
	if !shown {
		c.runs[run] = true
	}
	c.mu.Unlock()
	if shown {
		return fmt.Errorf("the table shows run %s already", run)
	}
	c.attachTo(rec)
	return nil
}

// pruneRecords removes the records that fleetctl history prune removes.
func (c *tableController) pruneRecords() (removed int, err error) {
	runs, err := c.env.records().Prune(record.DefaultRetention, c.env.Now())
	if err != nil {
		return len(runs), fmt.Errorf("cannot remove old records: %w", err)
	}
	return len(runs), nil
}
