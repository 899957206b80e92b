package cli

import (
	"github.com/markus-barta/nixfleet/tui"
)

// history returns the results of a host's recent runs, newest first. It also shows the last results
// of repository tests, which another fleetctl may have run.
func (c *tableController) history(host string) ([]tui.PastRun, error) {
	if tests, err := c.env.records().LastTests(c.inv.Name); err == nil {
		c.table.Tests(tests)
	}
	records, err := c.env.records().List()
	if err != nil {
		return nil, err
	}
	var past []tui.PastRun
	for _, rec := range records[:min(len(records), maxRecords)] {
		state, err := rec.State()
		if err != nil || state.Start == nil {
			continue // fleetctl history reports damaged records
		}
		if h := state.Host(host); h != nil {
			past = append(past, tui.PastRun{Run: rec.Run, Time: state.Began, Goal: state.Start.Goal, Result: h.Result})
		}
	}
	return past, nil
}

// readLog reads up to limit lines of a host's log from a run's record, starting with line from. A
// negative from counts from the log's end. It returns the number of the first line and the total
// number of lines. Every call reads the whole log but keeps only the lines it returns.
func (c *tableController) readLog(run, host string, from, limit int) (lines []tui.Text, first, total int, err error) {
	rec, err := c.env.records().Open(run)
	if err != nil {
		return nil, 0, 0, err
	}
	last := -from // if positive, the number of lines wanted from the end
	err = rec.Lines(host, func(stream, line string) {
		if last > 0 && len(lines) >= 2*last {
			lines = append(lines[:0], lines[len(lines)-last:]...)
		}
		if last > 0 || total >= from && len(lines) < limit {
			lines = append(lines, tui.Text{Stream: stream, Line: line})
		}
		total++
	})
	if first = from; last > 0 {
		lines = lines[max(len(lines)-last, 0):]
		first = total - len(lines)
	}
	return lines[:min(len(lines), limit)], first, total, err
}

// searchLog returns the number of the first or last line that matches, or -1 if none does.
func (c *tableController) searchLog(s tui.LogSearch) (int, error) {
	rec, err := c.env.records().Open(s.Run)
	if err != nil {
		return -1, err
	}
	found, n := -1, 0
	err = rec.Lines(s.Host, func(stream, line string) {
		if s.From <= n && n < s.To && (s.Last || found < 0) && s.Match(tui.Text{Stream: stream, Line: line}) {
			found = n
		}
		n++
	})
	return found, err
}
