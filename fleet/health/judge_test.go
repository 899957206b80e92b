package health

import (
	"testing"
	"time"
)

var (
	noon   = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	before = noon.Add(-time.Minute)
	after  = noon.Add(time.Minute)
)

// good returns the evidence about a host that answered at noon and is at the target.
func good() Evidence {
	h := upToDate()
	h.Agent, h.System.Generation = "1.0", 7
	return Evidence{
		Seen:   Observation{Contact: Contact{Reach: Answered}, Time: noon, FactsTime: noon, CheckoutTime: noon, Health: &h},
		Target: Target{Revision: target, Branch: "main", Lock: "l1"},
	}
}

func (c Cell) String() string { return [NumCells]string{"?", "✓", "↓", "✗", "▸", "-"}[c] }

func (j Judgement) cells() string {
	return j.Git.String() + j.Lock.String() + j.System.String() + j.Agent.String()
}

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(e *Evidence, h *Health)
		state  State
		cells  string
		reason string
	}{
		{"up to date", func(e *Evidence, h *Health) {}, StateCurrent, "✓✓✓✓", ""},

		// How far the host was reached.
		{"not asked", func(e *Evidence, h *Health) { e.Seen = Observation{} }, StateUnknown, "????", ""},
		{"offline", func(e *Evidence, h *Health) { e.Seen.Contact = Contact{Reach: Offline, Reason: "no route"} }, StateOffline, "✓✓✓✗", "no route"},
		{"away", func(e *Evidence, h *Health) {
			e.Seen.Contact, e.OfflineOK = Contact{Reach: Offline, Reason: "no route"}, true
		}, StateAway, "✓✓✓✗", "no route"},
		{"refused", func(e *Evidence, h *Health) {
			e.Seen.Contact = Contact{Reach: Refused, Code: "auth", Reason: "no key accepted"}
		}, StateRefused, "✓✓✓✗", "no key accepted"},
		{"refused, and may be offline", func(e *Evidence, h *Health) {
			e.Seen.Contact, e.OfflineOK = Contact{Reach: Refused, Code: "host-key-changed", Reason: "another key"}, true
		}, StateRefused, "✓✓✓✗", "another key"},
		{"unknown host key", func(e *Evidence, h *Health) {
			e.Seen.Contact, e.OfflineOK = Contact{Reach: Refused, Code: CodeHostKeyUnknown, Reason: "unknown key"}, true
		}, StateUnknownKey, "✓✓✓✗", "unknown key"},
		{"answered, but not to the probe", func(e *Evidence, h *Health) { e.Seen.Reason = "no answer within 20s" }, StateUnknown, "✓✓✓✓", "no answer within 20s"},
		{"answered without facts", func(e *Evidence, h *Health) { e.Seen.Health = nil }, StateUnknown, "???-", ""},
		{"could not be asked", func(e *Evidence, h *Health) {
			e.Seen = Observation{Time: noon, Contact: Contact{Reason: "ssh_config:3: unknown keyword"}}
		}, StateUnknown, "????", "ssh_config:3: unknown keyword"},

		// Every kind of drift.
		{"dirty", func(e *Evidence, h *Health) { h.Checkout.Dirty = true }, StateDirty, "✗✓✓✓", "uncommitted changes"},
		{"on trial", func(e *Evidence, h *Health) { h.Checkout.Branch, h.Checkout.Trial = "", "refs/heads/try" }, StateWrongBranch, "↓✓✓✓", "on branch try"},
		{"on another branch", func(e *Evidence, h *Health) { h.Checkout.Branch = "try" }, StateWrongBranch, "✗✓✓✓", "on try"},
		{"behind", func(e *Evidence, h *Health) { h.Checkout.Revision, h.Checkout.Behind = older, 2 }, StateBehind, "↓✓✓✓", "2 behind"},
		{"ahead", func(e *Evidence, h *Health) { h.Checkout.Revision, h.Checkout.Ahead = older, 2 }, StateDiverged, "✗✓✓✓", "2 ahead"},
		{"diverged", func(e *Evidence, h *Health) {
			*h.Checkout = Checkout{Revision: older, Branch: "main", Ahead: 1, Behind: 2, Lock: "l1"}
		}, StateDiverged, "✗✓✓✓", "diverged, 1 ahead and 2 behind"},
		{"counts of an old fetch", func(e *Evidence, h *Health) { h.Checkout.Ahead, h.Checkout.Behind = 3, 4 }, StateCurrent, "✓✓✓✓", ""},
		{"another lock", func(e *Evidence, h *Health) { h.Checkout.Lock = "l2" }, StateOtherLock, "✓↓✓✓", "different flake.lock"},
		{"outdated", func(e *Evidence, h *Health) { h.System.Revision = older }, StateBehind, "✓✓↓✓", "runs 1111111"},
		{"unknown revision", func(e *Evidence, h *Health) { h.System.Revision = "" }, StateUnknown, "✓✓?✓", "running system does not report its revision"},
		{"boot pending", func(e *Evidence, h *Health) { h.System.BootPending = true }, StateReboot, "✓✓↓✓", "different system at the next boot"},
		{"reboot needed", func(e *Evidence, h *Health) { h.System.RebootNeeded = true }, StateReboot, "✓✓↓✓", "reboot needed"},
		{"failed units", func(e *Evidence, h *Health) { h.FailedUnits = []string{"a.service"} }, StateDegraded, "✓✓✗✓", "failed units: a.service"},
		{"the worst difference counts", func(e *Evidence, h *Health) {
			h.Checkout.Dirty, h.System.RebootNeeded, h.FailedUnits = true, true, []string{"a.service"}
		}, StateDegraded, "✗✓✗✓", "uncommitted changes; reboot needed; failed units: a.service"},

		// What is not known.
		{"unknown target", func(e *Evidence, h *Health) { e.Target = Target{} }, StateUnknown, "???✓", "target commit unknown"},
		{"unknown target, drift", func(e *Evidence, h *Health) { e.Target = Target{}; h.Checkout.Behind = 2 }, StateBehind, "↓??✓", "2 behind"},
		{"no checkout", func(e *Evidence, h *Health) { h.Checkout = nil }, StateCurrent, "??✓✓", ""},
		{"no lock", func(e *Evidence, h *Health) { h.Checkout.Lock = "" }, StateCurrent, "✓?✓✓", ""},
		{"no usual lock", func(e *Evidence, h *Health) { e.Target.Lock = "" }, StateCurrent, "✓?✓✓", ""},
		{"no agent", func(e *Evidence, h *Health) { h.Agent = "" }, StateCurrent, "✓✓✓-", ""},
		{"another agent", func(e *Evidence, h *Health) { e.Seen.OtherAgent = true }, StateCurrent, "✓✓✓↓", ""},

		// What is being done.
		{"rebooting", func(e *Evidence, h *Health) { e.Work.Activity = Working }, StateWorking, "✓✓✓✓", ""},
		{"waiting", func(e *Evidence, h *Health) { e.Work.Activity = Waiting }, StateWaiting, "✓✓✓✓", ""},
		{"pulling", func(e *Evidence, h *Health) { e.Work = Work{Working, "pull"} }, StateWorking, "▸✓✓✓", ""},
		{"building", func(e *Evidence, h *Health) { e.Work = Work{Working, "build"} }, StateWorking, "✓✓▸✓", ""},
		{"activating", func(e *Evidence, h *Health) { e.Work = Work{Working, "activate"} }, StateWorking, "✓✓▸✓", ""},
		{"verifying", func(e *Evidence, h *Health) { e.Work = Work{Working, "verify"} }, StateWorking, "✓✓▸✓", ""},
		{"confirming", func(e *Evidence, h *Health) { e.Work = Work{Working, "confirm"} }, StateWorking, "✓✓▸✓", ""},
		{"waiting after its build", func(e *Evidence, h *Health) { e.Work = Work{Waiting, "build"} }, StateWaiting, "✓✓✓✓", ""},
		{"looks dirty in a run", func(e *Evidence, h *Health) { e.Work = Work{Working, "build"}; h.Checkout.Dirty = true }, StateWorking, "✓✓▸✓", ""},
		{"ahead in a run", func(e *Evidence, h *Health) {
			e.Work.Activity = Working
			h.Checkout.Revision, h.Checkout.Ahead = older, 1
		}, StateWorking, "↓✓✓✓", ""},
		{"diverged in a run", func(e *Evidence, h *Health) {
			e.Work.Activity = Working
			h.Checkout.Revision, h.Checkout.Ahead, h.Checkout.Behind = older, 1, 1
		}, StateWorking, "↓✓✓✓", ""},
	} {
		e := good()
		test.change(&e, e.Seen.Health)
		j := Judge(e)
		if j.State != test.state || j.cells() != test.cells || j.Reason != test.reason {
			t.Errorf("%s: %v %s %q, want %v %s %q", test.name, j.State, j.cells(), j.Reason, test.state, test.cells, test.reason)
		}
		if j.Drift == nil {
			t.Errorf("%s: a drift of null", test.name)
		}
	}
}

