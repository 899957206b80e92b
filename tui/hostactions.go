package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// hostActions makes the dialogs and requests for everything that the operator can do to hosts.
// Whatever changes a host asks first. For each action, a method with "Unavailable" in its name
// returns why it cannot be done now, or "".
type hostActions struct {
	options *TableOptions
	hosts   *hosts
	keys    *keymap
	// commands are those that were run on hosts, oldest first. They may contain secrets, so that
	// they are kept only while the table is open.
	commands []string
}

const noHost = "no host is selected"

// busyWith returns which of some hosts cannot be changed now because something else changes it; it
// returns "" if there is none.
func (a *hostActions) busyWith(hosts []*inventory.Host) string {
	if len(hosts) == 0 {
		return noHost
	}
	for _, h := range hosts {
		r := a.hosts.byName[h.Name]
		if r.activity != "" {
			return h.Name + " is " + r.activity
		}
		if r.busy() {
			return fmt.Sprintf("%s is already in run %s; %s cancels it", h.Name, r.run.Run, a.keys.keyFor("cancel"))
		}
	}
	return ""
}

func (a *hostActions) deployUnavailable(hosts []*inventory.Host) string {
	if a.options.Actions.Deploy == nil {
		return "deploying is not available here"
	}
	return a.busyWith(hosts)
}

// deploy asks before hosts are changed. It deploys what it shows: the commit stays the same even if
// another one is pushed before the operator confirms.
func (a *hostActions) deploy(hosts []*inventory.Host, o fleet.Options) effect {
	if o.Goal != fleet.GoalRollback {
		o.Pinned.Commit = a.hosts.target.Revision
	}
	plan, err := fleet.NewPlan(a.options.Inventory, hosts, o, "")
	if err != nil {
		return refusal(firstLine(err))
	}
	verb := o.Goal
	switch verb {
	case fleet.GoalSwitch:
		verb = "deploy"
	case fleet.GoalRollback:
		verb = "roll back"
	}
	d := newHostDialog(fmt.Sprintf("%s %s?", verb, plural(len(hosts), "host")), hosts)
	d.lines = append(d.lines, a.destination(o))
	d.addWaves(plan)
	d.confirm, d.decline = strings.ToUpper(verb[:1])+verb[1:], "Don't "+verb
	a.guardWholeFleet(d)
	d.accept = func(string) tea.Cmd {
		return startOn(d.hosts, func() error { return a.options.Actions.Deploy(d.hosts, o) })
	}
	return effect{dialog: d}
}

// guardWholeFleet requires the number of hosts to be typed if a dialog is about all of several.
func (a *hostActions) guardWholeFleet(d *dialog) {
	if n := len(d.hosts); n > 1 && n == len(a.hosts.rows) {
		d.expectCount("this is the whole fleet")
	}
}

// startedMsg reports that the owner has started what the operator confirmed for hosts.
type startedMsg struct{ hosts []string }

// startOn returns a command that asks the owner to start something on hosts in the background.
func startOn(hosts []string, do func() error) tea.Cmd {
	return background(func() tea.Msg {
		if err := do(); err != nil {
			return noticeMsg{text: err.Error(), bad: true}
		}
		return startedMsg{hosts}
	})
}

// destination returns what a run would activate, in words.
func (a *hostActions) destination(o fleet.Options) string {
	switch {
	case o.Goal == fleet.GoalRollback:
		return "to the previous generation"
	case o.Pinned.Commit != "":
		return strings.TrimSpace("to " + health.Short(o.Pinned.Commit) + " " + a.hosts.target.Subject)
	}
	return "to the tip of " + a.options.Inventory.Branch
}

// addWaves adds a line about the waves of a plan, if it has more than one.
func (d *dialog) addWaves(plan *fleet.Plan) {
	if len(plan.Waves) < 2 {
		return
	}
	var waves []string
	for _, w := range plan.Waves {
		waves = append(waves, fmt.Sprintf("%d (%s)", w.Number, plural(len(w.Hosts), "host")))
	}
	d.lines = append(d.lines, "in waves: "+strings.Join(waves, ", then "))
}

func (a *hostActions) retryUnavailable() string {
	switch {
	case a.hosts.failedCount == 0:
		return "no host has failed"
	case a.options.Actions.Deploy == nil:
		return "deploying is not available here"
	}
	return ""
}

func (a *hostActions) retry() effect {
	return a.deploy(a.hosts.failed(), fleet.Options{Goal: fleet.GoalSwitch})
}

func (a *hostActions) planUnavailable(hosts []*inventory.Host) string {
	switch {
	case a.options.Actions.Plan == nil:
		return "planning is not available here"
	case len(hosts) == 0:
		return noHost
	}
	return ""
}

// plan asks hosts what a deploy would do.
func (a *hostActions) plan(hosts []*inventory.Host, build bool, now time.Time) effect {
	progress := "checking what a deploy would do ..."
	if build {
		progress = "building, to show what a deploy would change ..."
	}
	for _, h := range hosts {
		a.hosts.byName[h.Name].plan = textPane(now, []Text{{"out", progress}})
	}
	names, o := namesOf(hosts), fleet.Options{Pinned: fleet.Revision{Commit: a.hosts.target.Revision}}
	e := run(request(func() error { return a.options.Actions.Plan(names, o, build) }, ""))
	if len(hosts) > 1 {
		e.notice.text = fmt.Sprintf("planning for %s: each shows its plan in its tab", plural(len(hosts), "host"))
	}
	return e
}

