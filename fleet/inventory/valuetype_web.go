package inventory

import "net/url"

// webURLType describes an HTTP or HTTPS URL.
func webURLType() valueType[string] {
	const hint = `for example "https://ntfy.example.com/fleet"`
	syntax := stringType(`https?://[^ `+hidden+`]+`, "http:// or https:// URL", fixedHint(hint))
	return withCheck(syntax, func(s string) (problem, advice string) {
		if u, err := url.Parse(s); err != nil || u.Hostname() == "" {
			return quote(s) + " is not a valid URL", hint
		}
		return "", ""
	})
}
