package inventory

import (
	"maps"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// checkType describes a health check: a command or URL as a string, or a table that also says where
// to run the check from and which HTTP status to expect.
func checkType() valueType[Check] {
	const (
		hintString = `for example { check = "https://example.com/", from = "operator" }`
		hintTable  = `write a string, or a table such as { check = "https://example.com/", from = "operator", status = 401 }`
	)
	what := stringType(`(`+plain+`|\t)+`, "health check", fixedHint("control characters and line breaks are not allowed"))
	what = withCheck(withCheck(what, notBlank), supportedCheck)
	from := boolType("host", "operator")
	status := intType(100, 599)
	described := func(schema object, description string) object {
		schema = maps.Clone(schema)
		schema["description"] = description
		return schema
	}
	parseTable := func(v *value) (c Check, errs []valueError) {
		for _, e := range v.table.entries {
			var keyErrs []valueError
			switch e.name {
			case "check":
				c.What, keyErrs = what.parse(e.value)
			case "from":
				c.Operator, keyErrs = from.parse(e.value)
			case "status":
				c.Status, keyErrs = status.parse(e.value)
			default:
				hint := DidYouMean(e.name, []string{"check", "from", "status"})
				if hint == "" {
					hint = hintTable
				}
				errs = append(errs, valueError{e.at, "has an unknown key " + quote(e.name), hint})
			}
			for _, err := range keyErrs {
				errs = append(errs, valueError{err.at, e.name + " " + err.message, err.hint})
			}
		}
		if errs != nil {
			return c, errs
		}
		if c.What == "" {
			return c, invalid(v, hintString, `has no key "check"`)
		}
		if c.Status != 0 && !c.Web() {
			at := v.table.get("status").value
			return c, invalid(at, "remove status", "has a status, but %s is not an HTTP URL", quote(c.What))
		}
		return c, nil
	}
	return valueType[Check]{
		schema: object{"anyOf": []any{what.schema, object{
			"type": "object", "additionalProperties": false, "required": []any{"check"},
			"properties": object{
				"check":  described(what.schema, "The command or URL."),
				"from":   described(from.schema, "Where the check runs: on the host, or on the operator's machine."),
				"status": described(status.schema, "HTTP status that the server must return. If it is set, redirects are not followed."),
			},
		}}},
		parse: func(v *value) (Check, []valueError) {
			if v.table != nil {
				return parseTable(v)
			}
			s, errs := what.parse(v)
			return Check{What: s}, errs
		},
	}
}

// supportedCheck checks that a URL has a supported scheme and is complete.
func supportedCheck(s string) (problem, hint string) {
	c := Check{What: s}
	switch {
	case c.Command():
	case c.Web():
		if u, err := url.Parse(s); err != nil || u.Hostname() == "" || strings.ContainsAny(s, " \t") {
			return quote(s) + " is not a valid URL", `for example "https://localhost:8443/health"`
		}
	case c.scheme() == "tcp":
		address := strings.TrimPrefix(s, "tcp://")
		host, port, _ := net.SplitHostPort(address) // an error leaves both empty
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" || strings.ContainsAny(address, " \t/") {
			return quote(s) + " is not tcp://HOST:PORT", `for example "tcp://192.168.1.99:53" or "tcp://[fd00::1]:53"`
		}
	default:
		hint := DidYouMean(c.scheme(), []string{"tcp", "http", "https"})
		if hint == "" {
			hint = "use tcp://HOST:PORT, http://..., https://... or a shell command"
		}
		return "has an unknown scheme " + quote(c.scheme()+"://"), hint
	}
	return "", ""
}
