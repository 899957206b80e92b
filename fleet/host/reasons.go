package host

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// notReached: there was no connection, so nothing was begun.
func NotReached(err error, h *inventory.Host) *fleet.Result {
	r := &fleet.Result{Step: fleet.Connect, Reason: Reason(err, h)}
	var refusal Refusal
	if errors.As(err, &refusal) {
		r.Hint = clean.Line([]byte(refusal.Hint()))
	}
	var coded interface{ Code() string }
	errors.As(err, &coded)
	switch {
	case !IsOffline(err):
		r.Outcome, r.Code = fleet.Failed, fleet.CodeRefused
	case h.SkipOffline:
		r.Outcome, r.Code = fleet.Skipped, fleet.CodeOffline
	default:
		r.Outcome, r.Code = fleet.Unreachable, fleet.CodeOffline
	}
	if coded != nil && r.Outcome == fleet.Failed {
		r.Code = cmp.Or(coded.Code(), r.Code)
	}
	return r
}

// refused: the host answered, and began nothing.
func Refused(s fleet.Step, h remote.Header, host *inventory.Host) *fleet.Result {
	value := func(key string) string { return clean.Line([]byte(h.Values[key])) }
	r := &fleet.Result{Outcome: fleet.Failed, Step: s, Code: clean.Line([]byte(h.Code)), Hint: Hint(h.Code)}
	switch h.Code {
	case "locked", "busy", "no-home":
		r.Reason = remote.Reason(h.Code, h.Values)
	case "sudo-password":
		r.Reason = "sudo wants a password"
	case "sudo-wrong":
		r.Reason = "sudo did not accept the password"
	case "no-sudo":
		r.Reason = "there is no sudo, and the login user is not root"
	case "sudo-denied":
		r.Reason = "sudo does not let the login user do this"
	case "fetch":
		r.Reason = fmt.Sprintf("git on this host cannot ask the remote which commit the branch is at (%s)", host.Repo)
	case "no-branch":
		r.Reason = "the remote has no such branch"
	case "no-reboot":
		r.Reason = "there is nothing to reboot it with: neither systemctl nor shutdown"
	default:
		r.Reason = fmt.Sprintf("the host began nothing (%s)", r.Code)
	}
	if text := value("text"); text != "" {
		r.Reason += ": " + text
	}
	return r
}

// silent: what ran on the host was not our script.
func Silent(s fleet.Step, err error) *fleet.Result {
	return &fleet.Result{Outcome: fleet.Failed, Step: s, Code: fleet.CodeShell, Reason: clean.Line([]byte(err.Error())), Hint: Hint(fleet.CodeShell)}
}

// reasonOf is an error in a line that is fit to be shown beside the host's name.
func Reason(err error, h *inventory.Host) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return clean.Line([]byte(strings.TrimPrefix(line, h.Name+": ")))
}

// hint says, in a line, what to do about a code.
func Hint(code string) string {
	switch code {
	case "dirty":
		return `commit or stash the changes there, or set repo_mode = "managed"`
	case "ahead":
		return `push or drop the commits there; to run an older revision: fleetctl rollback, or repo_mode = "managed"`
	case "diverged":
		return `push or drop the commits there, or set repo_mode = "managed"`
	case "wrong-branch":
		return `switch to the branch there, or set repo_mode = "managed"`
	case "no-repo":
		return `clone the configuration there, correct repo in hosts.toml, or set repo_mode = "managed"`
	case "no-git", "no-nix":
		return "install it there; fleetctl needs git and Nix on a host, and nothing else"
	case "no-access":
		return "give the host's user a key or a token with which git may read the repository"
	case "no-network", "fetch":
		return "try git fetch there"
	case "no-branch", "no-revision":
		return "push it to the remote, or give another --rev"
	case "disk":
		return "free some space there: nix-collect-garbage --delete-older-than 30d"
	case "timeout":
		return "allow the step more time in hosts.toml, or look why it takes so long"
	case "busy":
		return "wait for it to end, then deploy again"
	case "locked":
		return "wait for it to end, or cancel it: fleetctl cancel"
	case "sudo-password":
		return "run fleetctl where it can ask for the password, or let the login user run sudo without one"
	case "sudo-wrong", "sudo-denied", "no-sudo":
		return "look at what sudo -l says there"
	case "no-home":
		return "free some space there, or make the login user's home writable"
	case "build":
		return "mend it, push, then deploy again: fleetctl deploy --failed"
	case "activation", "switch-command", "root-gone":
		return "the log says why: fleetctl logs"
	case "units":
		return "look at them there: systemctl --failed"
	case "reboot":
		return "reboot it when it suits"
	case "died":
		return "look whether the host restarted or ran out of memory, then deploy again"
	case "unconfirmed", "silent":
		return "the new configuration shuts the host off from the network: look at its firewall, sshd and addresses"
	case "back":
		return "mend what keeps a new login out, then deploy again"
	case "nobody":
		return "deploy again, and stay, or give --detach"
	case "no-generation":
		return "see which there are: fleetctl rollback HOST --list"
	case "not-default":
		return "the log says why (is /boot full?); mend that, then deploy again: fleetctl logs"
	case "not-running":
		return "look whether something else switches this host, then deploy again"
	case fleet.CodeLogin:
		return "keep the sessions that you have there open until a new one works"
	case fleet.CodeHealth:
		return "look at the service there"
	case fleet.CodeTests:
		return "fleetctl test runs them again"
	case fleet.CodeShell:
		return "give the login user a login shell that runs commands"
	}
	return ""
}
