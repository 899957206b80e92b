package fleet

import (
	"cmp"
	"slices"
)

// Code tells programs why a host's part of a run ended as it did. It is "" if there is nothing to
// explain. A host reports codes that are listed here, unless its job comes from a newer fleetctl.
type Code string

// Codes that fleetctl itself reports.
const (
	CodeOffline     Code = "offline"
	CodeRefused     Code = "refused"
	CodeInterrupted Code = "interrupted"
	CodeCancelled   Code = "cancelled"
	CodeWave        Code = "wave"
	CodeClock       Code = "clock"
	CodeSameMachine Code = "same-machine"
	CodeSession     Code = "session"
	CodeLost        Code = "lost"
	CodeDeadline    Code = "deadline"
	CodeVanished    Code = "vanished"
	CodeNoEnd       Code = "no-end"
	CodeIncomplete  Code = "incomplete"
	CodeExcess      Code = "excess"
	CodeFault       Code = "fault"
	CodeProtocol    Code = "protocol"
	CodeInventory   Code = "inventory"
	CodeLogin       Code = "login"
	CodeHealth      Code = "health"
	CodeTests       Code = "tests"
	CodeShell       Code = "shell"
	CodeRollback    Code = "rollback"
	CodeShortage    Code = "shortage"
	CodeCopy        Code = "copy"
	CodeUntrusted   Code = "untrusted"
	CodeNotLocal    Code = "not-local"
)

// Codes that a job or a script on the host reports, and that fleetctl acts on.
const (
	CodeAhead          Code = "ahead"
	CodeBuild          Code = "build"
	CodeDisk           Code = "disk"
	CodeDiverged       Code = "diverged"
	CodeLocked         Code = "locked"
	CodeNoClone        Code = "no-clone"
	CodeRollbackFailed Code = "rollback-failed"
	CodeSudoPassword   Code = "sudo-password"
	CodeSudoWrong      Code = "sudo-wrong"
	CodeUnits          Code = "units"
	CodeUnlocked       Code = "unlocked"
)

// CodeInfo documents a [Code].
type CodeInfo struct {
	Code     Code
	Outcomes []Outcome // outcomes that have this code; nil if only check reports it
	Sentence string    // what happened; a clause without a period
	Hint     string    // what to do about it, or ""
}

