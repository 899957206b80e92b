package tui

import (
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
)

// actions lists all there are, in the order in which help has them.
func actions() []action {
	on := func(do func(*ui)) func(*ui) tea.Cmd {
		return func(u *ui) tea.Cmd { do(u); return nil }
	}
	down := func(lines int) func(*ui) tea.Cmd { return func(u *ui) tea.Cmd { return u.scroll(lines) } }
	goal := func(goal string) func(*ui) tea.Cmd { return func(u *ui) tea.Cmd { return u.askDeploy(goal) } }
	all := []action{
		{name: "down", keys: []string{"j", "down"}, about: "one line down", where: anywhere | inHelp, do: down(1)},
		{name: "up", keys: []string{"k", "up"}, about: "one line up", where: anywhere | inHelp, do: down(-1)},
		{name: "top", keys: []string{"g", "home"}, about: "to the first line", where: anywhere | inHelp, do: down(-1 << 30)},
		{name: "bottom", keys: []string{"G", "end"}, about: "to the last line", where: anywhere | inHelp, do: down(1 << 30)},
		{name: "page-down", keys: []string{"ctrl+d", "pgdown"}, about: "half a page down", where: anywhere | inHelp, do: func(u *ui) tea.Cmd { return u.scroll(u.page()) }},
		{name: "page-up", keys: []string{"ctrl+u", "pgup"}, about: "half a page up", where: anywhere | inHelp, do: func(u *ui) tea.Cmd { return u.scroll(-u.page()) }},
		{name: "open", keys: []string{"enter"}, about: "the host: facts, history, log", where: inTable, can: (*ui).needsHost, do: (*ui).openHost},
		{name: "log", keys: []string{"l"}, about: "into the log", where: inTable, do: on(func(u *ui) { u.focus = onLog; u.keepInView() })},
		{name: "tab", keys: []string{"tab"}, about: "the next tab: of logs, or of a host's log, plan and generations", where: anywhere, do: (*ui).nextTab},
		{name: "pin", keys: []string{"P"}, about: "keep a tab for the host's log", where: inTable, can: (*ui).needsHost, do: on((*ui).pin)},
		{name: "filter", keys: []string{"/"}, about: "hosts by a part of a name, tag or state, or by a selector", where: inTable, do: on((*ui).askFilter)},
		{name: "mark", keys: []string{"space"}, about: "the host, for actions", where: inTable, can: (*ui).needsHost, do: on((*ui).mark)},
		{name: "mark-all", keys: []string{"a"}, about: "all hosts that show, or none", where: inTable, do: on((*ui).markAll)},
		{name: "group", keys: []string{"o"}, about: "by tag, wave, kind, state, or not", where: inTable, do: on((*ui).nextGroup)},
		{name: "sort", keys: []string{"S"}, about: "by the next column, and after the last not at all", where: inTable, do: on((*ui).nextSort)},
		{name: "reverse", keys: []string{"I"}, about: "the order", where: inTable, do: on(func(u *ui) { u.list.reverse = !u.list.reverse; u.arrange() })},

		{name: "deploy", keys: []string{"d"}, about: "pull, build and switch", where: anywhere, changes: true, can: (*ui).canDeploy, do: goal(fleet.GoalSwitch)},
		{name: "build", keys: []string{"b"}, about: "pull and build, switch to nothing", where: anywhere, changes: true, can: (*ui).canDeploy, do: goal(fleet.GoalBuild)},
		{name: "test", keys: []string{"t"}, about: "switch until the next boot (nixos)", where: anywhere, changes: true, can: (*ui).canDeploy, do: goal(fleet.GoalTest)},
		{name: "boot", keys: []string{"B"}, about: "switch at the next boot (nixos)", where: anywhere, changes: true, can: (*ui).canDeploy, do: goal(fleet.GoalBoot)},
		{name: "pull", keys: []string{"p"}, about: "bring the checkout to the revision, switch to nothing", where: anywhere, changes: true, can: (*ui).canDeploy, do: goal(fleet.GoalPull)},
		{name: "rollback", keys: []string{"R"}, about: "run an earlier generation again", where: anywhere, changes: true, can: (*ui).canDeploy, do: (*ui).askRollback},
		{name: "plan", keys: []string{"v"}, about: "what a deploy would do", where: anywhere, can: (*ui).canPlan, do: func(u *ui) tea.Cmd { return u.askPlan(false) }},
		{name: "plan-build", keys: []string{"V"}, about: "and, once it has built it, which packages and units change", where: anywhere, can: (*ui).canPlan, do: func(u *ui) tea.Cmd { return u.askPlan(true) }},
		{name: "reboot", keys: []string{"ctrl+r"}, about: "and see it come back", where: anywhere, changes: true, can: (*ui).canReboot, do: (*ui).askReboot},
		{name: "retry", keys: []string{"F"}, about: "deploy again to the hosts where it failed", where: inTable, changes: true, can: (*ui).canRetry, do: (*ui).askRetry},
		{name: "cancel", keys: []string{"x"}, about: "the run of the host", where: anywhere, changes: true, can: (*ui).canCancel, do: (*ui).askCancel},
		{name: "exec", keys: []string{"!"}, about: "run a command", where: anywhere, changes: true, can: (*ui).canExec, do: (*ui).askExec},
		{name: "shell", keys: []string{"s"}, about: "a shell there, by ssh; the table comes back after it", where: anywhere, changes: true, can: (*ui).canShell, do: (*ui).shell},
		{name: "trust", keys: []string{"K"}, about: "see the key of a host that is not known, and decide", where: anywhere, changes: true, can: (*ui).canTrust, do: (*ui).trust},
		{name: "attach", keys: []string{"A"}, about: "to runs begun elsewhere, or left", where: anywhere, can: (*ui).canAttach, do: (*ui).attach},
		{name: "refresh", keys: []string{"r"}, about: "look at the host again", where: anywhere, can: (*ui).canRefresh, do: (*ui).refresh},

		{name: "follow", keys: []string{"f"}, about: "the log's end, or stay here", where: inLog, do: (*ui).toggleFollow},
		{name: "wrap", keys: []string{"w"}, about: "long lines, or cut them", where: inLog, do: on(func(u *ui) { u.manner.wrap = !u.manner.wrap })},
		{name: "fold", keys: []string{"z"}, about: "what builds say themselves: all of it, or how much", where: inLog, do: on((*ui).toggleFold)},
		{name: "times", keys: []string{"T"}, about: "when each line came", where: inLog, do: on(func(u *ui) { u.manner.stamps = !u.manner.stamps })},
		{name: "search", keys: []string{"/"}, about: "in the log", where: inLog, do: on((*ui).askSearch)},
		{name: "next-match", keys: []string{"n"}, about: "of the search", where: inLog, do: func(u *ui) tea.Cmd { return u.nextMatch(1) }},
		{name: "previous-match", keys: []string{"N"}, about: "of the search", where: inLog, do: func(u *ui) tea.Cmd { return u.nextMatch(-1) }},
		{name: "next-error", keys: []string{"e"}, about: "to the next line that tells of something wrong", where: inLog, do: (*ui).nextError},
		{name: "copy", keys: []string{"c"}, about: "the log's lines that show, to the clipboard", where: inLog, do: (*ui).copy},

		{name: "commands", keys: []string{":"}, about: "everything by its name", where: anywhere, do: on((*ui).askCommand)},
		{name: "theme", keys: []string{"ctrl+t"}, about: "the next theme", where: anywhere, do: on((*ui).nextTheme)},
		{name: "mouse", keys: []string{"M"}, about: "the wheel, on or off", where: anywhere, do: on(func(u *ui) { u.o.Settings.Mouse = !u.o.Settings.Mouse })},
		{name: "help", keys: []string{"?"}, about: "the keys that work here", where: anywhere, do: on(func(u *ui) { u.help, u.helpTop = true, 0 })},
		{name: "back", keys: []string{"esc"}, about: "one step back", where: anywhere | inHelp, do: on((*ui).back)},
		{name: "quit", keys: []string{"q", "ctrl+c"}, about: "leave the table", where: anywhere | inHelp, do: (*ui).askQuit},
	}
	for n := 1; n <= 9; n++ {
		all = append(all, action{
			name: "sort-" + strconv.Itoa(n), keys: []string{strconv.Itoa(n)}, about: "by column " + strconv.Itoa(n) + ", again in reverse",
			where: inTable, do: on(func(u *ui) { u.sortBy(n) }),
		})
	}
	return all
}

