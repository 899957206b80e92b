package engine

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// maxRetries is how often a host may do what must not continue forever, such as end a session
// early.
const maxRetries = 3

// worker takes one host through its part of a run. One goroutine owns it.
//
// What the worker knows about the run's progress on the host is in state, which it changes only
// through the events that it sends.
type worker struct {
	*run
	task  *hostTask
	host  *inventory.Host
	state *fleet.HostState // the task's

	link    link
	sudo    host.SudoPassword
	log     jobLog
	gate    gate
	clock   stepClock
	signals signals

	// Of a host that another one builds for: its job waits for the path, what gets it, and whether
	// that has ended and was handled.
	awaitsPath  bool
	supply      *supply
	supplied    bool
	buildReplay *hostReplay // what a record has of the log on the builder, or nil
	// serves is the host that the job builds for, which is not that of the worker, or nil.
	serves *served

	started   time.Time
	freeSlot  func()      // frees the slot that the worker took after it had waited for the host
	checks    *postChecks // running, or nil
	lostTests int         // how often the connection was lost during the repository tests
}

func (r *run) newWorker(t *hostTask) *worker {
	return &worker{
		run: r, task: t, host: t.host, state: t.state, started: time.Now(), freeSlot: func() {},
		clock: newStepClock(), signals: signals{job: host.JobID(r.id, t.host.Name), limit: t.host.Timeouts.Grace, delivered: map[signal]bool{}},
	}
}

// launch starts the host's part of the run: it connects, starts the job and follows it. It returns
// nil if the run was abandoned, and with Detach once the job has started.
func (w *worker) launch(ctx context.Context) *fleet.Result {
	defer w.close()
	if result, skipped := w.awaitTurn(ctx); skipped {
		return result
	}
	w.emit(fleet.Event{Type: fleet.StepStarted, Step: fleet.Connect})
	result := w.connectAndFollow(ctx)
	if result != nil && !w.link.jobSeen {
		w.emit(fleet.Event{Type: fleet.StepFinished, Step: fleet.Connect, OK: new(false)})
	}
	return result
}

func (w *worker) connectAndFollow(ctx context.Context) *fleet.Result {
	conn, result := w.connect(ctx)
	if conn == nil {
		return result
	}
	return w.follow(ctx, conn)
}

// sessionEnd says how to continue after a session. The zero value means to open another session on
// the same connection.
type sessionEnd struct {
	finished bool          // the worker is done, with result
	result   *fleet.Result // nil leaves the host without an outcome
	lost     error         // why the connection cannot be used anymore
}

func finishedWith(result *fleet.Result) sessionEnd { return sessionEnd{finished: true, result: result} }

// follow stays with the host until its part of the run is over, across as many connections as that
// takes.
func (w *worker) follow(ctx context.Context, conn host.Conn) *fleet.Result {
	defer func() { conn.Close() }()
	for {
		end := w.runSession(ctx, conn)
		switch {
		case ctx.Err() != nil:
			return nil
		case end.finished:
			return end.result
		case end.lost == nil:
			continue
		}
		conn.Close()
		w.warnOfLoss(end.lost)
		again, result := w.reconnect(ctx, end.lost)
		if again == nil {
			return result
		}
		conn = again
	}
}

// runSession runs one session, which launches the job or follows it.
func (w *worker) runSession(ctx context.Context, conn host.Conn) sessionEnd {
	token := remote.Token()
	var script remote.Script
	var password *host.PasswordReader
	if w.link.jobSeen || w.plan == nil {
		if w.clock.late() {
			return finishedWith(w.overdue())
		}
		script = remote.Attach(token, w.signals.job, w.log.received())
	} else {
		if w.cancelled() && !w.link.launched {
			return finishedWith(cancelledBefore("it started"))
		}
		var prompt string
		prompt, password = w.sudo.Reader()
		script = w.job().Launch(token, 0, prompt)
		w.link.opening, w.link.launched = !w.link.launched, true
		w.clock.due = time.Now().Add(stepLimit(w.host.Timeouts, fleet.Connect))
	}
	s := host.OpenSession(ctx, conn, script, token, password)
	defer s.Close()
	return w.listen(ctx, conn, s)
}

