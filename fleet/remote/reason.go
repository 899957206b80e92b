package remote

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// ending is how a job or its preflight ended, as reported by the host.
type ending struct {
	outcome, code, step string
	fields              map[string]string
}

// Reason returns the sentence for a code and its figures, or "" if the code is unknown. They may be
// those of a header.
func Reason(code string, values map[string]string) string {
	e := ending{code: code, fields: values}
	e.classify()
	return clean.Line([]byte(e.sentence()))
}

// sentence returns what happened, in a line for the operator.
func (e *ending) sentence() string {
	for _, sentence := range []func(*ending) string{
		(*ending).checkoutSentence, (*ending).gitSentence, (*ending).hostSentence, (*ending).buildSentence,
		(*ending).causeSentence, (*ending).activationSentence, (*ending).confirmSentence, (*ending).endSentence,
	} {
		if s := sentence(e); s != "" {
			return s
		}
	}
	return ""
}

// quoted returns a field in quotes.
func (e *ending) quoted(key string) string { return strconv.Quote(e.fields[key]) }

// hostSentence explains the state of the host.
func (e *ending) hostSentence() string {
	switch e.code {
	case "no-git":
		return "there is no git on the host"
	case "no-nix":
		return "there is no nix on the host"
	case "no-daemon":
		switch {
		case e.fields["seconds"] != "":
			return "Nix on the host has not answered within " + e.fields["seconds"] + " s"
		case e.fields["text"] != "":
			return "Nix on the host does not answer: " + strings.TrimPrefix(e.fields["text"], "error: ")
		}
		return "Nix on the host does not answer: it exited with " + e.exit()
	case "other-host":
		return fmt.Sprintf("the machine calls itself %s, which is another host of the inventory", e.fields["name"])
	case "sudo-denied":
		return "sudo on the host refuses: " + e.fields["text"]
	case "no-sudo":
		program := e.fields["with"]
		if program == "" || program == "auto" {
			program = "sudo"
		}
		return fmt.Sprintf("there is no %s on the host, and the login user is not root", program)
	case "no-root":
		text := strings.TrimPrefix(e.fields["text"], e.fields["with"]+": ")
		return fmt.Sprintf("%s does not let user %s become root without a password: %s", e.fields["with"], e.fields["user"], text)
	case "disk":
		return fmt.Sprintf("only %s MiB are free in /nix/store", e.fields["free_mib"])
	case "busy":
		if job := e.fields["job"]; job != "" {
			return fmt.Sprintf("another job is running on this machine: %s", job)
		}
		return fmt.Sprintf("another activation is running on the host (%s)", e.fields["unit"])
	case "locked":
		where := cmp.Or(e.fields["step"], "starting")
		if since, err := strconv.ParseInt(e.fields["since"], 10, 64); err == nil {
			where += ", since " + time.Unix(since, 0).Format("15:04:05")
		}
		return fmt.Sprintf("%s of %s is running on the host (%s)", jobName(e.fields["job"]), cmp.Or(e.fields["who"], "an unknown operator"), where)
	case "no-home":
		return fmt.Sprintf("cannot create files in %s", e.quoted("path"))
	}
	return ""
}

// buildSentence explains a build that failed, or a rollback that has nothing to build.
func (e *ending) buildSentence() string {
	switch e.code {
	case "build":
		if e.fields["exit"] == "0" {
			return "nix build left no result"
		}
		return "nix build exited with " + e.exit()
	case "wrong-system":
		return fmt.Sprintf("Nix cannot build for %s, only for %s", e.fields["system"], strings.Join(words(e.fields["systems"]), ", "))
	case "no-path":
		return fmt.Sprintf("%s is not in the store, although it was copied", cmp.Or(e.fields["path"], "the configuration"))
	case "unlocked":
		return "flake.lock does not lock every input of the flake, so hosts could be given different ones"
	case "no-generation":
		switch {
		case e.fields["to"] != "":
			return "there is no generation " + e.fields["to"]
		case e.fields["current"] != "":
			return "there is no generation before " + e.fields["current"]
		}
		return "there is no earlier generation"
	}
	return ""
}

