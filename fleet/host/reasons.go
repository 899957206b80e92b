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
		r.Code = cmp.Or(fleet.Code(coded.Code()), r.Code)
	}
	return r
}

// refused: the host answered, and began nothing.
func Refused(s fleet.Step, h remote.Header, host *inventory.Host) *fleet.Result {
	value := func(key string) string { return clean.Line([]byte(h.Values[key])) }
	r := &fleet.Result{Outcome: fleet.Failed, Step: s, Code: fleet.Code(clean.Line([]byte(h.Code))), Hint: fleet.Code(h.Code).Hint()}
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
	return &fleet.Result{Outcome: fleet.Failed, Step: s, Code: fleet.CodeShell, Reason: clean.Line([]byte(err.Error())), Hint: fleet.CodeShell.Hint()}
}

// reasonOf is an error in a line that is fit to be shown beside the host's name.
func Reason(err error, h *inventory.Host) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return clean.Line([]byte(strings.TrimPrefix(line, h.Name+": ")))
}
