package clean

import (
	"regexp"
	"strings"
)

var (
	urlPassword = regexp.MustCompile(`(://[^/@:\s]*):[^/@\s]+@`)
	// A name of that length is an access token of a forge.
	urlToken = regexp.MustCompile(`(https?://)[A-Za-z0-9_-]{20,}@`)
)

// Secrets replaces the passwords and access tokens of URLs in s by asterisks.
func Secrets(s string) string {
	if !strings.Contains(s, "://") || !strings.Contains(s, "@") {
		return s
	}
	return urlToken.ReplaceAllString(urlPassword.ReplaceAllString(s, "$1:***@"), "$1***@")
}