func TestJudgeReportsFigures(t *testing.T) {
	e := good()
	e.Seen.Health.Checkout.Behind = 4
	if j := Judge(e); j.Revision != target || j.Generation != 7 || j.Behind != 0 {
		t.Errorf("at the target: %+v", j)
	}
	e.Seen.Health.Checkout.Revision = older
	if j := Judge(e); j.Behind != 4 {
		t.Errorf("%d behind", j.Behind)
	}
	e.Seen.Health.Checkout = nil
	if j := Judge(e); j.Behind != 0 {
		t.Errorf("%d behind without a checkout", j.Behind)
	}
	if j := Judge(Evidence{}); j.Revision != "" || j.Generation != 0 || j.Drift == nil {
		t.Errorf("nothing is known: %+v", j)
	}
}

// run returns evidence about a host whose last run ended at noon, and which was last asked before
// or after that.
func run(asked time.Time, last LastRun) Evidence {
	e := good()
	last.Time, last.Goal = noon, "switch"
	e.LastRun = &last
	e.Seen.Time, e.Seen.FactsTime, e.Seen.CheckoutTime = asked, asked, asked
	return e
}

func TestJudgeLastRun(t *testing.T) {
	switched := LastRun{Outcome: outcomeSwitched, Revision: target, Generation: 8, Checkout: target}
	failed := LastRun{Outcome: outcomeFailed, Step: "build", Reason: "it does not compile", Revision: older}
	stale := func(e *Evidence) {
		h := e.Seen.Health
		h.System.Revision, h.System.RebootNeeded, h.System.BootPending, h.FailedUnits = older, true, true, []string{"a.service"}
		*h.Checkout = Checkout{Revision: older, Branch: "try", Dirty: true, Ahead: 1, Behind: 2, Lock: "l0"}
	}
	offline := func(e *Evidence) { e.Seen.Contact = Contact{Reach: Offline, Reason: "no route"} }
	for _, test := range []struct {
		name   string
		asked  time.Time
		last   LastRun
		change func(e *Evidence)
		state  State
		cells  string
		reason string
	}{
		// A good outcome replaces older facts, and newer facts replace it.
		{"switched, old facts", before, switched, stale, StateCurrent, "✓✓✓✓", ""},
		{"switched at the time of the facts", noon, switched, stale, StateCurrent, "✓✓✓✓", ""},
		{"switched, new facts", after, switched, stale, StateDegraded, "✗↓✗✓", "uncommitted changes; on try; diverged, 1 ahead and 2 behind; different flake.lock; runs 1111111; different system at the next boot; reboot needed; failed units: a.service"},
		{"switched, old checkout of an agent", after, switched, func(e *Evidence) {
			e.Seen.Health.Checkout.Revision, e.Seen.Health.Checkout.Behind, e.Seen.CheckoutTime = older, 2, before
		}, StateCurrent, "✓✓✓✓", ""},
		{"switched, went offline", after, switched, func(e *Evidence) {
			stale(e)
			offline(e)
			e.Seen.FactsTime, e.Seen.CheckoutTime = before, before
		}, StateOffline, "✓✓✓✗", "no route"},
		{"switched, was offline", before, switched, offline, StateCurrent, "✓✓✓✓", ""},
		{"switched, never asked", time.Time{}, switched, func(e *Evidence) { e.Seen = Observation{} }, StateCurrent, "??✓-", ""},
		{"switched, unknown target", before, switched, func(e *Evidence) { e.Target = Target{} }, StateUnknown, "???✓", "target commit unknown"},
		{"switched to another revision", before, LastRun{Outcome: outcomeSwitched, Revision: older, Checkout: older}, nil, StateBehind, "↓?↓✓", "behind; runs 1111111"},
		{"switched, checkout unknown", before, LastRun{Outcome: outcomeSwitched, Revision: target}, stale, StateDiverged, "✗↓✓✓", "uncommitted changes; on try; diverged, 1 ahead and 2 behind; different flake.lock"},
		{"switched, no checkout seen", before, switched, func(e *Evidence) { e.Seen.Health.Checkout = nil }, StateCurrent, "??✓✓", ""},
		{"switched, revision unknown", before, LastRun{Outcome: outcomeSwitched}, func(e *Evidence) { e.Seen.Health.System.Revision = older }, StateBehind, "✓✓↓✓", "runs 1111111"},
		{"unchanged", before, LastRun{Outcome: outcomeUnchanged, Revision: target, Checkout: target}, stale, StateCurrent, "✓✓✓✓", ""},
		{"unchanged, was offline", before, LastRun{Outcome: outcomeUnchanged}, offline, StateCurrent, "✓✓✓✓", ""},
		{"reboot needed", before, LastRun{Outcome: outcomeRebootNeeded, Revision: target, Checkout: target}, stale, StateReboot, "✓✓↓✓", "reboot needed"},
		{"reboot needed, was offline", before, LastRun{Outcome: outcomeRebootNeeded}, offline, StateReboot, "✓✓↓✓", "reboot needed"},
		{"reboot needed, rebooted since", after, LastRun{Outcome: outcomeRebootNeeded}, nil, StateCurrent, "✓✓✓✓", ""},
		{"pulled", before, LastRun{Outcome: "pulled", Revision: older, Checkout: target}, stale, StateDegraded, "✓✓✗✓", "runs 1111111; different system at the next boot; reboot needed; failed units: a.service"},

		// A bad outcome stands.
		{"failed, old facts", before, failed, nil, StateFailed, "✓✓✗✓", "build: it does not compile; runs 1111111"},
		{"failed, new facts", after, failed, nil, StateFailed, "✓✓✗✓", "build: it does not compile"},
		{"failed, offline since", after, failed, offline, StateFailed, "✓✓✗✗", "build: it does not compile; no route"},
		{"failed, was offline", before, failed, offline, StateFailed, "✓✓✗✓", "build: it does not compile; runs 1111111"},
		{"failed to connect", before, LastRun{Outcome: outcomeFailed, Step: "connect", Reason: "connect: refused"}, offline, StateFailed, "✓✓✗✗", "connect: refused; no route"},
		{"failed in no step", before, LastRun{Outcome: outcomeFailed}, offline, StateFailed, "✓✓✗✗", "no route"},
		{"failed for no reason", after, LastRun{Outcome: outcomeFailed, Step: "pull"}, nil, StateFailed, "✓✓✗✓", "pull"},
		{"rolled back", after, LastRun{Outcome: outcomeRolledBack, Reason: "no login"}, nil, StateFailed, "✓✓✗✓", "no login"},
		{"rolled back, was offline", before, LastRun{Outcome: outcomeRolledBack, Reason: "no login"}, offline, StateFailed, "✓✓✗✓", "no login"},
		{"degraded", after, LastRun{Outcome: outcomeDegraded, Step: "verify", Reason: "no answer on port 80"}, nil, StateDegraded, "✓✓✗✓", "verify: no answer on port 80"},
		{"degraded and drifted", after, LastRun{Outcome: outcomeDegraded, Reason: "x"}, stale, StateDegraded, "✗↓✗✓", "x; uncommitted changes; on try; diverged, 1 ahead and 2 behind; different flake.lock; runs 1111111; different system at the next boot; reboot needed; failed units: a.service"},
		{"degraded, was offline", before, LastRun{Outcome: outcomeDegraded, Reason: "x"}, offline, StateDegraded, "✓✓✗✓", "x"},
		{"degraded, offline since", after, LastRun{Outcome: outcomeDegraded, Reason: "x"}, offline, StateOffline, "✓✓✗✗", "no route"},
		{"failed, next run started", after, failed, func(e *Evidence) { e.Work = Work{Working, "pull"} }, StateWorking, "▸✓✓✓", ""},
		{"failed, next run waits", after, failed, func(e *Evidence) { e.Work.Activity = Waiting }, StateWaiting, "✓✓✓✓", ""},

		// Contact that was lost.
		{"unreachable", before, LastRun{Outcome: outcomeUnreachable, Reason: "no route"}, nil, StateOffline, "✓✓✓✗", "no route"},
		{"unreachable, answers again", after, LastRun{Outcome: outcomeUnreachable, Reason: "no route"}, nil, StateCurrent, "✓✓✓✓", ""},
		{"unknown", before, LastRun{Outcome: outcomeUnknown, Step: "build", Reason: "lost"}, nil, StateUnknown, "✓✓?✓", "build: lost"},
		{"unknown, answers again", after, LastRun{Outcome: outcomeUnknown, Step: "build", Reason: "lost"}, nil, StateCurrent, "✓✓✓✓", ""},
		{"cancelled", before, LastRun{Outcome: "cancelled"}, offline, StateOffline, "✓✓✓✗", "no route"},
	} {
		e := run(test.asked, test.last)
		if test.change != nil {
			test.change(&e)
		}
		seen := e.Seen.Health
		var facts Health
		if seen != nil {
			facts = *seen
		}
		j := Judge(e)
		if j.State != test.state || j.cells() != test.cells || j.Reason != test.reason {
			t.Errorf("%s: %v %s %q, want %v %s %q", test.name, j.State, j.cells(), j.Reason, test.state, test.cells, test.reason)
		}
		if seen != nil && (seen.System != facts.System || seen.Checkout != facts.Checkout || len(seen.FailedUnits) != len(facts.FailedUnits)) {
			t.Errorf("%s: Judge changed the facts", test.name)
		}
	}
}