// back undoes the last thing that narrows what shows; it never quits.
func (u *ui) back() {
	switch {
	case u.help:
		u.help = false
	case u.scope() == inLog && u.pane().looks():
		u.pane().stopLooking()
	case u.manner.search != "" && u.scope() == inLog:
		u.manner.search = ""
	case u.open != "":
		u.open, u.past, u.part = "", nil, logPart
	case u.focus == onLog:
		u.focus = onTable
	case u.list.filter != "":
		u.list.filter = ""
		u.arrange()
	case u.marked > 0:
		for _, r := range u.rows {
			u.setMark(r, false)
		}
	}
	u.layout++
	u.keepInView()
}

// scroll moves what has the keys.
func (u *ui) scroll(lines int) tea.Cmd {
	switch u.scope() {
	case inHelp:
		u.helpTop = min(max(u.helpTop+lines, 0), max(len(u.helpLines())-(u.height-2), 0))
	case inLog:
		return u.scrollLog(lines)
	default:
		u.move(lines)
	}
	return nil
}

func (u *ui) page() int {
	if u.scope() == inTable {
		return max(u.tableHeight()/2, 1)
	}
	return max(u.pane().height/2, 1)
}

func (u *ui) needsHost() string {
	if u.here() == nil {
		return "there is no host here"
	}
	return ""
}