// causeSentence explains an activation that failed for a reason that its output names.
func (e *ending) causeSentence() string {
	reason, what := "", e.fields["what"]
	switch e.code {
	case "in-the-way":
		reason = "files that home-manager did not make are in the way: " + what
	case "backup-in-the-way":
		reason = "the backup of a file in the way would replace another file: " + what
	case "no-gui-session":
		reason = "LaunchAgents cannot be loaded, because the user has no graphical session on the Mac"
		if what != "" {
			reason += ": " + what
		}
	case "launch-agents":
		reason = "LaunchAgents could not be loaded"
		if what != "" {
			reason += ": " + what
		}
	case "full-disk-access":
		reason = "macOS denies Full Disk Access to programs that run over SSH, and the activation needs it"
	case "app-management":
		reason = "macOS does not let the activation update the copies of applications"
	case "not-permitted":
		reason = "macOS did not permit an operation: " + what
	case "darwin-check":
		reason = "a check of nix-darwin failed: " + what
	default:
		return ""
	}
	return reason + e.previousRuns()
}

// activationSentence explains an activation that did not go well.
func (e *ending) activationSentence() string {
	switched := ""
	if e.outcome == "degraded" {
		switched = "switched, but "
	}
	switch e.code {
	case "activation":
		reason := "the activation failed"
		if exit := e.fields["exit"]; exit != "" {
			reason = "the activation exited with " + exit
		}
		return reason + e.previousRuns()
	case "before-switch":
		return fmt.Sprintf("the before_switch command %s %s", e.quoted("command"), e.hookEnd())
	case "after-switch":
		return switched + fmt.Sprintf("the after_switch command %s %s", e.quoted("command"), e.hookEnd())
	case "switch-command":
		return switched + "switch_command exited with " + e.exit()
	case "inhibited":
		switch check := cmp.Or(e.fields["what"], e.fields["check"]); check {
		case "init":
			return "the new configuration has an init that is incompatible with what runs: only a reboot can start it"
		case "":
			return "the checks before the switch failed"
		default:
			return fmt.Sprintf("the check %q before the switch failed", check)
		}
	case "rollback-failed":
		return e.rollbackFailed()
	case "units":
		var failed []string
		for _, list := range []struct{ key, text string }{
			{"units", "switched, but units failed: "},
			{"user_units", "switched, but user units failed: "},
			{"users", "switched, but the activation failed for user "},
		} {
			if names := words(e.fields[list.key]); len(names) > 0 {
				failed = append(failed, list.text+strings.Join(names, ", "))
			}
		}
		return strings.ReplaceAll(strings.Join(failed, "; "), "; switched, but ", "; ")
	case "partial":
		return "switched, but the activation exited with " + e.exit() + " and named no unit"
	case "health":
		return fmt.Sprintf("the health check %s exited with %s", e.quoted("check"), e.exit())
	case "not-running":
		return "activated, but the host does not run what was built"
	case "not-default":
		if e.outcome == "failed" {
			return "only a reboot can start the new configuration, and it could not be made what the next boot starts"
		}
		return "switched, but the profile is not what was built: the next boot or login would start something else"
	case "rejected":
		return fmt.Sprintf("root did not accept what the job wanted to activate: %s is not the system that it built", cmp.Or(e.quoted("path"), "it"))
	case "root-gone":
		if e.fields["during"] == "activate" {
			return "the root process stopped during the activation, which may be incomplete"
		}
		if switched != "" {
			return switched + "the root process that waits for the confirmation is gone"
		}
		return "the root process that was to activate is gone"
	case "no-specialisation":
		return fmt.Sprintf("the new system has no specialisation %s", e.quoted("name"))
	case "reboot":
		switch e.fields["after"] {
		case "activation":
			return "the new configuration takes full effect at the next boot"
		case "init":
			return "the new configuration has an init that is incompatible with what runs: it starts at the next boot"
		case "inhibited":
			return "the switch was inhibited, because it changes what only a reboot can replace: the new configuration starts at the next boot"
		}
		return "the new configuration starts at the next boot"
	}
	return ""
}

// confirmSentence explains why the new configuration was not kept.
func (e *ending) confirmSentence() string {
	switch e.code {
	case "unconfirmed":
		if seconds := e.fields["seconds"]; seconds != "" {
			return fmt.Sprintf("the operator could not log in again within %s s%s", seconds, e.previousRuns())
		}
		return "the operator could not log in again" + e.previousRuns()
	case "silent":
		return "no operator confirmed, and the host does not answer as it did before" + e.previousRuns()
	case "back":
		return "a new login did not work, so the operator rolled it back" + e.previousRuns()
	}
	return ""
}