func TestJudgeReportsTheLastRunWhileItStands(t *testing.T) {
	for _, test := range []struct {
		outcome       string
		asked         time.Time
		work          Activity
		stands, needs bool
	}{
		{outcomeSwitched, before, Idle, true, false},
		{outcomeSwitched, noon, Idle, true, false},
		{outcomeSwitched, after, Idle, false, false},
		{outcomeUnreachable, after, Idle, false, false},
		{outcomeFailed, after, Idle, true, true},
		{outcomeRolledBack, after, Idle, true, true},
		{outcomeDegraded, after, Idle, true, true},
		{outcomeFailed, after, Working, false, true},
		{outcomeFailed, after, Waiting, false, true},
	} {
		e := run(test.asked, LastRun{Outcome: test.outcome})
		e.Work.Activity = test.work
		if j := Judge(e); (j.LastRun != nil) != test.stands {
			t.Errorf("%+v: %+v", test, j.LastRun)
		}
		if got := e.LastRun.NeedsAttention(); got != test.needs {
			t.Errorf("%s needs attention: %v", test.outcome, got)
		}
	}
}

func TestJudgeShowsWhatTheLastRunLeft(t *testing.T) {
	e := run(before, LastRun{Outcome: outcomeSwitched, Revision: target, Generation: 8, Checkout: target})
	e.Seen.Health.System.Revision, e.Seen.Health.Checkout.Behind = older, 2
	if j := Judge(e); j.Revision != target || j.Generation != 8 || j.Behind != 0 {
		t.Errorf("after the switch: %+v", j)
	}
	e.LastRun.Generation, e.Seen.FactsTime = 0, before
	if j := Judge(e); j.Generation != 7 {
		t.Errorf("generation %d", j.Generation)
	}
}

