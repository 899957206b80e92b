package tui

import (
	"slices"
	"strconv"
)

// openFilters lists the saved filters and those that were used since the table was opened, the
// newest first.
func (u *ui) openFilters() effect {
	m := &menu{title: "filters"}
	add := func(name, text string) {
		it := menuItem{name: name, about: text, do: func() effect { return u.setFilter(text) }}
		if len(m.items) < 9 {
			it.key = strconv.Itoa(len(m.items) + 1)
		}
		m.items = append(m.items, it)
	}
	for _, f := range u.options.Settings.Filters {
		add(f.Name, f.Text)
	}
	for _, text := range slices.Backward(u.list.recent) {
		add("recent", text)
	}
	if len(m.items) == 0 {
		return refusal("no filter is saved in [filters] of config.toml, and none was used yet: " + u.keys.keyOrCommand("filter") + " types one")
	}
	u.menu = m
	return effect{}
}

// setFilter filters the list. An invalid filter changes nothing.
func (u *ui) setFilter(text string) effect {
	before := u.list.filter
	u.list.filter = text
	u.arrange()
	if problem := u.list.problem(); problem != "" {
		u.list.filter = before
		u.arrange()
		return refusal(problem)
	}
	u.list.remember()
	return effect{}
}
