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

// DialResult returns the result for a host that could not be logged in to, so that nothing was
// started there.
func DialResult(err error, h *inventory.Host) *fleet.Result {
	var refusal Refusal
	if unusable, ok := errors.AsType[*AnswerError](err); ok && !errors.As(err, &refusal) {
		return unusable.result(fleet.Connect)
	}
	r := &fleet.Result{Step: fleet.Connect, Reason: Reason(err, h)}
	if errors.As(err, &refusal) {
		r.Hint = clean.Line([]byte(refusal.Hint()))
	}
	var coded interface{ Code() string }
	errors.As(err, &coded)
	switch {
	case !IsOffline(err):
		r.Outcome, r.Code = fleet.Failed, fleet.CodeRefused
	case IsShortage(err):
		r.Outcome, r.Code = fleet.Unreachable, fleet.CodeShortage
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

// RefusalResult returns the result for a host that answered, but started nothing.
func RefusalResult(s fleet.Step, h remote.Header, host *inventory.Host) *fleet.Result {
	code := fleet.Code(clean.Line([]byte(h.Code)))
	r := &fleet.Result{Outcome: fleet.Failed, Step: s, Code: code, Hint: code.Hint()}
	switch code {
	case fleet.CodeLocked, "busy", "no-home":
		r.Reason = remote.Reason(h.Code, h.Values)
	case "fetch":
		r.Reason = fmt.Sprintf("git on the host cannot look up the tip of the branch (%s)", host.Repo)
	default:
		r.Reason = cmp.Or(code.Sentence(), fmt.Sprintf("the host started nothing (%s)", code))
	}
	if text := clean.Line([]byte(h.Values["text"])); text != "" {
		r.Reason += ": " + text
	}
	return r
}

// ShellResult returns the result for a host whose login shell did not run the script.
func ShellResult(s fleet.Step, err error) *fleet.Result {
	code := fleet.CodeShell
	return &fleet.Result{Outcome: fleet.Failed, Step: s, Code: code, Reason: clean.Line([]byte(err.Error())), Hint: code.Hint()}
}

// Reason returns the first line of an error, without the host's name in front.
func Reason(err error, h *inventory.Host) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return clean.Line([]byte(strings.TrimPrefix(line, h.Name+": ")))
}

// codeError is an error with a code that a host reported.
type codeError struct{ code, text string }

func (e *codeError) Error() string { return e.text }

func (e *codeError) Code() string { return e.code }

func (e *codeError) Hint() string { return fleet.Code(e.code).Hint() }
