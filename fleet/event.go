package fleet

import (
	"time"

	"github.com/markus-barta/nixfleet/fleet/change"
)

// Streams of a log line.
const (
	StreamOut  = "out"  // output of the host
	StreamNote = "note" // printed by fleetctl
	StreamWarn = "warn" // a warning by fleetctl
)

// Type is the type of an [Event].
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
	Connect   Step = "connect" // from dialing until the job runs; done by the operator's side
	Preflight Step = "preflight"
	Pull      Step = "pull"
	Build     Step = "build"
	Copy      Step = "copy"   // to a host that is built elsewhere
	Before    Step = "before" // before_switch in the inventory
	Activate  Step = "activate"
	After     Step = "after" // after_switch in the inventory
	Verify    Step = "verify"
	Confirm   Step = "confirm"
)

// steps lists the steps in the order in which a host takes them.
var steps = []Step{Connect, Preflight, Pull, Build, Copy, Before, Activate, After, Verify, Confirm}

// Event is one immutable fact about a run. Type decides which fields are set; docs/events.md has a
// table. Its text is clean: valid UTF-8 without control characters or escape sequences.
type Event struct {
	Time time.Time `json:"time"`
	Run  string    `json:"run"`
	// Seq numbers the events of a run from 1. A record has gaps, since it leaves out log lines and
	// progress.
	Seq  uint64 `json:"seq"`
	Type Type   `json:"type"`
	Host string `json:"host,omitempty"` // "" for events of the run as a whole

	Start    *Start    `json:"start,omitempty"`    // run_started
	Step     Step      `json:"step,omitempty"`     // step_started, step_finished
	OK       *bool     `json:"ok,omitempty"`       // step_finished
	Progress *Progress `json:"progress,omitempty"` // progress
	Line     string    `json:"line,omitempty"`     // log
	Stream   string    `json:"stream,omitempty"`   // log; one of the Stream constants
	Key      string    `json:"key,omitempty"`      // fact; see docs/events.md
	Value    string    `json:"value,omitempty"`    // fact
	Result   *Result   `json:"result,omitempty"`   // host_finished
	Summary  *Summary  `json:"summary,omitempty"`  // run_finished
}

// Start describes what a run was asked to do.
type Start struct {
	Fleet string `json:"fleet"`
	Goal  string `json:"goal"` // one of the Goal constants
	// Revision is the commit that every host gets. It is empty with --no-pull.
	Revision string `json:"revision,omitempty"`
	// Named is what --rev named: a ref of the remote, or a commit.
	Named    string        `json:"named,omitempty"`
	Operator string        `json:"operator"` // user@machine
	Hosts    []PlannedHost `json:"hosts"`
	// Of is the ID of the run whose failed wave this run rolls back, or "".
	Of string `json:"of,omitempty"`

	// The rest lets another process continue the run.

	Confirm         string  `json:"confirm,omitempty"` // one of the Confirm constants
	ConfirmSeconds  float64 `json:"confirm_seconds,omitempty"`
	BuildFirst      bool    `json:"build_first,omitempty"`
	MaxFailures     *int    `json:"max_failures,omitempty"`      // of the run
	MaxWaveFailures string  `json:"max_wave_failures,omitempty"` // of each wave, as N or N%
	OnFailure       string  `json:"on_failure,omitempty"`        // one of the OnFailure constants
	SoakSeconds     float64 `json:"soak_seconds,omitempty"`      // between two waves
	Test            bool    `json:"test,omitempty"`              // run repository tests
}

// Facts that the engine adds; all others come from jobs. FactRollback is a fact of the run and has
// no host.
const (
	FactRollback  = "rollback"  // ID of the run that rolls back a failed wave
	FactAway      = "away"      // [Yes] while the run waits for a host to come online, then [No]
	FactReconnect = "reconnect" // [Lost] when the connection drops, [Back] when it is restored

	Yes  = "yes"
	No   = "no"
	Lost = "lost"
	Back = "back"
)

