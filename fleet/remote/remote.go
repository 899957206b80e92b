package remote

import "time"

// Script is sh text with its arguments, to be given to a host as fleet.Command gives it.
type Script struct {
	Text string
	Args []string
}

// Job is everything a host is told about its part of a run.
type Job struct {
	ID            string // RUN.HOST; [A-Za-z0-9._-]+
	Who           string // user@machine of the operator, for whoever finds the host locked
	Kind          string // nixos, darwin or home
	Attr          string // the name under nixosConfigurations, darwinConfigurations or homeConfigurations
	Repo          string // the checkout; "~/" is the login user's home
	Managed       bool   // keep a clone of fleetctl's own of Remote instead of Repo
	Remote        string // the repository's URL; needed where Managed
	Branch        string
	Rev           string // the commit to be at, 40 hex digits; "" leaves the checkout where it is (--no-pull)
	Goal          string // switch, boot, test, build, pull or rollback
	SwitchCommand string // "" for what the stock tools do
	Health        []string

	To             int    // rollback: the generation; 0 is the one before. boot: the generation, instead of a new one
	Attended       bool   // wait for "go" between build and activation
	Confirm        string // operator, self or none: who may keep the new configuration; see await.sh
	ConfirmTimeout time.Duration
	StealLock      bool // take the lock from a job that lives

	Preflight time.Duration
	Pull      time.Duration
	Build     time.Duration
	Verify    time.Duration
}

// Header is the first line a session prints: what became of the request.
type Header struct {
	Word   string // "following", "refused", "absent", "tip", "cancelled", "probed", "planned", "booted", "rebooting", "generations"
	Nonce  string // following
	Offset int64  // following: the log's bytes follow from here
	Code   string // refused: locked, sudo-password, sudo-denied, no-home, busy, activating, finished, ...; tip: the commit; booted, rebooting: the boot
	Values map[string]string
}

// ItemKind names what a piece of a job's log is.
type ItemKind int

const (
	Output   ItemKind = iota // a line of the host's own; Text is clean
	StepItem                 // Step, Word ("start", "ok", "failed")
	FactItem                 // Key, Text
	NoteItem                 // Text
	WarnItem                 // Text
	Progress                 // Progress; comes with every change, so coalesce
	EndItem                  // Word (the outcome), Code, Step, Text
)

// Item is one thing that a job's log says.
type Item struct {
	Kind     ItemKind
	Step     string
	Word     string
	Key      string
	Code     string
	Text     string
	Progress NixProgress
}

// NixProgress is what Nix's internal-json adds up to: paths built and copied of those expected, bytes downloaded.
type NixProgress struct {
	Builds, BuildsExpected int
	Copies, CopiesExpected int
	Bytes, BytesExpected   uint64
	Building, Phase        string
}
