package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// unsorted is the inventory's order.
const unsorted = -1

// grouping is what the rows of a group have in common.
type grouping int

const (
	ungrouped grouping = iota
	byTag
	byWave
	byKind
	byState
	groupings
)

func (g grouping) String() string { return [...]string{"", "tag", "wave", "kind", "state"}[g] }

// list decides which hosts are shown, in which order, and where the cursor is. The cursor is a
// host's name: sorting and filtering cannot move it to another host.
type list struct {
	hosts       *hosts
	columns     *columnSet
	selectHosts func(selectors ...string) ([]*inventory.Host, error)

	items   []item
	total   int // the hosts among them
	filter  string
	recent  []string // filters that were used, oldest first
	err     error    // the filter is an invalid selector
	sort    int      // an index into the chosen columns, or unsorted
	reverse bool
	group   grouping
	cursor  string
	at      int // the cursor's item
	top     int // the first item shown
}

// item is a line of the table: a host, or the heading of a group.
type item struct {
	*row
	heading string
	number  int // of the host among those shown, from 1
}

// changesWithHosts reports whether what is shown, or its order, depends on the state of hosts.
func (l *list) changesWithHosts() bool {
	return l.sort != unsorted || l.group == byState || l.filter != ""
}

// arrange updates which hosts are shown, and in which order.
func (l *list) arrange(now time.Time) {
	rows := l.filtered()
	if l.sort != unsorted {
		order := l.columns.chosen[l.sort].order
		slices.SortStableFunc(rows, func(a, b *row) int {
			if l.reverse {
				a, b = b, a
			}
			return order(a, b, now)
		})
	}
	l.items, l.total = grouped(rows, l.group), 0
	for i := range l.items {
		if l.items[i].row != nil {
			l.total++
			l.items[i].number = l.total
		}
	}
	l.restoreCursor()
}

// filtered returns the rows that match the filter. A filter with the signs of a selector is one;
// any other is a part of a name, a tag or a state.
func (l *list) filtered() []*row {
	l.err = nil
	text := strings.TrimSpace(l.filter)
	if text == "" {
		return slices.Clone(l.hosts.rows)
	}
	var rows []*row
	if isSelector(text) {
		hosts, err := l.selectHosts(text)
		if l.err = err; err != nil { // often because it is still being typed
			return l.rows()
		}
		for _, h := range hosts {
			rows = append(rows, l.hosts.byName[h.Name])
		}
		return rows
	}
	text = strings.ToLower(text)
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	for _, r := range l.hosts.rows {
		_, _, word := r.state(&painter{})
		if has(r.Name) || has(word) || slices.ContainsFunc(r.Tags, has) {
			rows = append(rows, r)
		}
	}
	return rows
}

// rows returns the hosts that are shown, in the inventory's order.
func (l *list) rows() []*row {
	shown := make(map[*row]bool, len(l.items))
	for _, it := range l.items {
		shown[it.row] = true
	}
	return slices.DeleteFunc(slices.Clone(l.hosts.rows), func(r *row) bool { return !shown[r] })
}

// problem returns why the filter is not a valid selector, or "".
func (l *list) problem() string {
	if l.err == nil {
		return ""
	}
	return firstLine(l.err)
}

func isSelector(text string) bool {
	if strings.ContainsAny(text, "@*?[(,:") {
		return true
	}
	words := strings.Fields(text)
	return len(words) > 1 || words[0] == "not"
}

// grouped puts headings between rows. Groups by state or wave are sorted; others are in the order
// in which they first appear.
func grouped(rows []*row, by grouping) []item {
	var items []item
	if by == ungrouped {
		for _, r := range rows {
			items = append(items, item{row: r})
		}
		return items
	}
	groups := make(map[string][]*row)
	var names []string
	for _, r := range rows {
		name := groupOf(r, by)
		if groups[name] == nil {
			names = append(names, name)
		}
		groups[name] = append(groups[name], r)
	}
	if by == byState || by == byWave {
		slices.SortStableFunc(names, func(a, b string) int { return groupRank(groups[a][0], by) - groupRank(groups[b][0], by) })
	}
	for _, name := range names {
		items = append(items, item{heading: fmt.Sprintf("%s (%d)", name, len(groups[name]))})
		for _, r := range groups[name] {
			items = append(items, item{row: r})
		}
	}
	return items
}

func groupOf(r *row, by grouping) string {
	switch by {
	case byTag:
		if len(r.Tags) == 0 {
			return "no tag"
		}
		return "@" + r.Tags[0]
	case byWave:
		return fmt.Sprintf("wave %d", r.Wave)
	case byKind:
		return string(r.Kind)
	}
	return r.judged.State.String()
}