// job returns the job to launch.
func (w *worker) job() remote.Job {
	if s := w.serves; s != nil {
		return host.NewBuildJob(w.plan, w.id, s.host, w.host, s.runs, s.system)
	}
	return host.NewJob(w.plan, w.id, w.host)
}

// name returns the host whose events the worker sends.
func (w *worker) name() string {
	if w.serves != nil {
		return w.serves.host.Name
	}
	return w.host.Name
}

// logName returns the name that the job's log has in the record.
func (w *worker) logName() string {
	if w.serves != nil {
		return record.BuildLog(w.serves.host.Name)
	}
	return w.host.Name
}

// emit applies an event of this host and sends it.
func (w *worker) emit(ev fleet.Event) {
	ev.Host, ev.Time = w.name(), time.Now()
	w.state.Apply(ev)
	if w.serves == nil || w.serves.passes(ev) {
		w.send(ev)
	}
}

// emitOnce does what emit does, except that it does not send what an earlier owner of the run has
// recorded.
func (w *worker) emitOnce(ev fleet.Event) {
	if !w.log.recorded[eventKey(ev)] {
		w.emit(ev)
		return
	}
	ev.Host, ev.Time = w.name(), time.Now()
	w.state.Apply(ev)
}

// note and warn add lines of fleetctl's own to the host's log.
func (w *worker) note(line string) { w.logLine(w.name(), fleet.StreamNote, w.about(line)) }
func (w *worker) warn(line string) { w.logLine(w.name(), fleet.StreamWarn, w.about(line)) }

// about returns a line with the name of the host that it is about, if the log is that of another.
func (w *worker) about(line string) string {
	if w.serves != nil {
		return w.host.Name + ": " + line
	}
	return line
}

// logError keeps an error of the operator's side that makes the recorded log incomplete. The run
// does not depend on it.
func (w *worker) logError(err error) {
	if err != nil {
		w.recordError(fmt.Errorf("the log of %s is incomplete: %w", w.host.Name, err))
	}
}

func (w *worker) warnOfLoss(cause error) {
	line := fmt.Sprintf("lost the connection (%s)", host.Reason(cause, w.host))
	if w.link.jobSeen && w.log.end == nil {
		line += "; the job continues"
	}
	w.warn(line)
}

// activated reports whether the new configuration was activated and may be running.
func (w *worker) activated() bool { return w.state.Changed && w.start.Goal != fleet.GoalBoot }

// complete fills in what the host's facts say about a result.
func complete(r *fleet.Result, h *fleet.HostState, started time.Time) *fleet.Result {
	if r == nil {
		return nil
	}
	r.Before, r.After = h.Facts[fleet.FactBefore], h.Facts[fleet.FactAfter]
	// 0 if it is not a number
	generation, _ := strconv.ParseUint(h.Facts[fleet.FactGeneration], 10, 31)
	r.Generation = int(generation)
	r.NarHash = h.Facts[fleet.FactNarHash]
	if h.Changed && r.Outcome != fleet.RolledBack {
		r.Confirmed = h.Facts[fleet.FactConfirmed]
	}
	r.Seconds = time.Since(started).Seconds()
	return r
}

// catchPanic runs work. A panic in it makes the host's outcome unknown and affects no other host.
func (w *worker) catchPanic(ctx context.Context, work func(context.Context, *worker) *fleet.Result) (result *fleet.Result) {
	if p := fleet.CatchPanic(func() { result = work(ctx, w) }); p != nil {
		for line := range strings.Lines(string(p.Stack)) {
			w.warn(strings.TrimRight(strings.ReplaceAll(line, "\t", "  "), "\n"))
		}
		result = w.unknown(fleet.CodeFault, p.Error())
	}
	return result
}

// close releases what the worker holds.
func (w *worker) close() {
	w.stopSupply()
	w.freeSlot()
	if w.checks != nil {
		w.checks.wait(0)
	}
	w.logError(w.log.close())
	w.clock.stop()
}
