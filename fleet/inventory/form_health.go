package inventory

import (
	"maps"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// healthCheck is what is to be checked, or a table that says from where, too, and what the answer must be.
func healthCheck() form[Check] {
	what := checked(text(`(`+plain+`|\t)+`, "a health check", always("control characters and line breaks cannot be in it")), notBlank)
	what = checked(what, checkable)
	from := into(choice("host", "operator"), func(s string) bool { return s == "operator" })
	status := number(100, 599)
	about := func(schema object, about string) object {
		schema = maps.Clone(schema)
		schema["description"] = about
		return schema
	}
	return form[Check]{
		schema: object{"anyOf": []any{what.schema, object{
			"type": "object", "additionalProperties": false, "required": []any{"check"},
			"properties": object{
				"check":  about(what.schema, "The command or URL."),
				"from":   about(from.schema, "Where it is tried: on the host, or on the operator's machine."),
				"status": about(status.schema, "What a web server must answer. Redirections are not followed then."),
			},
		}}},
		read: func(v *value) (Check, []fault) {
			if v.table == nil {
				s, faults := what.read(v)
				return Check{What: s}, faults
			}
			var c Check
			var faults []fault
			for _, e := range v.table.entries {
				var bad []fault
				switch e.name {
				case "check":
					c.What, bad = what.read(e.value)
				case "from":
					c.Operator, bad = from.read(e.value)
				case "status":
					c.Status, bad = status.read(e.value)
				default:
					hint := DidYouMean(e.name, []string{"check", "from", "status"})
					if hint == "" {
						hint = `a check is a string, or as in { check = "https://example.com/", from = "operator", status = 401 }`
					}
					faults = append(faults, fault{e.at, "has no key " + quote(e.name), hint})
				}
				for _, f := range bad {
					faults = append(faults, fault{f.at, e.name + " " + f.message, f.hint})
				}
			}
			switch {
			case faults != nil:
			case c.What == "":
				faults = wrong(v, `as in { check = "https://example.com/", from = "operator" }`, "does not say what to check")
			case c.Status != 0 && !c.Web():
				faults = []fault{{v.table.get("status").value.at, "has a status, and " + quote(c.What) + " is no web address", "leave it out"}}
			}
			return c, faults
		},
	}
}

// checkable finds what is wrong with a check that is a URL.
func checkable(s string) (problem, hint string) {
	c := Check{What: s}
	switch {
	case c.Command():
	case c.Web():
		if u, err := url.Parse(s); err != nil || u.Hostname() == "" || strings.ContainsAny(s, " \t") {
			return quote(s) + " is not a URL", `as in "https://localhost:8443/health"`
		}
	case c.scheme() == "tcp":
		rest := strings.TrimPrefix(s, "tcp://")
		host, port, err := net.SplitHostPort(rest)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" || strings.ContainsAny(rest, " \t/") {
			return quote(s) + " is not tcp://HOST:PORT", `as in "tcp://192.168.1.99:53" or "tcp://[fd00::1]:53"`
		}
	default:
		hint := DidYouMean(c.scheme(), []string{"tcp", "http", "https"})
		if hint == "" {
			hint = "there are tcp://HOST:PORT, http://... and https://...; anything else can be a command"
		}
		return quote(c.scheme()+"://") + " is no way to check health", hint
	}
	return "", ""
}
