package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
	"github.com/markus-barta/nixfleet/sshexec"
	"github.com/markus-barta/nixfleet/tui"
)

// desk does what is asked for from the table: it owns the engine, the runs that go on, and whoever looks at hosts between them.
// All of its work ends with its context.
type desk struct {
	env     *Env
	inv     *inventory.Inventory
	table   *tui.Table
	refresh time.Duration
	notify  inventory.Notify // who hears of a run's end, besides whom the inventory names
	fixed   bool             // nothing may be changed

	ctx    context.Context // the table's life; actions come without one
	engine *fleet.Engine
	pool   *sshexec.Pool
	eyes   *fleet.Monitor
	work   sync.WaitGroup
	again  chan struct{} // the target is to be looked up now

	mu      sync.Mutex
	running map[string]bool // runs that go on, by id; false for those that were seen and have ended
	strangers
}

func (d *desk) actions() tui.Actions {
	return tui.Actions{
		Deploy: d.deploy, Generations: d.generations, Plan: d.plan, Reboot: d.reboot, Cancel: d.cancel, Attach: func() error { return d.attach(true) },
		Exec: d.exec, Shell: d.shell, Trust: d.trust, Refresh: d.look, History: d.history, Log: d.log,
		Away: func(away bool) {
			if away {
				d.eyes.Pause()
			} else {
				d.eyes.Resume()
			}
		},
	}
}

// begin starts what goes on behind the table.
func (d *desk) begin() {
	env := *d.env
	env.Secret = d.secret
	d.engine, d.pool = newEngine(&env, tablePrinter{d.table})
	d.again = make(chan struct{}, 1)
	d.mu.Lock() // status may be called before it is there
	d.eyes = fleet.NewMonitor(d.engine.Dialer, d.inv, d.inv.Hosts, d.refresh, d.status)
	d.mu.Unlock()
	d.do(func() { d.followTarget(d.ctx) })
	d.do(func() {
		if err := d.attach(false); err != nil {
			d.table.Note(err.Error())
		}
	})
}

// end waits for all of it, once the context has ended.
func (d *desk) end() {
	d.eyes.Close() // it begins work
	d.work.Wait()
	d.pool.Close()
	for run, living := range d.running {
		if !living {
			delete(d.running, run)
		}
	}
}

func (d *desk) do(f func()) {
	d.work.Go(func() {
		defer d.table.Rescue()
		f()
	})
}

// secret asks in the table.
func (d *desk) secret(ctx context.Context, prompt string) (string, error) {
	text, ok := d.table.Ask(ctx, prompt)
	switch {
	case ok:
		return text, nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	}
	return "", errDeclined
}