func groupRank(r *row, by grouping) int {
	if by == byWave {
		return r.Wave
	}
	return int(r.judged.State)
}

// sortBy sorts by one of the columns that are shown, counted from 1. Sorting by the same column
// again reverses the order. It reports whether there is such a column.
func (l *list) sortBy(number int, shown []column) bool {
	if number > len(shown) || shown[number-1].order == nil {
		return false
	}
	i := l.columns.index(shown[number-1].name)
	l.reverse = l.sort == i && !l.reverse
	l.sort = i
	return true
}

// sortByNext sorts by the next of the columns that are shown, and after the last one not at all.
func (l *list) sortByNext(shown []column) {
	before := l.sort
	l.sort, l.reverse = unsorted, false
	for _, c := range shown {
		if i := l.columns.index(c.name); i > before && c.order != nil {
			l.sort = i
			return
		}
	}
}

// toggleMarks marks all hosts that are shown, or unmarks them if all are marked.
func (l *list) toggleMarks() {
	on := slices.ContainsFunc(l.items, func(it item) bool { return it.row != nil && !it.marked })
	for _, it := range l.items {
		if it.row != nil {
			l.hosts.setMark(it.row, on)
		}
	}
}

// hidden returns those of some hosts that the filter hides.
func (l *list) hidden(hosts []string) []string {
	if l.filter == "" {
		return nil
	}
	shown := make(map[string]bool, len(l.items))
	for _, it := range l.items {
		if it.row != nil {
			shown[it.Name] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(hosts), func(name string) bool { return shown[name] })
}

// hiddenMarks returns how many marked hosts the filter hides.
func (l *list) hiddenMarks() int {
	n := l.hosts.markedCount
	if l.filter == "" || n == 0 {
		return 0
	}
	for _, it := range l.items {
		if it.row != nil && it.marked {
			n--
		}
	}
	return n
}

// restoreCursor finds the cursor's item again, or the one closest to where it was.
func (l *list) restoreCursor() {
	at := slices.IndexFunc(l.items, func(i item) bool { return i.row != nil && i.Name == l.cursor })
	if at < 0 {
		at = l.nearest(l.at)
	}
	l.moveTo(at)
}

// nearest returns the index of the first host at or after a place, or -1 if no host is shown. The
// last item is always a host.
func (l *list) nearest(at int) int {
	at = min(max(at, 0), len(l.items)-1)
	for i := at; i >= 0 && i < len(l.items); i++ {
		if l.items[i].row != nil {
			return i
		}
	}
	return -1
}

func (l *list) moveTo(at int) {
	if at < 0 {
		l.cursor, l.at, l.top = "", 0, 0
		return
	}
	l.at, l.cursor = at, l.items[at].Name
}

// move moves the cursor down by a number of lines, or up if it is negative. It skips headings.
func (l *list) move(lines int) {
	if len(l.items) == 0 {
		return
	}
	step := 1
	if lines < 0 {
		step = -1
	}
	at := min(max(l.at+lines, 0), len(l.items)-1)
	for i := at; i >= 0 && i < len(l.items); i += step {
		if l.items[i].row != nil {
			l.moveTo(i)
			return
		}
	}
	l.moveTo(l.nearest(at))
}

// maxRecent is how many filters are remembered.
const maxRecent = 9

// remember adds the filter to the recent ones. One that was used before moves to the end.
func (l *list) remember() {
	text := strings.TrimSpace(l.filter)
	if text == "" {
		return
	}
	l.recent = append(slices.DeleteFunc(slices.Clone(l.recent), func(r string) bool { return r == text }), text)
	l.recent = l.recent[max(len(l.recent)-maxRecent, 0):]
}

// next moves the cursor to the next host that matches, and after the last one to the first. It
// reports whether one of those shown does.
func (l *list) next(matches func(*row) bool) bool {
	for i := 1; i <= len(l.items); i++ {
		at := (l.at + i) % len(l.items)
		if r := l.items[at].row; r != nil && matches(r) {
			l.moveTo(at)
			return true
		}
	}
	return false
}

// keepInView scrolls so that the cursor's line is shown, with the heading of its group if it is the
// first one there.
func (l *list) keepInView(height int) {
	if height < 1 || len(l.items) == 0 {
		return
	}
	first := l.at
	if first > 0 && l.items[first-1].row == nil {
		first--
	}
	l.top = max(min(l.top, first), l.at-height+1)
	l.top = max(min(l.top, len(l.items)-height), 0)
}