func (a *hostActions) cancelUnavailable(r *row) string {
	switch {
	case a.options.Actions.Cancel == nil:
		return "canceling is not available here"
	case r == nil || !r.busy():
		return "no run is in progress here"
	}
	return ""
}

func (a *hostActions) cancel(run *fleet.State) effect {
	var hosts []*inventory.Host
	for _, h := range run.Hosts {
		if r := a.hosts.byName[h.Name]; r != nil && h.Phase != fleet.Done {
			hosts = append(hosts, r.Host)
		}
	}
	d := newHostDialog("cancel run "+run.Run+"?", hosts)
	d.lines = append(d.lines, "jobs already activating will finish; all others stop, and waiting hosts won't start")
	d.confirm, d.decline = "Cancel the run", "Keep running"
	d.accept = func(string) tea.Cmd {
		return request(func() error { return a.options.Actions.Cancel(run.Run) }, "every host was asked to cancel")
	}
	return effect{dialog: d}
}

func (a *hostActions) execUnavailable(hosts []*inventory.Host) string {
	switch {
	case a.options.Actions.Exec == nil:
		return "running commands is not available here"
	case len(hosts) == 0:
		return noHost
	}
	return ""
}

func (a *hostActions) exec(hosts []*inventory.Host) effect {
	d := newHostDialog("run a command on "+plural(len(hosts), "host"), hosts)
	d.confirm, d.decline, d.input, d.history = "Run", "Don't run", &input{}, a.commands
	d.accept = func(command string) tea.Cmd {
		if strings.TrimSpace(command) == "" {
			return nil
		}
		a.remember(command)
		do := func(string) tea.Cmd {
			return startOn(d.hosts, func() error { return a.options.Actions.Exec(d.hosts, command) })
		}
		confirm := newHostDialog(d.title+"?", hosts)
		if a.guardWholeFleet(confirm); confirm.expected == "" {
			return do("")
		}
		confirm.lines = []string{command}
		confirm.confirm, confirm.decline, confirm.accept = d.confirm, d.decline, do
		return func() tea.Msg { return dialogMsg{confirm} }
	}
	return effect{dialog: d}
}

// remember adds a command to those that can be recalled. One that was run before moves to the end.
func (a *hostActions) remember(command string) {
	a.commands = append(slices.DeleteFunc(slices.Clone(a.commands), func(c string) bool { return c == command }), command)
}

// dialogMsg opens a dialog that follows another.
type dialogMsg struct{ *dialog }

func (a *hostActions) attachUnavailable() string {
	if a.options.Actions.Attach == nil {
		return "attaching is not available here"
	}
	return ""
}

func (a *hostActions) attach() effect { return run(request(a.options.Actions.Attach, "")) }

func (a *hostActions) trustUnavailable(hosts []*inventory.Host) string {
	switch {
	case a.options.Actions.Trust == nil:
		return "accepting host keys is not available here"
	case len(hosts) == 0:
		return noHost
	}
	return ""
}

func (a *hostActions) trust(hosts []*inventory.Host) effect {
	names := namesOf(hosts)
	return run(request(func() error { return a.options.Actions.Trust(names) }, ""))
}

func (a *hostActions) refreshUnavailable(hosts []*inventory.Host) string {
	switch {
	case a.options.Actions.Refresh == nil:
		return "refreshing is not available here"
	case len(hosts) == 0:
		return noHost
	}
	return ""
}

func (a *hostActions) refresh(hosts []*inventory.Host) effect {
	names := namesOf(hosts)
	e := info("checking " + plural(len(names), "host") + " again")
	e.cmd = background(func() tea.Msg { a.options.Actions.Refresh(names); return nil })
	return e
}

func namesOf(hosts []*inventory.Host) []string {
	var names []string
	for _, h := range hosts {
		names = append(names, h.Name)
	}
	return names
}

// leaveDialog asks whether to leave the table while runs are active, or something else is being
// done to hosts. message is the owner's text; the default is how to attach to the runs.
func leaveDialog(message []string, active []*fleet.State, activities []string) *dialog {
	d := &dialog{title: "leave?", confirm: "Leave", decline: "Stay", leaves: true, accept: func(string) tea.Cmd { return tea.Quit }}
	switch {
	case len(message) > 0:
		d.lines = slices.Clone(message)
	case len(active) > 0:
		d.lines = howToAttach(active)
	}
	if len(activities) > 0 {
		d.lines = append(d.lines, strings.Join(activities, ", "), "they come up without the table; hosts of later waves will not start")
	}
	return d
}

// howToAttach returns what happens to active runs without the table, and how to show them again.
func howToAttach(active []*fleet.State) []string {
	lines := []string{"jobs continue on the hosts. To show them again:"}
	for _, s := range active {
		lines = append(lines, "  fleetctl attach "+s.Run)
	}
	if countWaves(active[len(active)-1]) > 1 {
		lines = append(lines, "", "hosts of later waves will not start")
	}
	return lines
}