// Facts that jobs report and that this program acts on.
const (
	FactBefore     = "before"     // revision before the run
	FactAfter      = "after"      // revision after the run
	FactGeneration = "generation" // generation after the run
	FactAwaiting   = "awaiting"   // what the job waits for: one of the Awaiting constants
	FactCommit     = "commit"     // commit that the host built
	FactNarHash    = "nar-hash"   // hash of the files that it built from, as Nix reports it
	factTrial      = "trial"      // what --rev has brought the checkout to
	factActivated  = "activated"  // [No]: a switch_command changed nothing
	factPrevious   = "previous"   // generation that undoes the activation
	FactConfirmed  = "confirmed"  // who confirmed the new configuration: operator, host or none
	FactBuilt      = "built"      // store path that was built
	FactPull       = "pull"       // what the pull did
	FactSystem     = "system"     // of a host that is built elsewhere: its system, as Nix has it
)

// Values of [FactAwaiting].
const (
	AwaitingGo     = "go"     // the host has built and waits for permission to activate
	AwaitingPath   = "path"   // the host waits for what another one builds for it
	AwaitingBuild  = "build"  // the builder has as many builds as it may have at once
	AwaitingSource = "source" // another build fetches the revision on the builder
)

// factSpecial is a fact of a job: the specialisation of a NixOS system that ran before the
// activation, or "none".
const factSpecial = "specialisation"

// PlannedHost identifies one host of a run, and with it the job on that host.
type PlannedHost struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Wave int    `json:"wave"` // or [CanaryWave]
	// Builder is the host that builds the configuration, or "" if it is the host itself.
	Builder string `json:"builder,omitempty"`
}

// Progress is the progress of a build as Nix reports it: store paths built and copied, of those
// expected. The expected numbers can fall. In a copy it is the number of paths, and bytes, that the
// host has of the configuration that another one built.
type Progress struct {
	Builds         int    `json:"builds"`
	BuildsExpected int    `json:"builds_expected"`
	Copies         int    `json:"copies"`
	CopiesExpected int    `json:"copies_expected"`
	Bytes          uint64 `json:"bytes,omitempty"` // downloaded, or copied
	BytesExpected  uint64 `json:"bytes_expected,omitempty"`
	Rate           uint64 `json:"rate,omitempty"`     // of a copy: bytes per second
	Building       string `json:"building,omitempty"` // name of the derivation that started last
	Phase          string `json:"phase,omitempty"`    // that derivation's build phase
}

// Result says how a host's part of a run ended.
type Result struct {
	Outcome    Outcome `json:"outcome"`
	Step       Step    `json:"step,omitempty"`   // step it ended in, unless it ended well
	Code       Code    `json:"code,omitempty"`   // reason, for programs
	Reason     string  `json:"reason,omitempty"` // reason, in one line
	Hint       string  `json:"hint,omitempty"`   // what to do about it, in one line
	Before     string  `json:"before,omitempty"` // revision before, 40 hex digits, or "" if unknown
	After      string  `json:"after,omitempty"`  // revision after, likewise
	Generation int     `json:"generation,omitempty"`
	NarHash    string  `json:"nar_hash,omitempty"`  // value of [FactNarHash]
	Confirmed  string  `json:"confirmed,omitempty"` // value of [FactConfirmed]
	// Changes are how what was activated differs from what ran before. They are nil if nothing was
	// activated, or if the host is not known to have either of the two.
	Changes *change.Set `json:"changes,omitempty"`
	Seconds float64     `json:"seconds"`
}

// Summary says how a run ended.
type Summary struct {
	Counts   map[Outcome]int `json:"counts"`
	ExitCode int             `json:"exit_code"`
	Seconds  float64         `json:"seconds"`
	Warnings []string        `json:"warnings,omitempty"` // about the run as a whole
}
