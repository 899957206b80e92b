package tui

import (
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// allActions returns all actions in the order in which the help lists them.
func allActions() []action {
	return slices.Concat(movementActions(), tableActions(), hostActionList(), logActions(), programActions(), runsActions(), sortActions())
}

// These adapt what an action does to the signature of action.do. An action of the ui or of a child
// without a result: on; of the hosts that it is for: onTargets; of the log that is shown: onPane.

func on(do func(*ui)) func(*ui) tea.Cmd {
	return func(u *ui) tea.Cmd { do(u); return nil }
}

func onTargets(do func(*hostActions, []*inventory.Host) effect) func(*ui) tea.Cmd {
	return func(u *ui) tea.Cmd {
		e := do(&u.actions, u.targets())
		if e.dialog != nil && u.page.row == nil {
			e.dialog.noteHidden(u.list.hidden(e.dialog.hosts))
		}
		return u.handle(e)
	}
}

func targetsUnavailable(why func(*hostActions, []*inventory.Host) string) func(*ui) string {
	return func(u *ui) string { return why(&u.actions, u.targets()) }
}

func onPane(do func(*pane, *logStyle) effect) func(*ui) tea.Cmd {
	return func(u *ui) tea.Cmd { return u.handle(do(u.pane(), &u.logs.style)) }
}

func deploy(goal string) func(*ui) tea.Cmd {
	return onTargets(func(a *hostActions, hosts []*inventory.Host) effect {
		return a.deploy(hosts, fleet.Options{Goal: goal})
	})
}

func movementActions() []action {
	scroll := func(lines int) func(*ui) tea.Cmd { return func(u *ui) tea.Cmd { return u.scroll(lines) } }
	all := anywhere | inHelp | inRuns
	return []action{
		{name: "down", keys: []string{"j", "down"}, about: "move down one line", scope: all, do: scroll(1)},
		{name: "up", keys: []string{"k", "up"}, about: "move up one line", scope: all, do: scroll(-1)},
		{name: "top", keys: []string{"g", "home"}, about: "go to the first line", scope: all, do: scroll(-1 << 30)},
		{name: "bottom", keys: []string{"G", "end"}, about: "go to the last line", scope: all, do: scroll(1 << 30)},
		{name: "page-down", keys: []string{"ctrl+d", "pgdown"}, about: "move down half a page", scope: all,
			do: func(u *ui) tea.Cmd { return u.scroll(u.halfPage()) }},
		{name: "page-up", keys: []string{"ctrl+u", "pgup"}, about: "move up half a page", scope: all,
			do: func(u *ui) tea.Cmd { return u.scroll(-u.halfPage()) }},
	}
}

func tableActions() []action {
	return []action{
		{name: "open", keys: []string{"enter"}, about: "show the host: facts, history, log", scope: inTable,
			unavailable: (*ui).noCurrent, do: func(u *ui) tea.Cmd { return u.openPage(u.current()) }},
		{name: "log", keys: []string{"l"}, about: "move into the log", scope: inTable,
			do: on(func(u *ui) { u.focus = onLog; u.keepInView() })},
		{name: "tab", keys: []string{"tab"}, about: "next tab: of logs, or of a host's log, plan and generations", scope: anywhere | inRuns,
			do: (*ui).nextTab},
		{name: "pin", keys: []string{"P"}, about: "keep a tab for the host's log", scope: inTable, unavailable: (*ui).noCurrent,
			do: on(func(u *ui) { u.logs.togglePin(u.list.cursor) })},
		{name: "filter", keys: []string{"/"}, about: "show hosts by a part of a name, tag or state, or by a selector", scope: inTable,
			do: on((*ui).promptFilter)},
		{name: "filters", keys: []string{"f"}, about: "choose a saved or a recent filter", scope: inTable,
			do: func(u *ui) tea.Cmd { return u.handle(u.openFilters()) }},
		{name: "mark", keys: []string{"space"}, about: "mark the host for actions", scope: inTable, unavailable: (*ui).noCurrent,
			do: on((*ui).toggleMark)},
		{name: "mark-all", keys: []string{"a"}, about: "mark all hosts shown, or none", scope: inTable,
			do: on(func(u *ui) { u.list.toggleMarks() })},
		{name: "next-failed", keys: []string{"e"}, about: "go to the next host that failed", scope: inTable,
			do: func(u *ui) tea.Cmd { return u.handle(u.nextFailed()) }},
		{name: "group", keys: []string{"o"}, about: "group by tag, wave, kind or state, then not", scope: inTable, do: (*ui).nextGroup},
		{name: "sort", keys: []string{"S"}, about: "sort by the next column, then unsorted", scope: inTable, do: (*ui).nextSort},
		{name: "reverse", keys: []string{"I"}, about: "reverse the order", scope: inTable,
			do: on(func(u *ui) { u.list.reverse = !u.list.reverse; u.arrange() })},
	}
}

func hostActionList() []action {
	canDeploy := targetsUnavailable((*hostActions).deployUnavailable)
	canPlan := targetsUnavailable((*hostActions).planUnavailable)
	return []action{
		{name: "deploy", keys: []string{"d"}, about: "pull, build and switch", scope: anywhere, changes: true,
			unavailable: canDeploy, do: deploy(fleet.GoalSwitch)},
		{name: "build", keys: []string{"b"}, about: "pull and build, without activating", scope: anywhere, changes: true,
			unavailable: canDeploy, do: deploy(fleet.GoalBuild)},
		{name: "test", keys: []string{"t"}, about: "activate until the next reboot (nixos)", scope: anywhere, changes: true,
			unavailable: canDeploy, do: deploy(fleet.GoalTest)},
		{name: "boot", keys: []string{"B"}, about: "activate at the next reboot (nixos)", scope: anywhere, changes: true,
			unavailable: canDeploy, do: deploy(fleet.GoalBoot)},
		{name: "pull", keys: []string{"p"}, about: "update the checkout, without building", scope: anywhere, changes: true,
			unavailable: canDeploy, do: deploy(fleet.GoalPull)},
		{name: "rollback", keys: []string{"R"}, about: "activate an earlier generation", scope: anywhere, changes: true,
			unavailable: canDeploy, do: onTargets((*hostActions).rollback)},
		{name: "plan", keys: []string{"v"}, about: "show what a deploy would do", scope: anywhere,
			unavailable: canPlan, do: func(u *ui) tea.Cmd { return u.plan(false) }},
		{name: "plan-build", keys: []string{"V"}, about: "build, and show which packages and units would change", scope: anywhere,
			unavailable: canPlan, do: func(u *ui) tea.Cmd { return u.plan(true) }},
		{name: "reboot", keys: []string{"ctrl+r"}, about: "reboot, and wait for the host to come back", scope: anywhere, changes: true,
			unavailable: targetsUnavailable((*hostActions).rebootUnavailable), do: onTargets((*hostActions).reboot)},
		{name: "retry", keys: []string{"F"}, about: "deploy again to the hosts on which it failed", scope: inTable, changes: true,
			unavailable: func(u *ui) string { return u.actions.retryUnavailable() }, do: func(u *ui) tea.Cmd { return u.handle(u.actions.retry()) }},
		{name: "cancel", keys: []string{"x"}, about: "cancel the host's run", scope: anywhere, changes: true,
			unavailable: func(u *ui) string { return u.actions.cancelUnavailable(u.subject()) },
			do:          func(u *ui) tea.Cmd { return u.handle(u.actions.cancel(u.subject().run)) }},
		{name: "exec", keys: []string{"!"}, about: "run a command", scope: anywhere, changes: true,
			unavailable: targetsUnavailable((*hostActions).execUnavailable), do: onTargets((*hostActions).exec)},
		{name: "shell", keys: []string{"s"}, about: "open a shell with ssh", scope: anywhere, changes: true,
			unavailable: func(u *ui) string { return u.actions.shellUnavailable(u.subject()) },
			do:          func(u *ui) tea.Cmd { return u.handle(u.actions.shell(u.subject().Name)) }},
		{name: "trust", keys: []string{"K"}, about: "review the host's unknown key", scope: anywhere, changes: true,
			unavailable: targetsUnavailable((*hostActions).trustUnavailable), do: onTargets((*hostActions).trust)},
		{name: "attach", keys: []string{"A"}, about: "attach to unfinished runs, and continue them", scope: anywhere, changes: true,
			unavailable: func(u *ui) string { return u.actions.attachUnavailable() }, do: func(u *ui) tea.Cmd { return u.handle(u.actions.attach()) }},
		{name: "refresh", keys: []string{"r"}, about: "check the host again", scope: anywhere,
			unavailable: targetsUnavailable((*hostActions).refreshUnavailable), do: onTargets((*hostActions).refresh)},
	}
}

func logActions() []action {
	return []action{
		{name: "follow", keys: []string{"f"}, about: "follow the log's end, or stay here", scope: inLog | inRuns, do: onPane((*pane).toggleFollow)},
		{name: "wrap", keys: []string{"w"}, about: "wrap or cut long lines", scope: inLog | inRuns,
			do: on(func(u *ui) { u.logs.style.wrap = !u.logs.style.wrap })},
		{name: "fold", keys: []string{"z"}, about: "show or fold build output", scope: inLog | inRuns, do: onPane((*pane).toggleFold)},
		{name: "times", keys: []string{"T"}, about: "show when each line came", scope: inLog | inRuns,
			do: on(func(u *ui) { u.logs.style.times = !u.logs.style.times })},
		{name: "search", keys: []string{"/"}, about: "search the log", scope: inLog | inRuns, do: on((*ui).promptSearch)},
		{name: "next-match", keys: []string{"n"}, about: "next match of the search", scope: inLog | inRuns, do: onPane((*pane).nextMatch)},
		{name: "previous-match", keys: []string{"N"}, about: "previous match of the search", scope: inLog | inRuns, do: onPane((*pane).previousMatch)},
		{name: "next-error", keys: []string{"e"}, about: "next error or warning", scope: inLog | inRuns, do: onPane((*pane).nextError)},
		{name: "copy", keys: []string{"c"}, about: "copy the lines shown to the clipboard", scope: inLog | inRuns, do: onPane((*pane).copyShown)},
	}
}

func programActions() []action {
	return []action{
		{name: "menu", keys: []string{"m"}, about: "list what can be done now, with the key of each", scope: anywhere | inRuns,
			do: on((*ui).openMenu)},
		{name: "yank", keys: []string{"y"}, about: "copy the host's name, address, revision or error", scope: anywhere,
			unavailable: (*ui).noSubject, do: on((*ui).openYank)},
		{name: "pager", keys: []string{"L"}, about: "show the whole log in $PAGER", scope: anywhere | inRuns,
			unavailable: (*ui).pagerUnavailable, do: func(u *ui) tea.Cmd { return u.handle(u.openPager()) }},
		{name: "edit", keys: []string{"E"}, about: "edit the inventory with $EDITOR", scope: anywhere | inRuns,
			unavailable: (*ui).editUnavailable, do: func(u *ui) tea.Cmd { return u.handle(u.edit()) }},
		{name: "commands", keys: []string{":"}, about: "find a command by name", scope: anywhere | inRuns,
			do: on(func(u *ui) { u.commands = newCommandPalette(&u.keys, u.scope(), u.options.ReadOnly != "") })},
		{name: "theme", keys: []string{"ctrl+t"}, about: "next theme", scope: anywhere | inRuns, do: (*ui).nextTheme},
		{name: "mouse", keys: []string{"M"}, about: "turn the mouse on or off: scrolling, and selecting hosts and tabs", scope: anywhere | inRuns,
			do: (*ui).toggleMouse},
		{name: "help", keys: []string{"?"}, about: "show the keys that work here", scope: anywhere | inHelp | inRuns,
			do: on(func(u *ui) { u.help = helpPage{open: !u.help.open} })},
		{name: "back", keys: []string{"esc", "h"}, about: "go back one step", scope: anywhere | inHelp | inRuns, do: on((*ui).back)},
		{name: "quit", keys: []string{"q", "ctrl+c"}, about: "leave the table, or the help", scope: anywhere | inHelp | inRuns, do: (*ui).quit},
	}
}

func sortActions() []action {
	var all []action
	for n := 1; n <= 9; n++ {
		number := strconv.Itoa(n)
		all = append(all, action{
			name: "sort-" + number, keys: []string{number}, about: "sort by column " + number + ", again to reverse",
			scope: inTable, do: func(u *ui) tea.Cmd { return u.sortBy(n) },
		})
	}
	return all
}

// back undoes the last thing that narrowed what is shown. It never quits.
func (u *ui) back() {
	style := &u.logs.style
	switch {
	case u.help.open:
		u.help = helpPage{}
	case u.scope()&(inLog|inRuns) != 0 && u.pane().searching():
		u.pane().stopSearch()
	case u.scope()&(inLog|inRuns) != 0 && style.search != "":
		style.search = ""
	case u.runsPage.reading:
		u.runsPage.reading = false
	case u.runsPage.open:
		u.runsPage.open = false
	case u.page.row != nil:
		u.page.close()
	case u.focus == onLog:
		u.focus = onTable
	case u.list.filter != "":
		u.list.filter = ""
		u.arrange()
	default:
		u.hosts.unmarkAll()
	}
	u.layout++
	u.keepInView()
}

// scroll moves the help, the log or the cursor, whichever the keys go to.
func (u *ui) scroll(lines int) tea.Cmd {
	switch u.scope() {
	case inHelp:
		u.help.scroll(lines, len(u.helpLines())-(u.height-2))
	case inRuns:
		if !u.runsPage.reading {
			return u.handle(u.runsPage.move(lines))
		}
		return u.scrollLog(lines)
	case inLog:
		return u.scrollLog(lines)
	default:
		u.moveCursor(lines)
	}
	return nil
}

func (u *ui) scrollLog(lines int) tea.Cmd { return u.handle(u.pane().scroll(lines, &u.logs.style)) }

// halfPage returns half the height of what the keys move.
func (u *ui) halfPage() int {
	switch {
	case u.scope() == inTable:
		return max(u.tableHeight()/2, 1)
	case u.runsPage.open && !u.runsPage.reading:
		return max(u.runsHeight()/2, 1)
	}
	return max(u.pane().height/2, 1)
}

// noCurrent explains that no host is under the cursor; it returns "" if one is.
func (u *ui) noCurrent() string {
	if u.current() == nil {
		return noHost
	}
	return ""
}

// noSubject explains that keys are about no host; it returns "" if they are about one.
func (u *ui) noSubject() string {
	if u.subject() == nil {
		return noHost
	}
	return ""
}

// openPage shows a host on the whole screen.
func (u *ui) openPage(r *row) tea.Cmd {
	u.layout++
	return u.handle(u.page.show(r))
}

// nextTab shows the next tab of the runs, the host page or the logs.
func (u *ui) nextTab() tea.Cmd {
	if u.runsPage.open {
		u.runsPage.nextTab()
		return nil
	}
	if u.page.row != nil {
		return u.handle(u.page.nextTab(u.now))
	}
	u.logs.nextTab()
	return nil
}

// toggleMark marks or unmarks the host under the cursor and moves to the next.
func (u *ui) toggleMark() {
	r := u.current()
	u.hosts.setMark(r, !r.marked)
	u.moveCursor(1)
}

// nextFailed moves the cursor to the next host whose last run failed, and after the last one to the
// first.
func (u *ui) nextFailed() effect {
	if u.hosts.failedCount == 0 {
		return refusal("no host has failed")
	}
	if !u.list.next((*row).failed) {
		return refusal(plural(u.hosts.failedCount, "failed host") + " hidden by the filter; " + u.keys.keyFor("back") + " shows all hosts")
	}
	u.logs.cursorMoved()
	u.keepInView()
	return effect{}
}

// plan asks hosts what a deploy would do, which changes none of them, and opens the page of one to
// show the answer.
func (u *ui) plan(build bool) tea.Cmd {
	hosts := u.targets()
	shown := u.hosts.byName[hosts[0].Name]
	if r := u.subject(); r != nil && slices.Contains(hosts, r.Host) {
		shown = r
	}
	e := u.actions.plan(hosts, build, u.now)
	opened := u.openPage(shown)
	u.page.tab = planTab
	return tea.Batch(opened, u.handle(e))
}

func (u *ui) promptFilter() {
	u.prompt = newPrompt("/", "a part of a name, tag or state; @tag, kind:home, not A, A and B", u.list.filter, func(text string) {
		u.list.filter = text
		u.arrange()
	}, func() effect { u.list.remember(); return effect{} })
	u.prompt.problem, u.prompt.history = u.list.problem, u.list.recent
}

func (u *ui) promptSearch() {
	u.prompt = newPrompt("search /", "enter goes to the first match, n and N to the others", "",
		func(text string) { u.logs.style.search = strings.ToLower(text) },
		func() effect { return u.pane().previousMatch(&u.logs.style) })
}

// arrange updates which hosts are shown, and in which order.
func (u *ui) arrange() {
	u.list.arrange(u.now)
	u.keepInView()
}

func (u *ui) moveCursor(lines int) {
	u.list.move(lines)
	u.logs.cursorMoved()
	u.keepInView()
}

func (u *ui) keepInView() { u.list.keepInView(u.tableHeight()) }

func (u *ui) nextGroup() tea.Cmd {
	u.list.group = (u.list.group + 1) % groupings
	u.arrange()
	if u.list.group == ungrouped {
		return u.handle(info("not grouped"))
	}
	return u.handle(info("grouped by " + u.list.group.String()))
}

// sortBy sorts by a column, counted from 1 as they are shown. Sorting by the same column again
// reverses the order.
func (u *ui) sortBy(number int) tea.Cmd {
	if !u.list.sortBy(number, u.fitting()) {
		return u.handle(refusal("there is no such column to sort by"))
	}
	u.arrange()
	return nil
}

// nextSort sorts by the next of the columns that are shown.
func (u *ui) nextSort() tea.Cmd {
	u.list.sortByNext(u.fitting())
	u.arrange()
	if u.list.sort == unsorted {
		return u.handle(info("sorted as in the inventory"))
	}
	return u.handle(info("sorted by " + u.columns.chosen[u.list.sort].name))
}

func (u *ui) nextTheme() tea.Cmd {
	theme := &u.options.Settings.Theme
	*theme = Themes[(slices.Index(Themes, *theme)+1)%len(Themes)]
	u.repaint()
	return u.handle(info("theme " + string(*theme)))
}

func (u *ui) toggleMouse() tea.Cmd {
	mouse := &u.options.Settings.Mouse
	if *mouse = !*mouse; *mouse {
		return u.handle(info("the mouse scrolls and selects hosts; most terminals select text with shift"))
	}
	return u.handle(info("the mouse selects text"))
}

// quit leaves the help, or the table. It asks first if something is in progress: jobs on hosts
// continue without the table, but later waves of a run or of a reboot do not start.
func (u *ui) quit() tea.Cmd {
	if u.help.open {
		u.back()
		return nil
	}
	active, busy := u.runs.active(), u.hosts.activities()
	if len(active)+len(busy) == 0 {
		return tea.Quit
	}
	u.dialog = leaveDialog(u.options.Leaving, active, busy)
	return nil
}
