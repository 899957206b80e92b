package remote

import (
	"cmp"
	"fmt"
	"strings"
)

// gitFailures are the codes for what git prints when it fails, in the order in which they are
// tried.
var gitFailures = []struct {
	code    string
	phrases []string
}{
	{"no-network", []string{
		"Could not resolve", "timed out", "unreachable", "Connection refused", "No route to host", "unable to connect",
		"Failed to connect", "Connection reset",
	}},
	{"no-access", []string{
		"Permission denied", "Authentication failed", "could not read Username", "could not read Password", "ccess denied",
		"not found", "does not exist", "does not appear to be a git repo", "Host key verification failed", "not exported", "403",
		"correct access rights",
	}},
	{"no-branch", []string{"find remote ref"}},
}

// classify replaces the code of a failed git command by what the failure means.
func (e *ending) classify() {
	text := e.fields["text"]
	switch {
	case e.code == "checkout" && strings.Contains(text, "would be overwritten"):
		e.code = "dirty"
	case e.code == "fetch" && (strings.Contains(text, "'.git/") || strings.Contains(text, " .git/")):
		// It is about a file of the checkout, not about the remote.
	case e.code == "fetch":
		for _, failure := range gitFailures {
			for _, phrase := range failure.phrases {
				if strings.Contains(text, phrase) {
					e.code = failure.code
					return
				}
			}
		}
	}
}

// checkoutSentence explains the state of the checkout.
func (e *ending) checkoutSentence() string {
	checkout := "the checkout"
	if e.fields["repo"] != "" {
		checkout += " " + e.quoted("repo")
	}
	switch e.code {
	case "no-repo":
		switch e.fields["why"] {
		case "not-a-checkout":
			s := fmt.Sprintf("%s is not a git checkout that user %s can use", e.quoted("repo"), e.fields["user"])
			if text := e.fields["text"]; text != "" {
				s += ": " + strings.TrimPrefix(text, "fatal: ")
			}
			return s
		case "no-commit":
			return checkout + " has no commits"
		case "empty-clone":
			return fmt.Sprintf("fleetctl's clone of %s has no commits yet: deploy once without --no-pull", e.quoted("url"))
		case "no-entry":
			return fmt.Sprintf("cannot enter the directory %s", e.quoted("repo"))
		}
		return fmt.Sprintf("there is no directory %s", e.quoted("repo"))
	case "no-clone":
		return fmt.Sprintf("fleetctl has no clone of %s on the host yet: the first deploy makes one", e.quoted("url"))
	case "no-flake":
		return fmt.Sprintf("there is no flake.nix in the directory %s of %s", e.quoted("dir"), checkout)
	case "wrong-branch":
		return fmt.Sprintf("%s is on %s, not on %s", checkout, cmp.Or(e.fields["on"], "no branch"), e.fields["branch"])
	case "dirty":
		if e.fields["text"] != "" {
			if !strings.Contains(strings.ToLower(e.fields["text"]), "untracked") {
				return fmt.Sprintf("files in %s were changed during the run, and are in the way of the pull", e.quoted("repo"))
			}
			return fmt.Sprintf("files that git does not track are in the way of the pull in %s", e.quoted("repo"))
		}
		files := e.fields["files"]
		if more := e.number("changes") - 1 - strings.Count(files, ", "); more > 0 {
			files += fmt.Sprintf(", and %d more", more)
		}
		return fmt.Sprintf("%s has uncommitted changes (%s)", checkout, files)
	case "ahead":
		return fmt.Sprintf("%s is ahead of the revision of this run by %s", checkout, commits(e.fields["ahead"]))
	case "diverged":
		return fmt.Sprintf("%s has diverged: ahead by %s, behind by %s", checkout, e.fields["ahead"], commits(e.fields["behind"]))
	case "older":
		return fmt.Sprintf("%s is %s older than %s, which is only ever fast-forwarded", e.fields["rev"], commits(e.fields["ahead"]), checkout)
	}
	return ""
}

// gitSentence explains a git command that failed.
func (e *ending) gitSentence() string {
	switch e.code {
	case "no-network":
		return fmt.Sprintf("git on the host cannot reach %s", e.quoted("url"))
	case "no-access":
		return fmt.Sprintf("%s does not let user %s on the host read it", e.quoted("url"), e.fields["user"]) + e.lostAgent()
	case "no-branch":
		return fmt.Sprintf("%s has no branch %s", e.quoted("url"), e.quoted("branch"))
	case "no-revision":
		if e.fields["branch"] == e.fields["rev"] {
			return fmt.Sprintf("%s has no commit %s", e.quoted("url"), e.fields["rev"])
		}
		return fmt.Sprintf("%s has no commit %s on branch %s", e.quoted("url"), e.fields["rev"], e.quoted("branch"))
	case "off-branch":
		return fmt.Sprintf("commit %s is not on branch %s of %s", e.fields["rev"], e.quoted("branch"), e.quoted("url"))
	case "downgrade":
		return fmt.Sprintf("the host runs %s, which is later on branch %s than %s", e.fields["runs"], e.quoted("branch"), e.fields["rev"])
	case "unsigned":
		if e.fields["text"] == "" {
			return fmt.Sprintf("commit %s has no signature that git can check", e.fields["rev"])
		}
		return fmt.Sprintf("commit %s has no good signature by an allowed signer (%s)", e.fields["rev"], strings.Join(strings.Fields(e.fields["text"]), " "))
	case "fetch":
		return fmt.Sprintf("git fetch from %s exited with %s", e.quoted("url"), e.exit()) + e.gitReason() + e.lostAgent()
	case "checkout":
		if e.fields["why"] == "status" {
			return fmt.Sprintf("git status failed in %s: %s", e.quoted("repo"), cmp.Or(e.fields["text"], "it gave no reason"))
		}
		return fmt.Sprintf("git could not check out %s in %s: it exited with %s", e.fields["rev"], e.quoted("repo"), e.exit()) + e.gitReason()
	case "submodules":
		return fmt.Sprintf("git could not update the submodules of %s: it exited with %s", e.quoted("repo"), e.exit()) + e.gitReason()
	case "timeout":
		if e.fields["url"] != "" {
			return fmt.Sprintf("git fetch from %s took more than %s s", e.quoted("url"), e.fields["seconds"])
		}
		if e.fields["test"] != "" {
			return fmt.Sprintf("the tests took more than %s s: %s and later ones were not run", e.fields["seconds"], e.fields["test"])
		}
		return fmt.Sprintf("nix build took more than %s s", e.fields["seconds"])
	}
	return ""
}

// lostAgent returns the end of a sentence about a remote, or "".
func (e *ending) lostAgent() string {
	if e.fields["agent"] == "" {
		return ""
	}
	return "; the ssh-agent that was forwarded to the host is gone"
}

// gitReason returns what git itself reported, as the end of a sentence, or "".
func (e *ending) gitReason() string {
	if e.fields["reason"] == "" {
		return ""
	}
	return " (" + e.fields["reason"] + ")"
}

// commits returns "1 commit" or "N commits".
func commits(n string) string {
	if n == "1" {
		return "1 commit"
	}
	return n + " commits"
}