func TestSentence(t *testing.T) {
	const drv = "builder for '/nix/store/0123456789abcdfghijklmnpqrsvwxyz-vpn-hub-2.1.0.drv' failed with exit code 1"
	for _, test := range []struct {
		last LastRun
		age  time.Duration
		want string
	}{
		{LastRun{Goal: "switch", Outcome: outcomeFailed, Step: "build", Reason: drv}, 4 * time.Minute, "last deploy failed 4m ago in build: builder for 'vpn-hub-2.1.0' failed with exit code 1"},
		{LastRun{Goal: "switch", Outcome: outcomeFailed, Step: "connect", Reason: "connect: refused"}, 59 * time.Second, "last deploy failed just now in connect: refused"},
		{LastRun{Goal: "boot", Outcome: outcomeFailed}, time.Minute, "last boot deploy failed 1m ago"},
		{LastRun{Goal: "test", Outcome: outcomeRolledBack, Step: "confirm"}, time.Hour, "last test deploy rolled back 1h ago in confirm"},
		{LastRun{Goal: "rollback", Outcome: outcomeDegraded, Reason: "no answer"}, 48*time.Hour - 1, "last rollback degraded 47h ago: no answer"},
		{LastRun{Goal: "pull", Outcome: outcomeFailed}, 48 * time.Hour, "last pull failed 2d ago"},
		{LastRun{Goal: "build", Outcome: outcomeFailed}, time.Hour - 1, "last build failed 59m ago"},
	} {
		test.last.Time = noon
		if got := test.last.Sentence(noon.Add(test.age)); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestEveryStateHasAWordOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for s := range NumStates {
		if word := s.String(); word == "" || seen[word] || len(word) > 11 {
			t.Errorf("state %d: %q", s, word)
		}
		seen[s.String()] = true
	}
}
