package cli

import (
	"github.com/markus-barta/nixfleet/tui"
)

// history is how the last runs went for a host, the newest first.
func (d *desk) history(host string) ([]tui.Past, error) {
	records, err := d.env.records().List()
	if err != nil {
		return nil, err
	}
	var past []tui.Past
	for _, record := range records[:min(len(records), mostRecords)] {
		state, err := record.State()
		if err != nil || state.Start == nil {
			continue // a record that is torn is history's to complain about
		}
		if h := state.Host(host); h != nil {
			past = append(past, tui.Past{Run: record.Run, Time: state.Began, Goal: state.Start.Goal, Result: h.Result})
		}
	}
	return past, nil
}

// log reads lines of a host's log from a run's record. All of it is read through each time, and no more kept than is wanted.
func (d *desk) log(run, host string, from, most int) (lines []tui.Text, first, total int, err error) {
	record, err := d.env.records().Open(run)
	if err != nil {
		return nil, 0, 0, err
	}
	last := -from // so many at the end, where that is positive
	err = record.Lines(host, func(stream, line string) {
		if last > 0 && len(lines) >= 2*last {
			lines = append(lines[:0], lines[len(lines)-last:]...)
		}
		if last > 0 || total >= from && len(lines) < most {
			lines = append(lines, tui.Text{Stream: stream, Line: line})
		}
		total++
	})
	if first = from; last > 0 {
		lines = lines[max(len(lines)-last, 0):]
		first = total - len(lines)
	}
	return lines[:min(len(lines), most)], first, total, err
}

// find is the number of the first line from one number up to another that holds, of those that log reads, or of the last; -1 where none does.
func (d *desk) find(run, host string, from, to int, last bool, holds func(tui.Text) bool) (int, error) {
	record, err := d.env.records().Open(run)
	if err != nil {
		return -1, err
	}
	at, n := -1, 0
	err = record.Lines(host, func(stream, line string) {
		if from <= n && n < to && (last || at < 0) && holds(tui.Text{Stream: stream, Line: line}) {
			at = n
		}
		n++
	})
	return at, err
}
