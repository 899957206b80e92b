package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/tui"
)

// maxRecords is how many of the newest records are searched for runs to attach to and for a host's
// history.
const maxRecords = 60

// deploy starts a run.
func (c *tableController) deploy(names []string, o fleet.Options) error {
	plan, err := fleet.NewPlan(c.inv, c.hosts(names), o, c.env.operator())
	if err != nil {
		return err
	}
	plan.Notify = append(plan.Notify, c.notify)
	c.background(func() {
		if plan.Pinned, err = c.chooseRevision(plan); err != nil {
			c.table.Note(err.Error())
			return
		}
		c.runPlan(plan)
	})
	return nil
}

// chooseRevision returns the commit that a plan deploys. If the operator's git cannot read the
// fleet's branch, it shows what the hosts report, and lets the operator decide.
func (c *tableController) chooseRevision(p *fleet.Plan) (fleet.Revision, error) {
	rev, err := engine.LookUp(c.ctx, c.env.localGit, p)
	unreadable, ok := errors.AsType[*engine.UnreadableError](err)
	if !ok {
		return rev, err
	}
	tips := askTips(c.ctx, c.client, p.Hosts())
	if len(tips.commits) == 0 {
		return rev, fmt.Errorf("%w; nor can git on the hosts", unreadable)
	}
	q := tui.Question{
		Title: "deploy which commit?",
		Yes:   "Deploy it",
		No:    "Cancel",
		Lines: []string{unreadable.Error(), "", fmt.Sprintf("git on the hosts reports for %s:", p.Branch)},
	}
	q.Lines = append(q.Lines, tips.silent...)
	for _, commit := range tips.commits {
		q.Choices = append(q.Choices, c.env.describeTip(c.ctx, c.inv, commit))
	}
	chosen, ok := c.table.Choose(c.ctx, q)
	if !ok {
		return rev, errNothingStarted
	}
	return fleet.Revision{Commit: tips.commits[chosen].commit, Ref: "refs/heads/" + p.Branch}, nil
}

// runPlan carries out a plan and returns when the run has ended.
func (c *tableController) runPlan(plan *fleet.Plan) {
	c.showRun(func(sink func(fleet.Event)) (fleet.Summary, error) { return c.engine.Run(c.ctx, plan, sink) })
}

// showRun shows a run until it ends, and polls each host when the run has finished with it.
func (c *tableController) showRun(run func(sink func(fleet.Event)) (fleet.Summary, error)) {
	_, err := run(func(ev fleet.Event) {
		c.trackRun(ev)
		c.table.Event(ev)
		if ev.Type == fleet.HostFinished {
			c.monitor.Refresh(ev.Host)
		}
	})
	if err != nil && c.ctx.Err() == nil {
		c.table.Note(err.Error())
	}
}

// trackRun records whether a run is in progress.
func (c *tableController) trackRun(ev fleet.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch ev.Type {
	case fleet.RunStarted:
		c.runs[ev.Run] = true
	case fleet.RunFinished:
		c.runs[ev.Run] = false
	}
}

// cancel cancels a run. Each host's answer goes to its log.
func (c *tableController) cancel(run string) error {
	rec, err := c.env.records().Open(run)
	if err != nil {
		return err
	}
	return c.engine.Cancel(c.ctx, rec, c.inv, func(host, answer string) {
		c.addLogLine(host, "note", answer)
	})
}

// attach shows the unfinished runs that the table does not show yet: those that another fleetctl
// process is running and, if abandoned is true, those whose process is gone.
func (c *tableController) attach(abandoned bool) error {
	records, err := c.env.records().List()
	if err != nil {
		return err
	}
	found := 0
	for _, rec := range records[:min(len(records), maxRecords)] {
		if c.isShown(rec.Run) {
			continue
		}
		state, err := rec.State()
		if err != nil || state.Start == nil || state.Start.Of != "" || state.Summary != nil {
			continue
		}
		if !abandoned && !rec.Owned() {
			c.table.Note(fmt.Sprintf("run %s was abandoned before it finished: press A to attach to it", rec.Run))
			continue
		}
		found++
		c.attachTo(rec)
	}
	if abandoned && found == 0 {
		return errors.New("no run to attach to")
	}
	return nil
}

// attachToJob shows the run that a host's job belongs to, if another fleetctl process of this
// operator is running it.
func (c *tableController) attachToJob(job string) {
	run, _, _ := strings.Cut(job, ".")
	if c.isShown(run) {
		return
	}
	rec, err := c.env.records().Open(run)
	if err != nil || !rec.Owned() {
		return
	}
	c.mu.Lock()
	_, shown := c.runs[run] // several hosts may report jobs of one run at the same time
	if !shown {
		c.runs[run] = true
	}
	c.mu.Unlock()
	if !shown {
		c.attachTo(rec)
	}
}

// isShown reports whether the table shows the run or has shown it.
func (c *tableController) isShown(run string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, shown := c.runs[run]
	return shown
}

// attachTo shows a recorded run in the background until it ends.
func (c *tableController) attachTo(rec *record.Record) {
	c.background(func() {
		c.showRun(func(sink func(fleet.Event)) (fleet.Summary, error) {
			return c.engine.Attach(c.ctx, rec, c.inv, sink)
		})
	})
}
