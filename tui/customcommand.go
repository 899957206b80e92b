package tui

import (
	"bufio"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// A Command is a command of the operator's own, which the table offers as an action.
type Command struct {
	Name  string
	Keys  []string
	About string // for the help
	Run   string // a line for sh
	// OnOperator runs it on the operator's machine, for one host and with the terminal to itself,
	// instead of on the hosts.
	OnOperator bool
	// Confirm asks before the command runs on hosts. The whole fleet is always confirmed.
	Confirm bool
}

// action returns the command as an action of the table.
func (c Command) action() action {
	a := action{name: c.Name, keys: c.Keys, about: c.About, scope: anywhere, changes: true}
	if a.about == "" {
		a.about = strings.Join(strings.Fields(c.Run), " ") // it may have several lines
	}
	if c.OnOperator {
		a.unavailable = func(u *ui) string { return u.actions.onOperatorUnavailable(u.subject()) }
		a.do = func(u *ui) tea.Cmd { return u.handle(u.actions.runOnOperator(c, u.subject().Name)) }
		return a
	}
	a.unavailable = targetsUnavailable((*hostActions).execUnavailable)
	a.do = onTargets(func(h *hostActions, hosts []*inventory.Host) effect { return h.runOnHosts(c, hosts) })
	return a
}

// runOnHosts runs a command on hosts like exec.
func (a *hostActions) runOnHosts(c Command, hosts []*inventory.Host) effect {
	d := newHostDialog(fmt.Sprintf("%s on %s?", c.Name, plural(len(hosts), "host")), hosts)
	d.lines = []string{c.Run}
	d.confirm, d.decline = "Run", "Don't run"
	a.guardWholeFleet(d)
	do := func() tea.Cmd {
		return startOn(d.hosts, func() error { return a.options.Actions.Exec(d.hosts, c.Run) })
	}
	if !c.Confirm && d.expected == "" {
		return run(do())
	}
	d.accept = func(string) tea.Cmd { return do() }
	return effect{dialog: d}
}

func (a *hostActions) onOperatorUnavailable(r *row) string {
	switch {
	case a.options.Actions.Local == nil:
		return "commands on this machine are not available here"
	case r == nil:
		return noHost
	}
	return ""
}

// runOnOperator runs a command on the operator's machine. The table releases the terminal until it
// exits.
func (a *hostActions) runOnOperator(c Command, host string) effect {
	cmd, err := a.options.Actions.Local(host, c.Run)
	if err != nil {
		return refusal(firstLine(err))
	}
	return inTerminal(c.Name, &localCommand{terminalCommand{cmd}, c.Name})
}

// localCommand is a command of the operator that has the terminal to itself.
type localCommand struct {
	terminalCommand
	name string
}

// Run runs the command and keeps its output on the screen until the operator has read it. It pauses
// like [aside].
func (l *localCommand) Run() error {
	err := l.Cmd.Run()
	status := "finished"
	if err != nil {
		status = err.Error()
	}
	fmt.Fprintf(l.Stderr, "%s: %s; press enter to return to the table ", l.name, status)
	_, _ = bufio.NewReader(l.Stdin).ReadString('\n')
	time.Sleep(batchInterval)
	return err
}
