package tui

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// away runs something that may take its time, and says how it went.
func away(do func() error, done string) tea.Cmd {
	return beside(func() tea.Msg {
		if err := do(); err != nil {
			return flashMsg{text: err.Error(), bad: true}
		}
		return flashMsg{text: done}
	})
}

func (u *ui) canDeploy() string {
	if u.o.Actions.Deploy == nil {
		return "deploying is not possible here"
	}
	return u.idle(u.targets())
}

// idle says which of some hosts a run has already; "" where none has.
func (u *ui) idle(hosts []*inventory.Host) string {
	if len(hosts) == 0 {
		return "there is no host to do that on"
	}
	for _, h := range hosts {
		r := u.byName[h.Name]
		if r.doing != "" {
			return h.Name + " is " + r.doing
		}
		if r.busy() {
			return fmt.Sprintf("%s is in run %s already; %s cancels it", h.Name, r.run.Run, u.keys.keyOf("cancel"))
		}
	}
	return ""
}

func (u *ui) askDeploy(goal string) tea.Cmd {
	return u.confirmDeploy(u.targets(), fleet.Options{Goal: goal})
}

// confirmDeploy asks before hosts are changed. What was shown is what is deployed: to the commit, even if somebody pushes meanwhile.
func (u *ui) confirmDeploy(hosts []*inventory.Host, o fleet.Options) tea.Cmd {
	if o.Goal != fleet.GoalRollback {
		o.Rev = u.target.Revision
	}
	plan, err := fleet.NewPlan(u.o.Inventory, hosts, o, "")
	if err != nil {
		u.refuse(firstLine(err))
		return nil
	}
	verb := o.Goal
	if verb == fleet.GoalSwitch {
		verb = "deploy"
	}
	d := u.about(fmt.Sprintf("%s %s?", verb, plural(len(hosts), "host")), hosts)
	d.lines = append(d.lines, "", u.aim(o))
	d.wavesOf(plan)
	d.yes = strings.ToUpper(verb[:1]) + verb[1:]
	u.guard(d)
	d.do = func(u *ui, _ string) tea.Cmd {
		return away(func() error { return u.o.Actions.Deploy(d.hosts, o) }, "")
	}
	u.dialog = d
	return nil
}

// wavesOf says in which waves it would go.
func (d *dialog) wavesOf(plan *fleet.Plan) {
	if len(plan.Waves) < 2 {
		return
	}
	var waves []string
	for _, w := range plan.Waves {
		waves = append(waves, fmt.Sprintf("%d (%s)", w.Number, plural(len(w.Hosts), "host")))
	}
	d.lines = append(d.lines, "in waves: "+strings.Join(waves, ", then "))
}

// aim is where a run would take its hosts, in words.
func (u *ui) aim(o fleet.Options) string {
	switch {
	case o.Goal == fleet.GoalRollback:
		return "to the generation before"
	case o.Rev != "":
		return strings.TrimSpace("to " + health.Short(o.Rev) + " " + u.target.Subject)
	}
	return "to the tip of " + u.o.Inventory.Branch
}

// about is a dialog that names hosts.
func (u *ui) about(title string, hosts []*inventory.Host) *dialog {
	d := &dialog{title: title}
	for _, h := range hosts {
		d.hosts = append(d.hosts, h.Name)
	}
	const most = 24
	shown := d.hosts[:min(len(d.hosts), most)]
	names := strings.Join(shown, ", ")
	if more := len(d.hosts) - len(shown); more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	d.lines = []string{names}
	return d
}

// guard has the count typed where a dialog is about the whole fleet.
func (u *ui) guard(d *dialog) {
	if n := len(d.hosts); n > 1 && n == len(u.rows) {
		d.wantCount("this is the whole fleet")
	}
}

// wantCount has the number of hosts typed, and says why.
func (d *dialog) wantCount(why string) {
	d.want, d.input = strconv.Itoa(len(d.hosts)), &input{}
	d.lines = append(d.lines, "", fmt.Sprintf("%s: type %s to go on", why, d.want))
}

// failed returns the hosts whose last run failed, also if that was before the table was opened.
func (u *ui) failed() []*inventory.Host {
	var hosts []*inventory.Host
	for _, r := range u.rows {
		if last := r.judged.LastRun; last != nil && !fleet.Outcome(last.Outcome).Good() {
			hosts = append(hosts, r.Host)
		}
	}
	return hosts
}

func (u *ui) canRetry() string {
	if len(u.failed()) == 0 {
		return "no host has failed"
	}
	if u.o.Actions.Deploy == nil {
		return "deploying is not possible here"
	}
	return ""
}

func (u *ui) askRetry() tea.Cmd {
	return u.confirmDeploy(u.failed(), fleet.Options{Goal: fleet.GoalSwitch})
}

func (u *ui) canCancel() string {
	switch r := u.subject(); {
	case u.o.Actions.Cancel == nil:
		return "cancelling is not possible here"
	case r == nil || !r.busy():
		return "no run is at work here"
	}
	return ""
}

