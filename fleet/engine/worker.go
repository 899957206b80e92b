package engine

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// worker takes one host through its part of a run. One goroutine owns it.
type worker struct {
	*run
	part  *part
	host  *inventory.Host
	began time.Time
	free  func() // gives back the slot that it has taken itself

	// How to ask.
	asked    bool    // a launch was sent: there may be a job
	heard    bool    // there is a job: its header was seen
	password *string // sudo's, once one was needed
	wrong    int     // how often it was wrong
	silent   int     // how often in a row a session ended too early
	untested int     // how often the connection was lost over its tests

	// The log, and what it says.
	log      *record.HostLog
	nonce    string
	skip     int64 // bytes that the session is about to repeat
	reader   *reader
	recorded map[string]bool // what an earlier owner of the run recorded of the host; by keyOf
	step     fleet.Step      // under way; "" between two
	facts    map[string]string
	end      *remote.Item // the job's last word
	held     *bool        // how the job's verify ended; the host's is not over before the checks are

	awaiting  bool            // the job is built, and waits to be told to go on
	released  bool            // it may be told
	off       *fleet.Result   // it is called off instead
	changed   bool            // a new configuration was activated
	activated bool            // and may run
	checks    *checks         // running, or nil
	errand    *errand         // under way, or nil
	heardOf   map[string]bool // the words that the job was told

	// Time.
	due      time.Time // when the step is overdue
	deadline *time.Timer
	quiet    *time.Timer
	delay    *time.Timer // until held back progress is told
	lost     time.Time   // out of reach since then; zero while it is not
	tries    int         // to reach it again
}

func (r *run) newWorker(p *part) *worker {
	w := &worker{
		run: r, part: p, host: p.host, began: time.Now(), free: func() {}, step: fleet.Connect,
		facts: map[string]string{}, heardOf: map[string]bool{},
	}
	w.deadline, w.quiet, w.delay = stopped(), stopped(), stopped()
	return w
}

func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// launch begins the host's part: it connects, starts the job and follows it. It returns nil where that was left to go on by itself.
func (w *worker) launch(ctx context.Context) *fleet.Result {
	defer w.close()
	w.tell(fleet.Event{Type: fleet.StepStarted, Step: fleet.Connect})
	result := w.begin(ctx)
	if result != nil && !w.heard {
		w.tell(fleet.Event{Type: fleet.StepFinished, Step: fleet.Connect, OK: new(false)})
	}
	return result
}

func (w *worker) begin(ctx context.Context) *fleet.Result {
	conn, result := w.connect(ctx)
	if conn == nil {
		return result
	}
	return w.attend(ctx, conn)
}

// verdict is how to go on after a session. The zero verdict is to ask again over the same connection.
type verdict struct {
	over   bool // with result; nil leaves the host as it is
	result *fleet.Result
	lost   error // the connection
}

// attend holds on to the host until its part is over, over as many connections as it takes.
func (w *worker) attend(ctx context.Context, conn host.Conn) *fleet.Result {
	defer func() { conn.Close() }()
	for {
		v := w.converse(ctx, conn)
		switch {
		case ctx.Err() != nil:
			return nil
		case v.over:
			return v.result
		case v.lost == nil:
			continue
		}
		conn.Close()
		w.warnOfLoss(v.lost)
		again, result := w.reach(ctx, v.lost)
		if again == nil {
			return result
		}
		conn = again
	}
}

// converse is one session: it launches or follows, whichever is due.
func (w *worker) converse(ctx context.Context, conn host.Conn) verdict {
	token := remote.Token()
	var script remote.Script
	var password *host.PasswordReader
	if w.heard || w.plan == nil {
		script = remote.Follow(token, host.JobID(w.id, w.host.Name), w.received())
	} else {
		rev, result, err := w.revisionFor(ctx, conn, w.host)
		switch {
		case err != nil:
			return verdict{lost: err}
		case result != nil:
			return verdict{over: true, result: result}
		case w.cancelled() && !w.asked:
			return verdict{over: true, result: cancelledBefore("it began")}
		}
		prompt := ""
		if w.password != nil {
			prompt = remote.Token()
			password = host.NewPasswordReader(prompt, *w.password)
		}
		script = host.Job(w.plan, w.id, w.host, rev).Launch(token, 0, prompt)
		w.asked = true
		w.due = time.Now().Add(allowance(w.host.Timeouts, fleet.Connect))
	}
	s := host.OpenSession(ctx, conn, script, token, password)
	defer s.Close()
	return w.listen(ctx, conn, s)
}

// complain notes that the host's log is not kept. The run does not depend on it.
func (w *worker) complain(err error) {
	if err != nil {
		w.run.complain(fmt.Errorf("the log of %s is not whole: %w", w.host.Name, err))
	}
}

// tell sends an event of this host's.
func (w *worker) tell(ev fleet.Event) {
	ev.Host = w.host.Name
	w.events <- ev
}

// tellOnce leaves out what was recorded before this process read the log again.
func (w *worker) tellOnce(ev fleet.Event) {
	if !w.recorded[keyOf(ev)] {
		w.tell(ev)
	}
}

func (w *worker) warnOfLoss(cause error) {
	line := fmt.Sprintf("lost the connection (%s)", host.Reason(cause, w.host))
	if w.heard && w.end == nil {
		line += "; the job goes on"
	}
	w.say(w.host.Name, fleet.StreamWarn, line)
}

// finish completes a result with what the log said.
func (w *worker) finish(r *fleet.Result) *fleet.Result {
	if r == nil {
		return nil
	}
	r.Before, r.After = w.facts["before"], w.facts["after"]
	r.Generation, _ = strconv.Atoi(w.facts["generation"])
	if w.changed && r.Outcome != fleet.RolledBack {
		r.Confirmed = w.facts[fleet.FactConfirmed]
	}
	r.Seconds = time.Since(w.began).Seconds()
	return r
}

// close ends what the worker started.
func (w *worker) close() {
	w.free()
	if w.checks != nil {
		w.checks.wait(0)
	}
	if w.reader != nil {
		w.reader.flush()
	}
	if w.log != nil {
		w.complain(w.log.Close())
	}
	w.deadline.Stop()
	w.quiet.Stop()
	w.delay.Stop()
}
