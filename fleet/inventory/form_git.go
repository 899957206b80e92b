package inventory

import (
	"net/url"
	"strings"
)

// remote is a URL as git takes it. Transports that run commands (ext::) are left out on purpose.
func remote() form[string] {
	hint := always(`as in "git@github.com:you/nixcfg.git" or "https://github.com/you/nixcfg"`)
	const (
		path = `[^ ` + hidden + `]+`
		full = `(https?|ssh|git|file)://` + path
		scp  = `([A-Za-z0-9_][A-Za-z0-9._-]*@)?[A-Za-z0-9_\[][A-Za-z0-9._:\]-]*:[^: ` + hidden + `]` + path // USER@HOST:PATH
	)
	return checked(text(full+`|`+scp+`|/`+path, "a git remote", hint), func(s string) (string, string) {
		u, err := url.Parse(s)
		if err != nil || !strings.Contains(s, "://") {
			return "", ""
		}
		if _, secret := u.User.Password(); secret {
			return "has a password in it", "every host and every reader of this file would have it: use an SSH key, or git's credential helper"
		}
		if u.Host == "" && u.Scheme != "file" {
			return quote(s) + " names no host", hint(s)
		}
		return "", ""
	})
}

// branch is what git-check-ref-format(1) lets a branch be called, or near enough.
func branch() form[string] {
	return checked(text(`[^ ~^:?*\[\\/.`+hidden+`-][^ ~^:?*\[\\`+hidden+`]*`, "a branch", always(`as in "main"`)), func(s string) (string, string) {
		if short, full := strings.CutPrefix(s, "refs/heads/"); full {
			return quote(s) + " is a full ref", "write " + quote(short)
		}
		for _, bad := range []string{"..", "//", "@{", "/."} {
			if strings.Contains(s, bad) {
				return quote(s) + " is not a branch", "git allows no " + quote(bad) + " in one"
			}
		}
		if strings.HasSuffix(s, "/") || strings.HasSuffix(s, ".") || strings.HasSuffix(s, ".lock") {
			return quote(s) + " is not a branch", `git lets none end in "/", "." or ".lock"`
		}
		return "", ""
	})
}
