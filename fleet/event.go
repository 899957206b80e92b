package fleet

import (
	"slices"
	"time"
)

// The streams of a log line.
const (
	StreamOut  = "out"
	StreamNote = "note"
	StreamWarn = "warn"
)

// Type names what an [Event] says.
type Type string

const (
	RunStarted   Type = "run_started"
	StepStarted  Type = "step_started"
	StepFinished Type = "step_finished"
	ProgressMade Type = "progress"
	LogLine      Type = "log"
	FactLearned  Type = "fact"
	HostFinished Type = "host_finished"
	RunFinished  Type = "run_finished"
)

// Step is one part of a host's sequence.
type Step string

const (
	Connect   Step = "connect" // the operator's side: from dialling to a running job
	Preflight Step = "preflight"
	Pull      Step = "pull"
	Build     Step = "build"
	Activate  Step = "activate"
	Verify    Step = "verify"
	Confirm   Step = "confirm"
)

// Steps lists them in the order in which a host takes them.
var Steps = []Step{Connect, Preflight, Pull, Build, Activate, Verify, Confirm}

// Event is one immutable fact about a run. Which fields are set depends on Type; docs/events.md has the table.
// Text in it is clean: no control characters, no escape sequences, valid UTF-8.
type Event struct {
	Time time.Time `json:"time"`
	Run  string    `json:"run"`
	Seq  uint64    `json:"seq"` // from 1, rising; a record leaves log lines and progress out, and so their numbers
	Type Type      `json:"type"`
	Host string    `json:"host,omitempty"`

	Start    *Start    `json:"start,omitempty"`    // run_started
	Step     Step      `json:"step,omitempty"`     // step_started, step_finished
	OK       *bool     `json:"ok,omitempty"`       // step_finished
	Progress *Progress `json:"progress,omitempty"` // progress
	Line     string    `json:"line,omitempty"`     // log
	Stream   string    `json:"stream,omitempty"`   // log: "out" the host's own output, "note" fleetctl's words, "warn" its warnings
	Key      string    `json:"key,omitempty"`      // fact: before, after, built, generation, pull, reconnect, ...
	Value    string    `json:"value,omitempty"`    // fact
	Result   *Result   `json:"result,omitempty"`   // host_finished
	Summary  *Summary  `json:"summary,omitempty"`  // run_finished
}

// Start is what a run sets out to do.
type Start struct {
	Fleet    string        `json:"fleet"`
	Goal     string        `json:"goal"`               // switch, boot, test, build, pull or rollback
	Revision string        `json:"revision,omitempty"` // the pinned commit; "" with --no-pull, or until a fact of the run tells it
	Operator string        `json:"operator"`           // user@machine
	Hosts    []PlannedHost `json:"hosts"`
	Of       string        `json:"of,omitempty"` // the run that this one takes hosts of back for

	// What whoever goes on with the run goes by.
	Confirm         string  `json:"confirm,omitempty"` // operator, self or none
	ConfirmSeconds  float64 `json:"confirm_seconds,omitempty"`
	BuildFirst      bool    `json:"build_first,omitempty"`
	MaxFailures     *int    `json:"max_failures,omitempty"`      // of the run; not given: a wave must not have any
	MaxWaveFailures string  `json:"max_wave_failures,omitempty"` // of each wave, as N or P%
	OnFailure       string  `json:"on_failure,omitempty"`        // halt, continue or rollback-wave
	SoakSeconds     float64 `json:"soak_seconds,omitempty"`      // between two waves
	Test            bool    `json:"test,omitempty"`              // the repository's tests are run on hosts that did well
}

// Facts that the engine itself tells; all others are the job's.
const (
	FactRevision  = "revision"  // of the run, with no host: the commit that every host gets
	FactRollback  = "rollback"  // of the run, with no host: the run that takes a failed wave back
	FactAway      = "away"      // [Yes] while a host is waited for to come online, [No] once it has
	FactReconnect = "reconnect" // [Lost] when the connection to a host ended before its job did, [Back] when its log goes on

	Yes  = "yes"
	No   = "no"
	Lost = "lost"
	Back = "back"
)

// Facts of a job that the engine uses, too.
const (
	FactBefore     = "before"     // revision before the run
	FactAfter      = "after"      // revision after the run
	FactGeneration = "generation" // generation after the run
	FactAwaiting   = "awaiting"   // go: it is built, and waits for the word
	FactActivated  = "activated"  // no: a switch_command changed nothing
	FactPrevious   = "previous"   // the generation to go back to, to undo the activation
	FactConfirmed  = "confirmed"  // who keeps the new configuration: operator, host or none
)

// PlannedHost is one host of a run, with what is needed to find its job again.
type PlannedHost struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Wave int    `json:"wave"` // 0 is the canary
}

// Progress is what Nix says of a build: paths built and copied of those expected. Expected figures can fall.
type Progress struct {
	Builds         int    `json:"builds"`
	BuildsExpected int    `json:"builds_expected"`
	Copies         int    `json:"copies"`
	CopiesExpected int    `json:"copies_expected"`
	Bytes          uint64 `json:"bytes,omitempty"` // downloaded
	BytesExpected  uint64 `json:"bytes_expected,omitempty"`
	Building       string `json:"building,omitempty"` // the derivation begun last, its name alone
	Phase          string `json:"phase,omitempty"`    // that derivation's phase
}

// Result is how a host's part ended.
type Result struct {
	Outcome    Outcome `json:"outcome"`
	Step       Step    `json:"step,omitempty"`   // the step it ended in, where it did not end well
	Code       Code    `json:"code,omitempty"`   // the reason for programs: dirty, diverged, locked, host-key, ...
	Reason     string  `json:"reason,omitempty"` // the reason in a line
	Hint       string  `json:"hint,omitempty"`   // what to do, in a line
	Before     string  `json:"before,omitempty"` // revision before, 40 hex digits, or ""
	After      string  `json:"after,omitempty"`  // revision after
	Generation int     `json:"generation,omitempty"`
	Confirmed  string  `json:"confirmed,omitempty"` // who keeps what was activated: operator, host or none
	Seconds    float64 `json:"seconds"`
}

// Summary is how a run ended.
type Summary struct {
	Counts   map[Outcome]int `json:"counts"`
	ExitCode int             `json:"exit_code"`
	Seconds  float64         `json:"seconds"`
}

// waveOf is the wave that a host goes in.
func (s *Start) WaveOf(host string) int {
	i := slices.IndexFunc(s.Hosts, func(h PlannedHost) bool { return h.Name == host })
	if i < 0 {
		return 0
	}
	return s.Hosts[i].Wave
}