// subject is the host that the keys are about: the one that fills the screen, or the one under the cursor.
func (u *ui) subject() *row {
	if u.open != "" {
		return u.byName[u.open]
	}
	return u.here()
}

func (u *ui) askCancel() tea.Cmd {
	run := u.subject().run
	var hosts []*inventory.Host
	for _, h := range run.Hosts {
		if r := u.byName[h.Name]; r != nil && h.Phase != fleet.Done {
			hosts = append(hosts, r.Host)
		}
	}
	d := u.about("cancel run "+run.Run+"?", hosts)
	d.lines = append(d.lines, "", "a job that activates goes on to its end; all others end, and hosts that wait are not begun")
	d.yes = "Cancel the run"
	d.do = func(u *ui, _ string) tea.Cmd {
		return away(func() error { return u.o.Actions.Cancel(run.Run) }, "every host was asked to cancel")
	}
	u.dialog = d
	return nil
}

func (u *ui) canExec() string {
	if u.o.Actions.Exec == nil {
		return "running commands is not possible here"
	}
	if len(u.targets()) == 0 {
		return "there is no host to do that on"
	}
	return ""
}

func (u *ui) askExec() tea.Cmd {
	hosts := u.targets()
	d := u.about("run a command on "+plural(len(hosts), "host"), hosts)
	d.yes, d.input = "run it", &input{}
	d.do = func(u *ui, text string) tea.Cmd {
		if strings.TrimSpace(text) == "" {
			return nil
		}
		return away(func() error { return u.o.Actions.Exec(d.hosts, text) }, "")
	}
	u.dialog = d
	return nil
}

func (u *ui) canShell() string {
	if u.o.Actions.Shell == nil {
		return "a shell is not possible here"
	}
	if u.subject() == nil {
		return "there is no host here"
	}
	return ""
}

func (u *ui) shell() tea.Cmd {
	cmd, err := u.o.Actions.Shell(u.subject().Name)
	if err != nil {
		u.refuse(firstLine(err))
		return nil
	}
	return tea.Exec(&login{cmd}, func(err error) tea.Msg {
		var ended *exec.ExitError
		if err != nil && !errors.As(err, &ended) { // how the last command there ended is nobody's business here
			return flashMsg{text: "ssh: " + err.Error(), bad: true}
		}
		return flashMsg{}
	})
}

func (u *ui) canAttach() string {
	if u.o.Actions.Attach == nil {
		return "attaching is not possible here"
	}
	return ""
}

func (u *ui) attach() tea.Cmd { return away(u.o.Actions.Attach, "") }

func (u *ui) canTrust() string {
	if u.o.Actions.Trust == nil {
		return "accepting keys is not possible here"
	}
	return u.needsHost()
}

func (u *ui) trust() tea.Cmd {
	names := u.targetNames()
	return away(func() error { return u.o.Actions.Trust(names) }, "")
}

func (u *ui) canRefresh() string {
	if u.o.Actions.Refresh == nil {
		return "refreshing is not possible here"
	}
	return u.needsHost()
}

func (u *ui) refresh() tea.Cmd {
	names := u.targetNames()
	u.tell("looking at " + plural(len(names), "host") + " again")
	return beside(func() tea.Msg { u.o.Actions.Refresh(names); return nil })
}

// askQuit quits, and asks first where something goes on: jobs do, whoever looks, and the waves of a reboot do not.
func (u *ui) askQuit() tea.Cmd {
	runs, doing := u.living(), u.doing()
	if len(runs)+len(doing) == 0 {
		return tea.Quit
	}
	u.quit = true
	d := &dialog{title: "leave?", yes: "Leave"}
	switch {
	case len(u.o.Leaving) > 0:
		d.lines = slices.Clone(u.o.Leaving)
	case len(runs) > 0:
		d.lines = toAttach(runs)
	}
	if len(doing) > 0 {
		d.lines = append(d.lines, strings.Join(doing, ", "), "they come up by themselves; hosts of later waves are not begun")
	}
	d.do = func(*ui, string) tea.Cmd { return tea.Quit }
	d.cancel = func(u *ui) { u.quit = false }
	u.dialog = d
	return nil
}

// toAttach says what becomes of runs that are left.
func toAttach(runs []*fleet.State) []string {
	lines := []string{"jobs on hosts go on by themselves. To see them again:"}
	for _, s := range runs {
		lines = append(lines, "  fleetctl attach "+s.Run)
	}
	if s := runs[len(runs)-1]; waves(s) > 1 {
		lines = append(lines, "", "hosts of later waves are not begun any more")
	}
	return lines
}

// doing says what is done with hosts beside runs.
func (u *ui) doing() []string {
	var some []string
	for _, r := range u.rows {
		if r.doing != "" {
			some = append(some, r.Name+" is "+r.doing)
		}
	}
	return some
}

func waves(s *fleet.State) int {
	seen := make(map[int]bool)
	for _, h := range s.Hosts {
		seen[h.Wave] = true
	}
	return len(seen)
}