// hosts are those of the given names, in the inventory's order.
func (d *desk) hosts(names []string) []*inventory.Host {
	wanted := make(map[string]bool, len(names))
	for _, name := range names {
		wanted[name] = true
	}
	var hosts []*inventory.Host
	for _, h := range d.inv.Hosts {
		if wanted[h.Name] {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

func (d *desk) deploy(names []string, o fleet.Options) error {
	plan, err := fleet.NewPlan(d.inv, d.hosts(names), o, d.env.operator())
	if err != nil {
		return err
	}
	plan.Notify = append(plan.Notify, d.notify)
	d.run(func(sink func(fleet.Event)) (fleet.Summary, error) { return d.engine.Run(d.ctx, plan, sink) })
	return nil
}

// generations are those of a host.
func (d *desk) generations(host string) ([]fleet.Generation, error) {
	h := d.inv.Host(host)
	found, err := fleet.Generations(d.ctx, d.engine.Dialer, h)
	if err != nil {
		return nil, errors.New(clean.Line([]byte(withoutName(err.Error(), h))))
	}
	return found, nil
}

// plan asks hosts what a deploy would do there.
func (d *desk) plan(names []string, o fleet.Options, build bool) error {
	hosts := d.hosts(names)
	plan, err := fleet.NewPlan(d.inv, hosts, o, d.env.operator())
	if err != nil {
		return err
	}
	d.do(func() {
		rev := d.env.resolve(d.ctx, plan)
		fleet.Each(d.ctx, hosts, plan.Parallel, func(ctx context.Context, h *inventory.Host) {
			f := plan.Foresee(ctx, d.engine.Dialer, h, rev, build)
			if ctx.Err() == nil {
				d.table.Plan(h.Name, tablePlan(forecastText(d.env.Now(), plan, h, f)))
			}
		})
	})
	return nil
}

// tablePlan is a plan as the table paints it.
func tablePlan(plan []planText) []tui.Text {
	var lines []tui.Text
	for _, l := range plan {
		text := clean.Line([]byte(strings.Join(someOf(l.text, l.aside), "  ")))
		switch l.kind {
		case planTitle:
			lines = append(lines, tui.Text{Stream: "note", Line: text})
		case planWrong:
			lines = append(lines, tui.Text{Stream: "warn", Line: "✗ " + text})
		case planAway:
			lines = append(lines, tui.Text{Stream: "out", Line: "- away: " + text})
		case planHint:
			lines = append(lines, tui.Text{Stream: "out", Line: "  hint: " + text})
		default:
			lines = append(lines, tui.Text{Stream: "out", Line: "  " + text})
		}
	}
	return lines
}

// reboot has hosts start anew, wave after wave. How it goes is in their logs.
func (d *desk) reboot(names []string) error {
	hosts := d.hosts(names)
	o := fleet.RebootOptions{Limit: rebootLimit, Parallel: d.inv.Parallel, SudoPassword: d.engine.SudoPassword}
	for _, h := range hosts {
		d.table.Doing(h.Name, "rebooting")
		d.say(h.Name, "note", "to be rebooted")
	}
	d.do(func() {
		back := 0
		fleet.Reboot(d.ctx, d.engine.Dialer, d.inv, hosts, o, func(r fleet.RebootResult) {
			stream, text := "warn", "reboot: "+string(r.Word)
			if r.Word == fleet.Rebooted {
				stream, text = "note", fmt.Sprintf("rebooted in %.0f s", r.Seconds)
				back++
			}
			for _, more := range []string{r.Reason, r.Hint} {
				if more != "" {
					text += ": " + more
				}
			}
			d.say(r.Host, stream, text)
			d.table.Doing(r.Host, "")
			d.eyes.Refresh(r.Host)
		})
		d.table.Note(fmt.Sprintf("reboot: %d of %s back", back, count(len(hosts), "host")))
	})
	return nil
}

// say puts a line into a host's log.
func (d *desk) say(host, stream, line string) {
	d.table.Event(fleet.Event{Time: d.env.Now(), Type: fleet.LogLine, Host: host, Stream: stream, Line: line})
}

// run carries a run on beside the table, and has each host looked at when its part has ended.
func (d *desk) run(do func(sink func(fleet.Event)) (fleet.Summary, error)) {
	d.do(func() {
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
	})
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
		if err != nil || state.Start == nil || state.Summary != nil {
			continue
		}
		if !left && !record.Living() {
			d.table.Note(fmt.Sprintf("run %s was left before its end: A attaches to it", record.Run))
			continue
		}
		found++
		d.run(func(sink func(fleet.Event)) (fleet.Summary, error) {
			return d.engine.Attach(d.ctx, record, d.inv, sink)
		})
	}
	if left && found == 0 {
		return fmt.Errorf("there is no run to attach to")
	}
	return nil
}

// exec runs a command on hosts; what it prints goes to their logs.
func (d *desk) exec(names []string, command string) error {
	hosts := d.hosts(names)
	d.do(func() {
		fleet.Each(d.ctx, hosts, d.inv.Parallel, func(ctx context.Context, h *inventory.Host) {
			say := func(stream, line string) { d.say(h.Name, stream, line) }
			say("note", "$ "+command)
			out, err := tellLines(say), tellLines(say)
			result := execOn(ctx, 0, d.engine.Dialer, h, fleet.Command{Stdout: out, Stderr: err}, command)
			out.close()
			err.close()
			switch {
			case result.err != nil:
				say("warn", withoutName(result.err.Error(), h))
			case result.exit != 0:
				say("warn", fmt.Sprintf("exit status %d", result.exit))
			}
		})
		d.table.Note(fmt.Sprintf("%s: done on %s", command, count(len(hosts), "host")))
	})
	return nil
}

// tellLines is a lineWriter that tells each line, and writes nothing.
func tellLines(say func(stream, line string)) *lineWriter {
	return &lineWriter{format: func(dst []byte, line string) []byte {
		say("out", line)
		return dst
	}}
}

// shell is ssh itself, which then has the terminal.
func (d *desk) shell(host string) (*exec.Cmd, error) {
	path, err := exec.LookPath("ssh")
	if err != nil {
		return nil, fmt.Errorf("there is no ssh in PATH")
	}
	ssh := exec.CommandContext(d.ctx, path, append(d.pool.ConfigArgs(), sshArgs(d.inv.Host(host), nil)...)...)
	ssh.Env = d.env.Environ
	return ssh, nil
}

// look has hosts, and the target, looked at now.
func (d *desk) look(names []string) {
	for _, name := range names {
		d.eyes.Refresh(name)
	}
	select {
	case d.again <- struct{}{}:
	default:
	}
}

// history is how the last runs went for a host, the newest first.
func (d *desk) history(host string) ([]tui.Past, error) {
	records, err := d.env.records().List()
	if err != nil {
		return nil, err
	}
	var past []tui.Past
	for _, record := range records[:min(len(records), mostRecords)] {
		state, err := record.State()
		if err != nil || state.Start == nil {
			continue // a record that is torn is history's to complain about
		}
		if h := state.Host(host); h != nil {
			past = append(past, tui.Past{Run: record.Run, Time: state.Began, Goal: state.Start.Goal, Result: h.Result})
		}
	}
	return past, nil
}

// log reads lines of a host's log from a run's record. All of it is read through each time, and no more kept than is wanted.
func (d *desk) log(run, host string, from, most int) (lines []tui.Text, first, total int, err error) {
	record, err := d.env.records().Open(run)
	if err != nil {
		return nil, 0, 0, err
	}
	last := -from // so many at the end, where that is positive
	err = record.Lines(host, func(stream, line string) {
		if last > 0 && len(lines) >= 2*last {
			lines = append(lines[:0], lines[len(lines)-last:]...)
		}
		if last > 0 || total >= from && len(lines) < most {
			lines = append(lines, tui.Text{Stream: stream, Line: line})
		}
		total++
	})
	if first = from; last > 0 {
		lines = lines[max(len(lines)-last, 0):]
		first = total - len(lines)
	}
	return lines[:min(len(lines), most)], first, total, err
}

// tablePrinter lets an engine speak to the table.
type tablePrinter struct{ table *tui.Table }

func (p tablePrinter) Event(ev fleet.Event) { p.table.Event(ev) }
func (p tablePrinter) Note(line string)     { p.table.Note(line) }
func (p tablePrinter) Aside(do func())      { do() }
func (p tablePrinter) Close() error         { return nil }
