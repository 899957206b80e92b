package tui

import (
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// row is one host with everything that the table knows about it.
type row struct {
	*inventory.Host
	status        Status
	seen          time.Time        // when it last answered; zero if it has not yet
	run           *fleet.State     // the newest run of the host; nil if there is none
	work          *fleet.HostState // its part of that run
	end           *health.LastRun  // how work ended; nil until it has
	past          []PastRun        // nil until they have been read
	pastRead      bool             // they have been read, or are being read, since the last run
	tests         *health.TestRun  // of the repository, when they were last run
	lastRun       *health.LastRun  // the last run that did not skip it; nil if there is none
	lost          time.Time        // when the run lost its connection; zero while it has one
	activity      string           // outside of runs, in a word: "rebooting"; "" if there is none
	activitySince time.Time
	log           pane
	plan          *pane // what a deploy would do; nil until the operator asks
	generations   *pane // nil until the operator asks
	marked        bool

	judged  health.Judgement
	figures [numFigures]bool // as counted

	version uint64 // increases with every change
	known   uint64 // increases with every change of more than the log
	drawn   string
	key     rowKey // what drawn was drawn for
}

// rowKey is everything that a drawn row depends on: while it is the same, so is the row.
type rowKey struct {
	version, layout uint64
	cursor, focused bool
	clock           time.Duration
	sinceRun        time.Duration
}

// judge returns the judgement of the host by what is known now. The table has no other rules about
// its state.
func (r *row) judge(t health.Target) health.Judgement {
	t.Managed = r.Managed
	return health.Judge(health.Evidence{
		Seen: r.status.Observation(), Target: t, OfflineOK: r.SkipOffline, LastRun: r.lastRun, Work: r.workNow(),
	})
}

// workNow returns what is being done to the host now.
func (r *row) workNow() health.Work {
	switch {
	case r.activity != "":
		return health.Work{Activity: health.Working}
	case !r.busy():
		return health.Work{}
	case r.work.Phase == fleet.Waiting:
		return health.Work{Activity: health.Waiting}
	case r.work.Phase == fleet.Working:
		return health.Work{Activity: health.Working, Step: string(r.work.Step)}
	}
	return health.Work{Activity: health.Working} // connecting or reconnecting
}

// busy reports whether a run is changing the host, or will.
func (r *row) busy() bool { return r.work != nil && r.work.Phase != fleet.Done }

// failed reports whether the last run of the host failed, also if that was before the table was
// opened.
func (r *row) failed() bool {
	return r.judged.LastRun != nil && !fleet.Outcome(r.judged.LastRun.Outcome).Good()
}

// result returns the host's result in the newest run while it stands, or nil.
func (r *row) result() *fleet.Result {
	if r.end == nil || !r.end.Stands(r.status.Time) {
		return nil
	}
	return r.work.Result
}

// showsRun reports whether the row shows the host's part of a run that the table has seen.
func (r *row) showsRun() bool { return r.busy() || r.result() != nil }

// startRun makes the row show the host's part of a run that starts.
func (r *row) startRun(work *fleet.HostState, run *fleet.State) {
	r.work, r.run, r.end, r.pastRead = work, run, nil, false
	r.log.record.run, r.log.record.started = run.Run, r.log.buffer.next
}

// noteEnd keeps how the run ended for the host. A run that skipped it leaves the outcome of the run
// before standing.
func (r *row) noteEnd(ev fleet.Event, run *fleet.State) {
	switch {
	case r.run != run:
	case r.work.Result == nil:
		r.end = nil
	case ev.Type == fleet.HostFinished:
		r.end = run.LastRun(ev.Host)
		if r.work.Result.Outcome != fleet.Skipped {
			r.lastRun = r.end
		}
	}
}

// noteLostConnection keeps when the run lost its connection to the host: its step started earlier.
func (r *row) noteLostConnection(ev fleet.Event) {
	switch {
	case r.work == nil:
	case r.work.Phase != fleet.Reconnecting:
		r.lost = time.Time{}
	case r.lost.IsZero():
		r.lost = ev.Time
	}
}

// addLine appends a line to the host's log, unless it is of an older run than the one that the row
// shows.
func (r *row) addLine(run string, l logLine) {
	if run != "" && r.run != nil && r.run.Run != run {
		return
	}
	if len(r.log.buffer.lines) == 0 {
		r.log.closeRecord() // makes room for the new run
	}
	r.log.buffer.push(l)
}

// clock returns what the row's time cell shows, coarse enough that a row at rest is redrawn once a
// minute.
func (r *row) clock(now time.Time, calm bool) time.Duration {
	d, step := now.Sub(r.activitySince), time.Second
	switch {
	case r.activity != "":
	case r.showsRun():
		d, _ = elapsed(r.work, now)
	case r.seen.IsZero():
		return -1
	default:
		d, step = now.Sub(r.seen), time.Minute
	}
	if calm {
		step = time.Minute
	}
	return d.Truncate(step)
}

// sinceRun returns how long ago the run ended that the row mentions, in minutes; 0 if it mentions
// none.
func (r *row) sinceRun(now time.Time) time.Duration {
	if r.judged.LastRun == nil {
		return 0
	}
	return now.Sub(r.judged.LastRun.Time).Truncate(time.Minute)
}

// state returns the host's state as an ink, a mark and a word.
func (r *row) state(p *painter) (ink Ink, mark, word string) {
	switch {
	case r.activity != "":
		return p.palette.Busy, "▸", r.activity
	case r.showsRun():
		return p.state(r.work)
	}
	ink, mark = p.palette.State(r.judged.State)
	return ink, mark, r.judged.State.String()
}
