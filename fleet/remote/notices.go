package remote

import (
	"cmp"
	"fmt"
	"strings"
)

const omitted = "omitted"

// OmittedNote returns the words of a note that n bytes of a log were left out.
func OmittedNote(n int64) string { return fmt.Sprintf("code=%s bytes=%d", omitted, n) }

// Omitted returns the text of such a note.
func Omitted(n int64) string { return noticeText(OmittedNote(n)) }

// notice returns the sentence for a note or a warning of a job.
func notice(code string, fields map[string]string) string {
	switch code {
	case "lock-stolen":
		return fmt.Sprintf("the host was taken from job %s, which was killed", fields["job"])
	case "lock-stale":
		return fmt.Sprintf("the lock of job %s, which is dead, was taken over", fields["job"])
	case "sudo-password":
		if text := fields["text"]; !strings.Contains(text, "password") && !strings.Contains(text, "authentication is required") {
			return "sudo failed: " + text
		}
		return "sudo requires a password: deploy prompts for it"
	case "login-end":
		return "the host kills the processes of a login that ends (KillUserProcesses in logind.conf): if the connection is lost, the job may be. " +
			"To prevent that, run on the host: sudo loginctl enable-linger " + fields["user"]
	case "silent":
		return fmt.Sprintf("%s does not answer any more: %s", fields["service"], fields["address"])
	case "resumed":
		return "the process that activated was killed; another one continues where it was"
	case "rollback":
		return "rolling back to " + cmp.Or(fields["to"], "what ran before")
	case "rollback-exit":
		switch exit := fields["exit"]; exit {
		case "0":
			return "the previous configuration was activated, but not everything is as it was before"
		case "none":
			return "there is no previous configuration to activate"
		default:
			return "the activation of the previous configuration exited with " + exit
		}
	case "substituter":
		if fields["left"] == "" {
			return fmt.Sprintf("the substituter %s does not answer; no other is left, so the host builds what it lacks", fields["url"])
		}
		return fmt.Sprintf("the substituter %s does not answer; this run builds without it", fields["url"])
	case "agent-leaves":
		return "fleetctl leaves, and takes the forwarded ssh-agent along: if the remote needs it, deploy without detaching"
	case "agent-only":
		return fmt.Sprintf("%s can be read only with the forwarded ssh-agent: without an operator, the host decides without the remote", fields["url"])
	case "filters":
		return "the repository has filters (Git LFS, git-crypt): until the pull, Nix reads its files as they are stored, so the plan may differ"
	case omitted:
		return fields["bytes"] + " bytes of output are left out here: the log is longer than max_log in hosts.toml"
	case "no-specialisation":
		return fmt.Sprintf("the system has no specialisation %q: it runs without one from now on", fields["name"])
	case "boot-entry":
		return "the boot entry of the new system could not be made: exit status " + fields["exit"]
	}
	e := ending{outcome: "degraded", code: code, fields: fields}
	return cmp.Or(e.sentence(), code)
}