func (u *ui) setMark(r *row, on bool) {
	if r.marked == on {
		return
	}
	r.marked = on
	r.version++
	if on {
		u.marked++
	} else {
		u.marked--
	}
}

// mark marks the host and goes on to the next.
func (u *ui) mark() {
	r := u.here()
	u.setMark(r, !r.marked)
	u.move(1)
}

func (u *ui) markAll() {
	on := false
	for _, it := range u.list.items {
		on = on || it.row != nil && !it.marked
	}
	for _, it := range u.list.items {
		if it.row != nil {
			u.setMark(it.row, on)
		}
	}
}

func (u *ui) nextGroup() {
	u.list.group = (u.list.group + 1) % groupings
	u.arrange()
	if u.list.group == ungrouped {
		u.tell("not grouped")
	} else {
		u.tell("grouped by " + u.list.group.String())
	}
}

// sortBy sorts by a column, counted from 1 as they show; the same again is the reverse.
func (u *ui) sortBy(number int) {
	shown := u.fitting()
	if number > len(shown) || shown[number-1].order == nil {
		u.refuse("there is no such column to sort by")
		return
	}
	l := &u.list
	i := u.columnNamed(shown[number-1].name)
	l.reverse = l.sort == i && !l.reverse
	l.sort = i
	u.arrange()
}

func (u *ui) columnNamed(name string) int {
	return slices.IndexFunc(u.columns, func(c column) bool { return c.name == name })
}

// nextSort sorts by the next of the columns that show.
func (u *ui) nextSort() {
	l, before := &u.list, u.list.sort
	l.sort, l.reverse = unsorted, false
	for _, c := range u.fitting() {
		if i := u.columnNamed(c.name); i > before && c.order != nil {
			l.sort = i
			break
		}
	}
	u.arrange()
	if l.sort == unsorted {
		u.tell("in the inventory's order")
	} else {
		u.tell("sorted by " + u.columns[l.sort].name)
	}
}

func (u *ui) nextTheme() {
	for i, t := range Themes {
		if t == u.o.Settings.Theme {
			u.o.Settings.Theme = Themes[(i+1)%len(Themes)]
			break
		}
	}
	u.paint()
	u.tell("theme " + string(u.o.Settings.Theme))
}
