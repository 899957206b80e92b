package cli

import (
	"fmt"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/record"
)

func (d *desk) deploy(names []string, o fleet.Options) error {
	plan, err := fleet.NewPlan(d.inv, d.hosts(names), o, d.env.operator())
	if err != nil {
		return err
	}
	plan.Notify = append(plan.Notify, d.notify)
	d.do(func() { d.run(plan) })
	return nil
}

func (d *desk) run(plan *fleet.Plan) {
	d.follow(func(sink func(fleet.Event)) (fleet.Summary, error) { return d.engine.Run(d.ctx, plan, sink) })
}

// follow shows a run to its end, and has each host looked at when its part has ended.
func (d *desk) follow(do func(sink func(fleet.Event)) (fleet.Summary, error)) {
	_, err := do(func(ev fleet.Event) {
		d.note(ev)
		d.table.Event(ev)
		if ev.Type == fleet.HostFinished {
			d.eyes.Refresh(ev.Host)
		}
	})
	if err != nil && d.ctx.Err() == nil {
		d.table.Note(err.Error())
	}
}

// note remembers which runs go on.
func (d *desk) note(ev fleet.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch ev.Type {
	case fleet.RunStarted:
		d.running[ev.Run] = true
	case fleet.RunFinished:
		d.running[ev.Run] = false
	}
}

func (d *desk) cancel(run string) error {
	record, err := d.env.records().Open(run)
	if err != nil {
		return err
	}
	return d.engine.Cancel(d.ctx, record, d.inv, func(host, answer string) {
		d.say(host, "note", answer)
	})
}

// mostRecords are looked at for runs to go on with, and for a host's history.
const mostRecords = 60

// attach shows the runs that go on and are not shown yet: those that some other fleetctl owns, and, with left, those that
// were left before their end.
func (d *desk) attach(left bool) error {
	records, err := d.env.records().List()
	if err != nil {
		return err
	}
	found := 0
	for _, record := range records[:min(len(records), mostRecords)] {
		d.mu.Lock()
		_, shown := d.running[record.Run]
		d.mu.Unlock()
		if shown {
			continue
		}
		state, err := record.State()
		if err != nil || state.Start == nil || state.Start.Of != "" || state.Summary != nil {
			continue
		}
		if !left && !record.Living() {
			d.table.Note(fmt.Sprintf("run %s was left before its end: A attaches to it", record.Run))
			continue
		}
		found++
		d.watch(record)
	}
	if left && found == 0 {
		return fmt.Errorf("there is no run to attach to")
	}
	return nil
}

// join shows the run that a host's job is of, where another fleetctl of this operator has begun it and is at it.
func (d *desk) join(job string) {
	run, _, _ := strings.Cut(job, ".")
	d.mu.Lock()
	_, shown := d.running[run]
	d.mu.Unlock()
	if shown {
		return
	}
	record, err := d.env.records().Open(run)
	if err != nil || !record.Living() {
		return
	}
	d.mu.Lock()
	if _, shown = d.running[run]; !shown {
		d.running[run] = true
	}
	d.mu.Unlock()
	if !shown {
		d.watch(record)
	}
}

// watch shows a run of somebody else's to its end.
func (d *desk) watch(record *record.Record) {
	d.do(func() {
		d.follow(func(sink func(fleet.Event)) (fleet.Summary, error) {
			return d.engine.Attach(d.ctx, record, d.inv, sink)
		})
	})
}
