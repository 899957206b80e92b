package remote

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Job is a host's part of a run.
type Job struct {
	ID       string // RUN.HOST; [A-Za-z0-9._-]+
	Who      string // user@machine of the operator, for others who find the host locked
	Kind     string // nixos, darwin or home
	Attr     string // the name of the configuration in the flake
	Repo     string // the checkout; "~/" is the home of the login user
	Managed  bool   // use the clone that fleetctl keeps of Remote instead of Repo
	Remote   string // the URL of the repository; required if Managed
	FlakeDir string // the directory of the flake in the checkout; "" is its root
	Branch   string
	Rev      string // the commit, 40 hex digits; "" leaves the checkout as it is (--no-pull)
	// Ref is what --rev named: refs/heads/NAME, refs/tags/NAME, or the commit itself. If it is "",
	// the commit has to be on the branch, and no older than what the host runs.
	Ref string
	// AllowedSigners is the content of a file for ssh-keygen(1). If it is not "", one of them must
	// have signed the commit.
	AllowedSigners string
	Goal           string // switch, boot, test, build, pull or rollback
	SwitchCommand  string // "" builds and activates with the stock tools
	Health         []string
	BeforeSwitch   []string // sh scripts; if one fails, nothing is activated
	AfterSwitch    []string
	Nix            NixArgs
	// RootBy is what makes the login user root: sudo, doas, run0 or, for any of them, auto or "".
	RootBy string
	// boot: prepare the next boot if the switch is inhibited; otherwise "fail"
	OnInhibited string
	// of a NixOS system: the one to activate, "none", or "" for the one that runs
	Specialisation string
	// of a home: what home-manager appends to the name of a file in the way, or ""
	BackupExtension string

	// Names that the machine may have, and those of other hosts, which it must not have: see
	// lib/check_name.sh.
	OwnNames, OtherNames []string

	// Elsewhere makes the job wait for the path of its configuration, which another host builds,
	// instead of building it. It needs neither a checkout nor git.
	Elsewhere bool
	// Serves is the name of the host that the job builds for, without activating anything, or "".
	// Such a job does not take the lock of the host. Runs is the commit that the other host runs,
	// and System its system; either may be "". Builds is how many of these jobs build at once on
	// the host that runs them; 0 means that its memory decides.
	Serves, Runs, System string
	Builds               int

	To             int    // the generation; for a rollback, 0 is the previous one
	Attended       bool   // wait for "go" between build and activation
	Confirm        string // operator, self or none: see lib/decide.sh
	ConfirmTimeout time.Duration
	StealLock      bool // kill another job that holds the host

	Pull   time.Duration
	Build  time.Duration
	Verify time.Duration
	Hooks  time.Duration // for BeforeSwitch, and for AfterSwitch
}

// Launch returns the script that starts the job, unless it was already started, and prints its log
// from offset. If prompt is not empty, sudo prints it on standard error and reads a password from
// what follows the script on standard input; a second prompt means that the password was rejected.
// If it is empty and sudo requires a password, the header is "refused sudo-password".
func (j Job) Launch(token string, offset int64, prompt string) Script {
	v := j.values()
	v["token"], v["prompt"], v["offset"] = []string{token}, []string{prompt}, []string{strconv.FormatInt(offset, 10)}
	return composeLaunch().script(v)
}

func (j Job) values() values {
	return Checkout{j.Repo, j.Managed, j.Remote, j.FlakeDir}.values(j.Nix.values(values{
		"id":               {j.ID},
		"who":              {j.Who},
		"kind":             {j.Kind},
		"attribute":        {Attribute(j.Kind, j.Attr)},
		"branch":           {j.Branch},
		"rev":              {j.Rev},
		"ref":              {j.Ref},
		"allowed_signers":  {j.AllowedSigners},
		"goal":             {j.Goal},
		"switch_command":   {j.SwitchCommand},
		"root_by":          {cmp.Or(j.RootBy, "auto")},
		"health":           j.Health,
		"before_switch":    j.BeforeSwitch,
		"after_switch":     j.AfterSwitch,
		"on_inhibited":     {cmp.Or(j.OnInhibited, "fail")},
		"specialisation":   {j.Specialisation},
		"backup_extension": {j.BackupExtension},
		"own_names":        {strings.Join(j.OwnNames, " ")},
		"other_names":      {strings.Join(j.OtherNames, " ")},
		"elsewhere":        {yesNo(j.Elsewhere)},
		"serves":           {j.Serves},
		"runs_there":       {j.Runs},
		"system":           {j.System},
		"builds":           {strconv.Itoa(j.Builds)},
		"to":               {strconv.Itoa(j.To)},
		"attended":         {yesNo(j.Attended)},
		"confirm":          {cmp.Or(j.Confirm, "none")},
		"confirm_seconds":  {seconds(j.ConfirmTimeout)},
		"steal":            {yesNo(j.StealLock)},
		"pull_seconds":     {seconds(j.Pull)},
		"build_seconds":    {seconds(j.Build)},
		"verify_seconds":   {seconds(j.Verify)},
		"hook_seconds":     {seconds(j.Hooks)},
	}))
}

// Attribute returns the attribute of the flake that is built for a host of that kind.
func Attribute(kind, name string) string {
	switch kind {
	case "darwin":
		return fmt.Sprintf("darwinConfigurations.%q.system", name)
	case "home":
		return fmt.Sprintf("homeConfigurations.%q.activationPackage", name)
	}
	return fmt.Sprintf("nixosConfigurations.%q.config.system.build.toplevel", name)
}
