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

// tableController carries out what the operator requests in the table. It owns the engine, the runs
// in progress and the monitor that polls hosts between them. All of its work stops when ctx is
// done.
type tableController struct {
	env      *Env
	inv      *inventory.Inventory
	table    *tui.Table
	refresh  time.Duration    // between two polls of a host
	notify   inventory.Notify // notified when a run ends, in addition to the inventory's
	readOnly bool

	ctx           context.Context // the table's lifetime; the table's actions carry no context
	engine        *engine.Engine
	client        *host.Client
	pool          *sshexec.Pool
	monitor       *host.Monitor
	work          sync.WaitGroup
	refreshTarget chan struct{} // requests an immediate lookup of the target commit

	mu   sync.Mutex      // guards monitor until start has returned, runs and keys
	runs map[string]bool // by run ID: true while the run is in progress, false once it has finished
	keys hostKeyPrompts
}

// actions returns the actions that the table offers.
func (c *tableController) actions() tui.Actions {
	return tui.Actions{
		Deploy:      c.deploy,
		Generations: c.generations,
		Plan:        c.plan,
		Reboot:      c.reboot,
		Cancel:      c.cancel,
		Attach:      func() error { return c.attach(true) },
		Exec:        c.exec,
		Shell:       c.shell,
		Local:       c.localCommand,
		Runs:        c.recordedRuns,
		ReadRun:     c.readRun,
		Compare:     c.compareRecorded,
		AttachTo:    c.attachToRun,
		Prune:       c.pruneRecords,
		Pager:       c.pager,
		Edit:        c.edit,
		Trust:       c.trust,
		Refresh:     c.refreshHosts,
		History:     c.history,
		Log:         c.readLog,
		Find:        c.searchLog,
		Away: func(away bool) {
			if away {
				c.monitor.Pause()
			} else {
				c.monitor.Resume()
			}
		},
	}
}

// start starts the background work: the monitor, the lookup of the target commit, and the runs
// that other processes have in progress.
func (c *tableController) start() {
	env := *c.env
	env.Secret = c.promptSecret
	c.engine, c.pool = newEngine(&env, tablePrinter{c.table})
	c.client = &host.Client{Dialer: c.engine.Dialer, Inventory: c.inv, SudoPassword: c.engine.SudoPassword}
	c.refreshTarget = make(chan struct{}, 1)
	c.mu.Lock() // the monitor may call status before Monitor returns
	c.monitor = c.client.Monitor(c.inv.Hosts, c.refresh, c.status)
	c.mu.Unlock()
	c.background(func() { c.followTarget(c.ctx) })
	c.background(c.showLastRuns)
	c.background(func() {
		if err := c.attach(false); err != nil {
			c.table.Note(err.Error())
		}
	})
}

// showLastRuns shows the outcome of each host's last run, and of its last tests, in the table.
func (c *tableController) showLastRuns() {
	history, err := c.env.records().HostHistory(c.inv.Name)
	if err != nil {
		c.table.Note(err.Error())
	}
	c.table.LastRuns(history.LastRuns)
	c.table.Tests(history.Tests)
}

// wait blocks until all work has stopped, which it does once ctx is done. It returns the IDs of the
// runs that had not finished.
func (c *tableController) wait() (unfinished []string) {
	c.monitor.Close() // before Wait, because it adds work
	c.work.Wait()
	c.pool.Close()
	for run, inProgress := range c.runs {
		if inProgress {
			unfinished = append(unfinished, run)
		}
	}
	return unfinished
}

// background runs f in a goroutine. If f panics, the table closes and reports it.
func (c *tableController) background(f func()) {
	c.work.Go(func() { c.table.Guard(f) })
}

// promptSecret prompts for a password or passphrase in the table.
func (c *tableController) promptSecret(ctx context.Context, prompt string) (string, error) {
	text, ok := c.table.Ask(ctx, prompt)
	switch {
	case ok:
		return text, nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	}
	return "", errDeclined
}

// hosts returns the hosts with the given names, in the inventory's order.
func (c *tableController) hosts(names []string) []*inventory.Host {
	selected := make(map[string]bool, len(names))
	for _, name := range names {
		selected[name] = true
	}
	var hosts []*inventory.Host
	for _, h := range c.inv.Hosts {
		if selected[h.Name] {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// addLogLine appends a line to a host's log in the table.
func (c *tableController) addLogLine(host, stream, line string) {
	c.table.Event(fleet.Event{Time: c.env.Now(), Type: fleet.LogLine, Host: host, Stream: stream, Line: line})
}

// refreshHosts polls the hosts and looks up the target commit now.
func (c *tableController) refreshHosts(names []string) {
	for _, name := range names {
		c.monitor.Refresh(name)
	}
	select {
	case c.refreshTarget <- struct{}{}:
	default:
	}
}

// tablePrinter is a [printer] that shows an engine's events and notes in the table.
type tablePrinter struct{ table *tui.Table }

func (p tablePrinter) Event(ev fleet.Event) { p.table.Event(ev) }
func (p tablePrinter) Note(line string)     { p.table.Note(line) }
func (p tablePrinter) Aside(do func())      { do() }
func (p tablePrinter) Close() error         { return nil }
