package inventory

import (
	"net/url"
	"strings"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// remoteType describes the URL of a Git repository. Transports that run commands (ext::) are
// deliberately not allowed.
func remoteType() valueType[string] {
	const (
		adviceSecret = "every host and every reader of this file would see it: use an SSH key or a Git credential helper"

		hint = `for example "git@github.com:you/nixcfg.git" or "https://github.com/you/nixcfg"`
		path = `[^ ` + hidden + `]+`
		full = `(https?|ssh|git|file)://` + path
		scp  = `([A-Za-z0-9_][A-Za-z0-9._-]*@)?[A-Za-z0-9_\[][A-Za-z0-9._:\]-]*:[^: ` + hidden + `]` + path // USER@HOST:PATH
	)
	syntax := stringType(full+`|`+scp+`|/`+path, "Git remote", fixedHint(hint))
	return withCheck(syntax, func(s string) (problem, advice string) {
		u, err := url.Parse(s)
		if err != nil || !strings.Contains(s, "://") {
			return "", ""
		}
		if _, ok := u.User.Password(); ok {
			return "must not contain a password", adviceSecret
		}
		if clean.Secrets(s) != s {
			return "must not contain an access token", adviceSecret
		}
		if u.Host == "" && u.Scheme != "file" {
			return quote(s) + " has no host", hint
		}
		return "", ""
	})
}

// branchType describes a branch name. It implements most rules of git-check-ref-format(1).
func branchType() valueType[string] {
	syntax := stringType(`[^ ~^:?*\[\\/.`+hidden+`-][^ ~^:?*\[\\`+hidden+`]*`, "branch name", fixedHint(`for example "main"`))
	return withCheck(syntax, func(s string) (problem, hint string) {
		if short, ok := strings.CutPrefix(s, "refs/heads/"); ok {
			return quote(s) + " is a full ref, not a branch name", "write " + quote(short)
		}
		for _, infix := range []string{"..", "//", "@{", "/."} {
			if strings.Contains(s, infix) {
				return quote(s) + " is not a valid branch name", "a branch name cannot contain " + quote(infix)
			}
		}
		for _, suffix := range []string{"/", ".", ".lock"} {
			if strings.HasSuffix(s, suffix) {
				return quote(s) + " is not a valid branch name", "a branch name cannot end in " + quote(suffix)
			}
		}
		return "", ""
	})
}
