package cli

import (
	"context"
	"sync"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
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
	engine *engine.Engine
	pool   *sshexec.Pool
	eyes   *host.Monitor
	work   sync.WaitGroup
	again  chan struct{} // the target is to be looked up now

	mu      sync.Mutex
	running map[string]bool // runs that go on, by id; false for those that were seen and have ended
	strangers
}

func (d *desk) actions() tui.Actions {
	return tui.Actions{
		Deploy: d.deploy, Generations: d.generations, Plan: d.plan, Reboot: d.reboot, Cancel: d.cancel, Attach: func() error { return d.attach(true) },
		Exec: d.exec, Shell: d.shell, Trust: d.trust, Refresh: d.look, History: d.history, Log: d.log, Find: d.find,
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
	d.eyes = host.NewMonitor(d.engine.Dialer, d.inv, d.inv.Hosts, d.refresh, d.status)
	d.mu.Unlock()
	d.do(func() { d.followTarget(d.ctx) })
	d.do(func() {
		history, err := d.env.records().HostHistory(d.inv.Name)
		if err != nil {
			d.table.Note(err.Error())
			return
		}
		d.table.LastRuns(history.LastRuns)
	})
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
	d.work.Go(func() { d.table.Guard(f) })
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

// say puts a line into a host's log.
func (d *desk) say(host, stream, line string) {
	d.table.Event(fleet.Event{Time: d.env.Now(), Type: fleet.LogLine, Host: host, Stream: stream, Line: line})
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

// tablePrinter lets an engine speak to the table.
type tablePrinter struct{ table *tui.Table }

func (p tablePrinter) Event(ev fleet.Event) { p.table.Event(ev) }
func (p tablePrinter) Note(line string)     { p.table.Note(line) }
func (p tablePrinter) Aside(do func())      { do() }
func (p tablePrinter) Close() error         { return nil }
