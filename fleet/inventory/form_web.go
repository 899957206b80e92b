package inventory

import "net/url"

// webAddress is where something can be posted to.
func webAddress() form[string] {
	example := `as in "https://ntfy.example.com/fleet"`
	written := text(`https?://[^ `+hidden+`]+`, "an http:// or https:// address", always(example))
	return checked(written, func(s string) (problem, hint string) {
		if u, err := url.Parse(s); err != nil || u.Hostname() == "" {
			return quote(s) + " is not an address", example
		}
		return "", ""
	})
}