// hookEnd returns how a command around the switch ended.
func (e *ending) hookEnd() string {
	if e.fields["exit"] == "124" {
		return fmt.Sprintf("was ended, because the commands took more than %s s", e.fields["seconds"])
	}
	return "exited with " + e.exit()
}

// rollbackFailed explains why the host did not return to what ran before, and what it runs now.
func (e *ending) rollbackFailed() string {
	cause := ending{outcome: e.outcome, code: e.fields["cause"], step: e.step, fields: maps.Clone(e.fields)}
	delete(cause.fields, "died")
	text := cmp.Or(cause.causeSentence(), cause.activationSentence(), cause.confirmSentence())
	if text == "" || e.fields["died"] != "" || cause.code == "died" {
		text = strings.TrimPrefix(text+"; "+e.killed(), "; ")
	}
	var left, units []string
	for _, what := range words(e.fields["left"]) {
		switch what {
		case "system":
			left = append(left, "the running system is not the previous one")
		case "profile":
			left = append(left, "the profile is not the previous one")
		case "links":
			left = append(left, "links of the previous home are missing")
		case "files":
			left = append(left, "files that were moved aside are not back")
		case "activation":
			if e.fields["back"] == "none" {
				left = append(left, "there is no previous configuration")
			} else {
				left = append(left, "its activation exited with "+e.fields["back"])
			}
		default:
			units = append(units, what)
		}
	}
	if len(units) > 0 {
		left = append(left, "units failed: "+strings.Join(units, ", "))
	}
	text += "; the way back to the previous configuration failed: " + strings.Join(left, ", ")
	if runs := e.fields["runs"]; runs != "" {
		text += "; now runs " + runs
	}
	return text
}

// words splits a list at spaces and commas.
func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ' ' || r == ',' })
}

// previousRuns returns the end of a sentence about a host that was rolled back, or "".
func (e *ending) previousRuns() string {
	switch {
	case e.outcome != "rolled-back":
		return ""
	case e.fields["died"] != "":
		return fmt.Sprintf("; the previous configuration runs again; %s", e.killed())
	}
	return "; the previous configuration runs again"
}

// killed tells when a job was killed.
func (e *ending) killed() string {
	return "the job was killed or the host restarted during " + cmp.Or(e.step, "the launch")
}

// endSentence explains other ends of a job.
func (e *ending) endSentence() string {
	switch e.code {
	case "abandoned":
		return "built, but the operator did not continue the run within a day"
	case "cancelled":
		if before := e.fields["before"]; before != "" {
			return "cancelled before activation"
		}
		return "cancelled during " + e.step
	case "internal":
		if e.outcome == "degraded" {
			return "switched, but the script of the job failed unexpectedly during " + e.step
		}
		return "the script of the job failed unexpectedly during " + e.step
	case "died":
		switch {
		case e.outcome == "rolled-back":
			return e.killed() + "; the previous configuration runs again"
		case e.fields["during"] == "activate":
			return e.killed() + ": the activation may be incomplete; the link to the running system names " + cmp.Or(e.fields["runs"], "nothing")
		case e.outcome == "degraded":
			return e.killed() + ": the new configuration runs, but was not verified"
		case e.outcome == "reboot-needed":
			return e.killed() + "; the new configuration starts at the next boot"
		case e.fields["activated"] == "yes":
			return e.killed() + "; the new configuration does not run"
		}
		return e.killed()
	case "":
		return map[string]string{
			"unchanged": "already up to date",
			"built":     "built, not activated",
			"pulled":    "the checkout is at the revision",
			"switched":  "runs the new configuration",
			"tested":    "all tests were run",
		}[e.outcome]
	}
	return ""
}

var jobID = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)

// jobName names a job that holds a host. Its ID comes from a link that others could have made.
func jobName(id string) string {
	if !jobID.MatchString(id) {
		return "another job"
	}
	return "job " + id
}

func (e *ending) exit() string { return cmp.Or(e.fields["exit"], "an unknown status") }

func (e *ending) number(key string) int {
	n, _ := strconv.Atoi(e.fields[key]) // a figure of our own script: 0 leaves it out
	return n
}
