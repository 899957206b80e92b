package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// unsorted is the inventory's order.
const unsorted = -1

// grouping is by what rows stand together.
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

// list is which hosts show, and where the cursor is. The cursor is a host's name: sorting and filtering cannot move it to another.
type list struct {
	items   []item
	filter  string
	err     error // the filter is a selector, and wrong
	sort    int   // index into the columns
	reverse bool
	group   grouping
	cursor  string
	at      int // the cursor's item
	top     int // the first item that shows
}

// item is a line of the table: a host, or what heads a group.
type item struct {
	*row
	heading string
}

// live reports whether the order depends on what changes.
func (l *list) live() bool { return l.sort != unsorted || l.group == byState || l.filter != "" }

// arrange works out anew which hosts show, and in which order.
func (u *ui) arrange() {
	l := &u.list
	rows := u.filtered()
	if l.sort != unsorted {
		less := u.columns[l.sort].order
		slices.SortStableFunc(rows, func(a, b *row) int {
			if l.reverse {
				return less(u, b, a)
			}
			return less(u, a, b)
		})
	}
	l.items = grouped(rows, l.group)
	u.relocate()
}

// filtered are the rows that the filter lets through. One with the signs of a selector is a selector, any other a part of a name, a
// tag or a state.
func (u *ui) filtered() []*row {
	l := &u.list
	l.err = nil
	text := strings.TrimSpace(l.filter)
	if text == "" {
		return slices.Clone(u.rows)
	}
	var rows []*row
	if selector(text) {
		hosts, err := u.o.Inventory.Select(text)
		l.err = err
		for _, h := range hosts {
			rows = append(rows, u.byName[h.Name])
		}
		return rows
	}
	text = strings.ToLower(text)
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	for _, r := range u.rows {
		_, _, word := r.look(&u.brush)
		if has(r.Name) || has(word) || slices.ContainsFunc(r.Tags, has) {
			rows = append(rows, r)
		}
	}
	return rows
}

func selector(text string) bool {
	if strings.ContainsAny(text, "@*?[(,:") {
		return true
	}
	words := strings.Fields(text)
	return len(words) > 1 || words[0] == "not"
}

// grouped puts headings between rows, in the order in which groups first appear; states come in their own.
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
		slices.SortStableFunc(names, func(a, b string) int { return rank(groups[a][0], by) - rank(groups[b][0], by) })
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

func rank(r *row, by grouping) int {
	if by == byWave {
		return r.Wave
	}
	return int(r.judged.State)
}

// relocate finds the cursor's item again, or the one that stands where it was.
func (u *ui) relocate() {
	l := &u.list
	at := slices.IndexFunc(l.items, func(i item) bool { return i.row != nil && i.Name == l.cursor })
	if at < 0 {
		at = u.nearest(l.at)
	}
	u.goTo(at)
}

// nearest is the host's item that is closest to a place; -1 where there is none.
func (u *ui) nearest(at int) int {
	l := &u.list
	at = min(max(at, 0), len(l.items)-1)
	for i := at; i >= 0 && i < len(l.items); i++ {
		if l.items[i].row != nil {
			return i
		}
	}
	for i := at; i >= 0; i-- {
		if l.items[i].row != nil {
			return i
		}
	}
	return -1
}

func (u *ui) goTo(at int) {
	l := &u.list
	if at < 0 {
		l.cursor, l.at, l.top = "", 0, 0
		return
	}
	l.at, l.cursor = at, l.items[at].Name
	u.keepInView()
}

// move takes the cursor so many lines down, headings skipped.
func (u *ui) move(lines int) {
	l := &u.list
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
			u.goTo(i)
			return
		}
	}
	u.goTo(u.nearest(at))
}

// keepInView scrolls so that the cursor's line shows, with its group's heading where it is the first.
func (u *ui) keepInView() {
	l, height := &u.list, u.tableHeight()
	if height < 1 {
		return
	}
	first := l.at
	if first > 0 && l.items[first-1].row == nil {
		first--
	}
	l.top = max(min(l.top, first), l.at-height+1)
	l.top = max(min(l.top, len(l.items)-height), 0)
}

// firstLine is a selector's fault in one line.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (u *ui) targetNames() []string {
	var names []string
	for _, h := range u.targets() {
		names = append(names, h.Name)
	}
	return names
}

// targets are the hosts that an action is for: the one that fills the screen, else the marked ones, else the one under the cursor.
func (u *ui) targets() []*inventory.Host {
	if u.open != "" {
		return []*inventory.Host{u.byName[u.open].Host}
	}
	var hosts []*inventory.Host
	for _, r := range u.rows {
		if r.marked {
			hosts = append(hosts, r.Host)
		}
	}
	if r := u.here(); hosts == nil && r != nil {
		hosts = append(hosts, r.Host)
	}
	return hosts
}
