package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// click moves the cursor to the row that was clicked, shows the tab, or gives the focus to the log.
func (u *ui) click(msg tea.MouseClickMsg) tea.Cmd {
	if msg.Button != tea.MouseLeft || u.dialog != nil || u.menu != nil || u.commands != nil || u.prompt != nil || u.help.open {
		return nil
	}
	switch {
	case u.runsPage.open:
		return u.handle(u.clickRuns(msg.X, msg.Y))
	case u.page.row != nil:
		if tab := tabAt(u.pageTabs(), msg.X); msg.Y == 2+u.factsHeight() && tab >= 0 {
			return u.handle(u.page.showTab(hostTab(tab), u.now))
		}
		return nil
	}
	first := u.frameLines() - 2 // the line of the first host: the tabs and the footer are below
	tabs := first + u.tableHeight()
	switch at := u.list.top + msg.Y - first; {
	case msg.Y < first:
	case msg.Y < tabs:
		u.focus = onTable
		if msg.X < u.listWidth() && at < len(u.list.items) && u.list.items[at].row != nil {
			u.list.moveTo(at)
			u.logs.cursorMoved()
		}
	case msg.Y == tabs:
		if tab := tabAt(u.logTabs(), msg.X); tab >= 0 {
			u.logs.showTab(u.logTabs()[tab])
		}
	case msg.Y < u.height-1:
		u.focus = onLog
	}
	u.layout++
	u.keepInView()
	return nil
}

// clickRuns moves the cursor to the run that was clicked, shows the tab, or gives the focus to what
// is below.
func (u *ui) clickRuns(x, y int) effect {
	p, tabs := &u.runsPage, 2+u.runsHeight()
	switch {
	case y == tabs:
		if tab := tabAt(p.tabs(), x); tab >= 0 {
			p.tab = runTab(tab)
		}
	case y > tabs && y < u.height-1:
		p.reading = p.current() != nil
	case y >= 2 && y < tabs:
		p.reading = false
		return p.move(min(p.top+y-2, max(len(p.runs)-1, 0)) - p.at)
	}
	return effect{}
}

// tabItem is a tab above a log.
type tabItem struct {
	name  string
	ink   Ink
	shown bool
}

// tabAt returns the index of the tab at a column of the line that has them, or -1.
func tabAt(tabs []tabItem, x int) int {
	for i, t := range tabs {
		x -= tabWidth(t)
		if x < 0 {
			return i
		}
	}
	return -1
}

// tabWidth returns the number of columns that [tabBar] takes for a tab.
func tabWidth(t tabItem) int {
	if t.shown {
		return ansi.StringWidth(t.name) + 5
	}
	return ansi.StringWidth(t.name) + 4
}

// pageTabs returns the tabs of a host's page.
func (u *ui) pageTabs() []tabItem {
	tabs := make([]tabItem, hostTabs)
	for tab := range hostTabs {
		tabs[tab] = tabItem{name: tab.String(), shown: u.page.tab == tab}
	}
	return tabs
}

// fleetTab is the name of the tab with the fleet's log.
const fleetTab = "fleet"

// logTabs returns the tabs below the list: the fleet's log, the report, the pinned hosts, and the
// host under the cursor.
func (u *ui) logTabs() []tabItem {
	shown := u.pane()
	tabs := append(make([]tabItem, 0, 3+len(u.logs.pins)), tabItem{name: fleetTab, shown: shown == &u.logs.fleet})
	if r := u.logs.report; r != nil {
		tabs = append(tabs, tabItem{name: r.title, shown: shown == &r.pane})
	}
	for _, name := range u.logs.pins {
		tabs = append(tabs, tabItem{name, u.inks[name], shown == &u.hosts.byName[name].log})
	}
	if r := u.current(); r != nil && !slices.Contains(u.logs.pins, r.Name) && (shown == &r.log || u.options.Settings.Mouse) {
		tabs = append(tabs, tabItem{r.Name, u.inks[r.Name], shown == &r.log})
	}
	return tabs
}

// showTab shows a tab that the operator has chosen.
func (l *logs) showTab(t tabItem) {
	l.followCursor, l.forRun, l.onReport, l.tab = false, false, false, ""
	switch {
	case t.name == fleetTab:
	case l.report != nil && t.name == l.report.title:
		l.onReport = true
	case slices.Contains(l.pins, t.name):
		l.tab = t.name
	default:
		l.followCursor = true
	}
}

// tabs returns the tabs below the list of runs.
func (p *runsPage) tabs() []tabItem {
	var tabs []tabItem
	for tab, name := range []string{"report", "events", "comparison"} {
		if runTab(tab) != comparisonTab || p.comparison != nil {
			tabs = append(tabs, tabItem{name: name, shown: p.tab == runTab(tab)})
		}
	}
	return tabs
}