// Codes is the reference of all result codes, in alphabetical order. Hints name no flags, since the
// table shows them, too.
var Codes = []CodeInfo{
	{"abandoned", []Outcome{Cancelled}, "the host built the configuration, but no operator allowed it to activate for a day", "deploy again and stay connected, or detach"},
	{"activation", []Outcome{Failed, RolledBack}, "the activation script failed", "read the host's log to see what failed"},
	{"after-switch", []Outcome{Degraded}, "a command of after_switch failed", "read the host's log to see what failed"},
	{CodeAhead, []Outcome{Failed}, "the checkout has commits that the run's revision lacks", `push or drop the commits in the checkout, or set repo_mode = "managed"`},
	{"app-management", []Outcome{Failed, RolledBack}, "macOS does not let the activation update the copies of applications", "allow it in System Settings > Privacy & Security > App Management, or give Remote Login full disk access"},
	{"auth", []Outcome{Failed}, "the host accepted none of the keys", ""},
	{"back", []Outcome{RolledBack}, "fleetctl told the host to go back, because new logins were rejected", "fix what rejects new logins, then deploy again"},
	{"backup-in-the-way", []Outcome{Failed, RolledBack}, "home-manager would move a file in the way to a name that another file has", "move that file away on the host, or choose another backup_extension"},
	{"before-switch", []Outcome{Failed}, "a command of before_switch failed, so nothing was activated", "read the host's log to see what failed"},
	{CodeBuild, []Outcome{Failed}, "nix build failed", "fix it, push, and deploy again"},
	{"busy", []Outcome{Failed}, "another activation is running on the host", "wait until it finishes, then deploy again"},
	{CodeCancelled, []Outcome{Cancelled}, "the run was cancelled before the host activated", ""},
	{"checkout", []Outcome{Failed}, "git cannot check out the revision", "read the host's log to see what git reported"},
	{CodeClock, nil, "the clocks of the host and of the operator's machine differ", "set the host's clock: timedatectl set-ntp true"},
	{"config", []Outcome{Failed}, "ssh_config(5), or a file that it names, cannot be followed", ""},
	{CodeCopy, []Outcome{Failed}, "what another host built could not be copied to this one", "read the host's log, then deploy again: what has arrived is not sent again"},
	{"darwin-check", []Outcome{Failed, RolledBack}, "a check of nix-darwin failed", "do what the check printed in the host's log, then deploy again"},
	{CodeDeadline, []Outcome{Unknown}, "the host can be reached, but a step took longer than it may", ""},
	{"died", []Outcome{Failed, Degraded, RebootNeeded, RolledBack}, "the job was killed, or the host restarted", "check whether the host restarted or ran out of memory, then deploy again"},
	{"dirty", []Outcome{Failed}, "the checkout has uncommitted changes, or untracked files in the way", `commit or stash the changes in the checkout, or set repo_mode = "managed"`},
	{CodeDisk, []Outcome{Failed}, "/nix/store has too little free space", "free some space on the host: nix-collect-garbage --delete-older-than 30d"},
	{CodeDiverged, []Outcome{Failed}, "the checkout and the branch have both moved on", `push or drop the commits in the checkout, or set repo_mode = "managed"`},
	{"downgrade", []Outcome{Failed}, "the host runs a later commit of the fleet's branch", "name the revision if the host should go back to it, or roll back to an earlier generation"},
	{CodeExcess, []Outcome{Failed, Unknown}, "the host sent more than fleetctl accepts", "check what the host prints, also when the login user logs in"},
	{CodeFault, []Outcome{Unknown, Degraded}, "fleetctl itself failed while it worked on the host", "please report this as a bug, with the stack trace in the host's log"},
	{"fetch", []Outcome{Failed}, "git fetch failed on the host", "run git fetch in the checkout on the host"},
	{"full-disk-access", []Outcome{Failed, RolledBack}, "macOS denies Full Disk Access to programs that run over SSH", `enable "Allow full disk access for remote users" in System Settings > General > Sharing > Remote Login > (i)`},
	{CodeHealth, []Outcome{Degraded}, "a health check failed", "check the service on the host"},
	{"host-key-changed", []Outcome{Failed}, "known_hosts has another key for the host", ""},
	{"host-key-revoked", []Outcome{Failed}, "the host's key is marked @revoked in known_hosts", ""},
	{"host-key-unknown", []Outcome{Failed}, "the host's key is in no known_hosts file", ""},
	{"in-the-way", []Outcome{Failed, RolledBack}, "files that home-manager did not make are in the way of the home's", "move them away on the host, or set backup_extension in hosts.toml, which does so unless they are links"},
	{CodeIncomplete, []Outcome{Failed}, "the host's answer is incomplete", "try again; then check the connection and the memory of the host"},
	{"inhibited", []Outcome{Failed}, "a check before the switch failed, so nothing was activated", "read the check's output in the host's log; for switchInhibitors, set on_inhibited = \"boot\", or deploy with the goal boot"},
	{"internal", []Outcome{Failed, Degraded}, "the job's script stopped unexpectedly", "please report this as a bug, with the host's log"},
	{CodeInterrupted, []Outcome{Skipped}, "fleetctl stopped before it started this host", "deploy again"},
	{CodeInventory, []Outcome{Unknown}, "the host is not in the inventory anymore", "attach with the inventory that the run was started with"},
	{"jump", []Outcome{Failed}, "a bastion or a ProxyCommand on the way to the host failed", ""},
	{"launch-agents", []Outcome{RolledBack}, "a LaunchAgent could not be loaded", "read the host's log; if the agent is still loaded, log out and in again at the Mac"},
	{"local", []Outcome{Failed}, "the operator's machine could not open a connection", ""},
	{CodeLocked, []Outcome{Failed}, "another job is running on the host", "wait until it finishes, or cancel it"},
	{CodeLogin, []Outcome{Degraded}, "a new login does not work after the switch", "keep your open sessions on the host until a new login works"},
	{CodeLost, []Outcome{Unknown}, "the host was out of reach for too long", ""},
	{"no-access", []Outcome{Failed}, "the host's login user is not allowed to read the remote", "give the host's login user a key or a token that can read the repository"},
	{"no-branch", []Outcome{Failed}, "the remote has no such branch", "push the branch to the remote, or choose another revision"},
	{CodeNoClone, []Outcome{Failed}, "fleetctl has no clone of the repository on the host yet", "deploy once, so that the clone exists"},
	{"no-daemon", nil, "Nix on the host does not answer", "start nix-daemon on the host, and check what nix store ping prints there"},
	{CodeNoEnd, []Outcome{Unknown}, "the job's log stops without a result", ""},
	{"no-flake", []Outcome{Failed}, "the checkout has no flake.nix in flake_dir", "correct flake_dir in hosts.toml"},
	{"no-generation", []Outcome{Failed}, "the host has no such generation", "list the host's generations"},
	{"no-git", []Outcome{Failed}, "git is not installed on the host", "install git on the host"},
	{"no-gui-session", []Outcome{Failed, RolledBack}, "LaunchAgents cannot be loaded without a graphical session of their user", `log in at the Mac's screen as that user, or set domain = "user" for agents that do not need the screen`},
	{"no-home", []Outcome{Failed}, "the login user's home has no room for the job, or is not writable", "free some space on the host, or make the login user's home writable"},
	{"no-key", []Outcome{Failed}, "there is no SSH key to offer", ""},
	{"no-network", []Outcome{Failed}, "the host cannot reach the remote", "run git fetch in the checkout on the host"},
	{"no-nix", []Outcome{Failed}, "Nix is not installed on the host", "install Nix on the host"},
	{"no-path", []Outcome{Failed}, "what another host built is not in the store, although it was copied", "deploy again; if garbage collection runs on the host meanwhile, let it end first"},
	{"no-reboot", []Outcome{Failed}, "the host has neither systemctl nor shutdown", ""},
	{"no-repo", []Outcome{Failed}, "the checkout does not exist, or is not a usable git checkout", `clone the configuration on the host, correct repo in hosts.toml, or set repo_mode = "managed"`},
	{"no-revision", []Outcome{Failed}, "the remote's branch does not contain the revision", "push the commit to the branch, or choose another revision"},
	{"no-root", []Outcome{Failed}, "doas or run0 does not let the login user become root without a password", "permit it without a password (nopass in doas.conf, or a polkit rule for run0), set sudo in hosts.toml, or log in as root"},
	{"no-specialisation", []Outcome{Failed}, "the new system does not have the specialisation of hosts.toml", "correct specialisation in hosts.toml, or add it to the host's configuration"},
	{"no-sudo", []Outcome{Failed}, "sudo is not installed, and the login user is not root", "install sudo, doas or run0 on the host, or log in as root"},
	{"not-default", []Outcome{Failed, Degraded}, "the next boot does not start the new configuration", "read the host's log (is /boot full?), fix it, then deploy again"},
	{CodeNotLocal, []Outcome{Failed}, "the host is worked on without SSH, and this is not its machine, its system or its user", "run fleetctl on that machine as that user, or set connect = \"ssh\" in hosts.toml"},
	{"not-permitted", []Outcome{Failed, RolledBack}, "macOS did not permit an operation of the activation", `enable "Allow full disk access for remote users" in System Settings > General > Sharing > Remote Login > (i)`},
	{"not-running", []Outcome{Degraded}, "the running system is not the one that was built", "check whether something else switches this host, then deploy again"},
	{"off-branch", []Outcome{Failed}, "the revision is not on the fleet's branch, and it was not named", "push the commit to the branch, or name it as the revision"},
	{CodeOffline, []Outcome{Unreachable, Skipped}, "the host does not answer", ""},
	{"older", []Outcome{Failed}, "the revision is older than the checkout", `deploy the tip of the branch, roll back to an earlier generation, or set repo_mode = "managed"`},
	{"other-host", []Outcome{Failed}, "the machine has the name of another host of the inventory", "correct the host's address in hosts.toml; if the machine is to be renamed, allow that"},
	{"partial", []Outcome{Degraded}, "the new configuration runs, but its activation reported a failure and named no unit", "read the host's log to see what failed"},
	{CodeProtocol, []Outcome{Failed, Unknown}, "the answer is not one that this version of fleetctl understands", ""},
	{"reboot", []Outcome{RebootNeeded}, "the configuration takes full effect at the next boot", "reboot the host when it is convenient"},
	{CodeRefused, []Outcome{Failed}, "the host rejected the login", ""},
	{"rejected", []Outcome{Failed}, "root did not accept what the job wanted to activate: it is not a system in the Nix store, or not the one that the job built", "find out which process of the login user changed the files of the job"},
	{CodeRollback, []Outcome{Degraded}, "the host's wave was rolled back, but this host was not", ""},
	{CodeRollbackFailed, []Outcome{Degraded}, "the new configuration was not kept, and the host did not fully return to what ran before", "log in and check what runs; then activate the previous generation on the host, or deploy a revision that works"},
	{"root-gone", []Outcome{Failed, Degraded}, "the root half of the job stopped unexpectedly", "read the host's log to see what failed"},
	{CodeSameMachine, nil, "two hosts of the inventory are one machine, and would be given different configurations", "correct the address of one of them in hosts.toml, or remove it"},
	{CodeSession, []Outcome{Failed}, "the host accepted the login, but opened no session", "raise MaxSessions in sshd_config(5) on the host"},
	{CodeShell, []Outcome{Failed}, "the login user's shell does not run commands", "give the login user a login shell that runs commands"},
	{CodeShortage, []Outcome{Unreachable}, "the operator's machine lacks file descriptors or memory for another connection", "raise the limit of open files (ulimit -n), or work on fewer hosts at once"},
	{"silent", []Outcome{RolledBack}, "no operator confirmed, and the host stopped answering as before", "the new configuration cuts the host off: check its firewall, sshd and addresses"},
	{"stopped", []Outcome{Failed}, "fleetctl closed the connection", ""},
	{"submodules", []Outcome{Failed}, "git cannot update the submodules of the checkout", "run git submodule update in the checkout on the host"},
	{"sudo-denied", []Outcome{Failed}, "sudo does not allow the login user to run this", "check what sudo -l reports on the host"},
	{CodeSudoPassword, []Outcome{Failed}, "sudo asks for a password", "run fleetctl where it can prompt for the password, or let the login user run sudo without one"},
	{CodeSudoWrong, []Outcome{Failed}, "sudo rejected the password", "check what sudo -l reports on the host"},
	{"switch-command", []Outcome{Failed, Degraded}, "switch_command failed", "read the host's log to see what failed"},
	{CodeTests, []Outcome{Degraded}, "repository tests failed, or could not be run", "run the tests again: fleetctl test"},
	{"timeout", []Outcome{Failed}, "a step took longer than its limit in hosts.toml", "allow the step more time in hosts.toml, or find out why it takes so long"},
	{"unconfirmed", []Outcome{RolledBack}, "the operator could not log in again in time", "the new configuration cuts the host off: check its firewall, sshd and addresses"},
	{CodeUnits, []Outcome{Degraded}, "units failed that had not failed before", "run systemctl --failed on the host"},
	{CodeUnlocked, []Outcome{Failed}, "flake.lock does not lock every input of the flake", "run nix flake lock, commit, push"},
	{"unreadable", []Outcome{Failed}, "the job's directory on the host is not readable", ""},
	{"unsigned", []Outcome{Failed}, "the revision has no good signature by an allowed signer", "sign the commit with a key that allowed_signers lists, push, and deploy again"},
	{CodeUntrusted, []Outcome{Failed}, "Nix on the host does not accept paths that were built elsewhere from this user", "let the user become root without a password, or list the user in trusted-users, or sign on the builder (secret-key-files) with a key in trusted-public-keys"},
	{CodeVanished, []Outcome{Unknown}, "the job is not on the host anymore", ""},
	{CodeWave, []Outcome{Skipped, RolledBack}, "another host's failure stopped the run", "fix the failed host, then deploy again"},
	{"wrong-branch", []Outcome{Failed}, "the checkout is on another branch", `switch the checkout to the branch, or set repo_mode = "managed"`},
	{"wrong-system", []Outcome{Failed}, "the builder cannot build for the host's system", "choose another builder in hosts.toml, or give this one extra-platforms or builders in nix.conf"},
}

// info returns the reference entry of a code, or an empty one.
func (c Code) info() CodeInfo {
	i, found := slices.BinarySearchFunc(Codes, c, func(in CodeInfo, c Code) int { return cmp.Compare(in.Code, c) })
	if !found {
		return CodeInfo{Code: c}
	}
	return Codes[i]
}

// Sentence returns what the code means, or "" if the code is unknown.
func (c Code) Sentence() string { return c.info().Sentence }

// Hint returns what to do about the code, in one line. It returns "" if there is no general advice,
// or if the code is unknown.
func (c Code) Hint() string { return c.info().Hint }
