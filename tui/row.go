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
	place  int // in the inventory
	status Status
	seen   time.Time // when it last answered; zero if it has not yet
	// its part of the newest run that the table has seen; nil if there is none
	work    *fleet.HostState
	run     *fleet.State    // that run
	ending  *health.LastRun // how work ended; nil until it has
	lastRun *health.LastRun // the last run that did not skip it; nil if there is none
	// when the run lost its connection to the host; zero while it has one
	lost time.Time
	// what is being done to it outside of runs, in a word; "" if nothing is
	doing       string
	since       time.Time // when doing changed
	log         pane
	runStart    int   // the number in log of the first line of run
	plan        *pane // what a deploy would do; nil until the operator asks
	generations *pane // nil until the operator asks
	marked      bool

	judged health.Judgement

	version uint64 // increases with every change
	drawn   string
	key     rowKey // what drawn was drawn for
}

// rowKey is everything that a drawn row depends on: while it is the same, so is the row.
type rowKey struct {
	version, layout uint64
	here            bool
	clock           time.Duration
	ago             time.Duration // how long ago the run that the row mentions ended
}

// judge decides the host's state from what is known now. It is the only place where the table does
// so.
func (r *row) judge(t health.Target) health.Judgement {
	t.Managed = r.Managed
	return health.Judge(health.Evidence{
		Seen: r.status.Observation(), Target: t, OfflineOK: r.SkipOffline, LastRun: r.lastRun, Work: r.activity(),
	})
}

// activity returns what is being done to the host now.
func (r *row) activity() health.Work {
	switch {
	case r.doing != "":
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

// ended returns the host's result in the newest run, while it stands; nil otherwise.
func (r *row) ended() *fleet.Result {
	if r.ending == nil || !r.ending.Stands(r.status.Time) {
		return nil
	}
	return r.work.Result
}

// showsRun reports whether the row is about the host's part of a run that the table has seen.
func (r *row) showsRun() bool { return r.busy() || r.ended() != nil }

// clock returns what the row's time cell shows, coarse enough that a row at rest is drawn once a
// minute.
func (r *row) clock(now time.Time, calm bool) time.Duration {
	d, step := now.Sub(r.since), time.Second
	switch {
	case r.doing != "":
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

// ago returns how many minutes ago the run ended that the row mentions; 0 if it mentions none.
func (r *row) ago(now time.Time) time.Duration {
	if r.judged.LastRun == nil {
		return 0
	}
	return now.Sub(r.judged.LastRun.Time).Truncate(time.Minute)
}

// look returns the host's state as an ink, a mark and a word.
func (r *row) look(b *brush) (ink Ink, mark, word string) {
	switch {
	case r.doing != "":
		return b.palette.Busy, "▸", r.doing
	case r.showsRun():
		return b.status(r.work)
	}
	ink, mark = b.palette.State(r.judged.State)
	return ink, mark, r.judged.State.String()
}
