package inventory

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// A valueType describes the valid values of a key twice: as a parse function and as JSON Schema.
// The schema accepts everything that parse accepts. It accepts slightly more, since a pattern
// cannot express every rule.
type valueType[T any] struct {
	schema object
	parse  func(*value) (T, []valueError)
}

// valueError is a problem with one value. The message is a predicate, without the key: `must be a
// list, not true`.
type valueError struct {
	at            int
	message, hint string
}

func invalid(v *value, hint, format string, args ...any) []valueError {
	return []valueError{{v.at, fmt.Sprintf(format, args...), hint}}
}

// stringType describes a string that matches a pattern. The noun names such a string in messages,
// hint helps with one that does not match.
func stringType(pattern, noun string, hint func(string) string) valueType[string] {
	anchored := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return valueType[string]{
		schema: object{"type": "string", "pattern": ecmaPattern(anchored)},
		parse: func(v *value) (string, []valueError) {
			if v.kind != unstable.String {
				fix := ""
				if v.kind == unstable.Integer {
					fix = hint(v.text)
					if anchored.MatchString(v.text) {
						fix = "write " + quote(v.text)
					}
				}
				return "", invalid(v, fix, "must be a string, not %s", v.describe())
			}
			if v.text == "" {
				return "", invalid(v, hintBlank, "must not be empty")
			}
			if !anchored.MatchString(v.text) || !utf8.ValidString(v.text) {
				return "", invalid(v, hint(v.text), "%s is not a valid %s", quote(v.text), noun)
			}
			return v.text, nil
		},
	}
}

const hintBlank = "remove it, or give it a value"

// ecmaPattern converts a pattern to the syntax of JSON Schema, which spells characters beyond 0xff
// differently.
func ecmaPattern(r *regexp.Regexp) string {
	return regexp.MustCompile(`\\x\{([0-9a-f]{4})\}`).ReplaceAllString(r.String(), `\u$1`)
}

// fixedHint returns a hint function that ignores the value.
func fixedHint(hint string) func(string) string { return func(string) string { return hint } }

// withCheck adds a check that a schema cannot express. It returns "" as the problem of a valid
// value.
func withCheck[T any](t valueType[T], check func(T) (problem, hint string)) valueType[T] {
	return valueType[T]{t.schema, func(v *value) (T, []valueError) {
		x, errs := t.parse(v)
		if errs == nil {
			if problem, hint := check(x); problem != "" {
				return x, invalid(v, hint, "%s", problem)
			}
		}
		return x, errs
	}}
}

// convert changes the Go type of a value type.
func convert[A, B any](t valueType[A], conversion func(A) B) valueType[B] {
	return valueType[B]{t.schema, func(v *value) (b B, errs []valueError) {
		a, errs := t.parse(v)
		if errs == nil {
			b = conversion(a)
		}
		return b, errs
	}}
}

// enumType describes one of a few words.
func enumType(words ...string) valueType[string] {
	return valueType[string]{
		schema: object{"enum": words},
		parse: func(v *value) (string, []valueError) {
			hint := ""
			if v.kind == unstable.String {
				for _, w := range words {
					if v.text == w {
						return w, nil
					}
				}
				hint = DidYouMean(v.text, words)
			}
			return "", invalid(v, hint, "must be %s, not %s", oneOf(words), v.describe())
		},
	}
}

// boolType describes one of two words; the second one means true.
func boolType(no, yes string) valueType[bool] {
	return convert(enumType(no, yes), func(s string) bool { return s == yes })
}

// flagType describes true or false.
func flagType() valueType[bool] {
	return valueType[bool]{
		schema: object{"type": "boolean"},
		parse: func(v *value) (bool, []valueError) {
			if v.kind != unstable.Bool {
				fix := ""
				if v.text == "true" || v.text == "false" {
					fix = "write " + v.text + " without quotes"
				}
				return false, invalid(v, fix, "must be true or false, not %s", v.describe())
			}
			return v.text == "true", nil
		},
	}
}

// intType describes an integer within bounds.
func intType(low, high int) valueType[int] {
	return valueType[int]{
		schema: object{"type": "integer", "minimum": low, "maximum": high},
		parse: func(v *value) (int, []valueError) {
			if v.kind != unstable.Integer {
				hint := ""
				if _, err := strconv.Atoi(v.text); err == nil {
					hint = "write " + v.text + " without quotes"
				}
				return 0, invalid(v, hint, "must be a whole number, not %s", v.describe())
			}
			n, err := strconv.ParseInt(v.text, 0, 64)
			if err != nil || n < int64(low) || n > int64(high) {
				return 0, invalid(v, "", "must be from %d to %d, not %s", low, high, v.text)
			}
			return int(n), nil
		},
	}
}

// listType describes a list of distinct values.
func listType[T comparable](item valueType[T]) valueType[[]T] {
	return valueType[[]T]{
		schema: object{"type": "array", "items": item.schema, "uniqueItems": true},
		parse: func(v *value) ([]T, []valueError) {
			if v.kind != unstable.Array {
				hint := ""
				if v.kind == unstable.String {
					hint = "write [" + quote(v.text) + "]"
				}
				return nil, invalid(v, hint, "must be a list, not %s", v.describe())
			}
			out := make([]T, 0, len(v.items))
			seen := make(map[T]bool)
			var errs []valueError
			for _, i := range v.items {
				x, itemErrs := item.parse(i)
				errs = append(errs, itemErrs...)
				if itemErrs == nil && seen[x] {
					errs = append(errs, invalid(i, "remove one of them", "contains %s twice", i.short())...)
				}
				seen[x] = true
				out = append(out, x)
			}
			return out, errs
		},
	}
}

// durationType describes a duration with units, from a second to a week.
func durationType() valueType[time.Duration] {
	syntax := stringType(`([0-9]+(\.[0-9]+)?(ms|s|m|h))+`, "duration", func(s string) string {
		if _, err := strconv.Atoi(s); err == nil {
			return fmt.Sprintf("add a unit: %q, %q or %q", s+"s", s+"m", s+"h")
		}
		return `for example "90s", "15m" or "1h30m"`
	})
	inRange := withCheck(syntax, func(s string) (problem, hint string) {
		d, err := time.ParseDuration(s) // the only possible error is an overflow
		if err != nil || d < time.Second || d > 7*24*time.Hour {
			return "must be from 1s to 168h, not " + quote(s), ""
		}
		return "", ""
	})
	return convert(inRange, func(s string) time.Duration {
		d, _ := time.ParseDuration(s) // checked above
		return d
	})
}

// FormatSize formats a number of bytes as hosts.toml spells it: 32MiB.
func FormatSize(n int64) string {
	switch {
	case n%(1<<20) == 0:
		return fmt.Sprintf("%dMiB", n>>20)
	case n%(1<<10) == 0:
		return fmt.Sprintf("%dKiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// sizeType describes a number of bytes with a unit, from 64 KiB to 1 GiB.
func sizeType() valueType[int64] {
	const least, most = 64 << 10, 1 << 30
	parse := func(s string) int64 {
		digits := strings.TrimRight(s, "KMGiB")
		n, err := strconv.ParseInt(digits, 10, 32) // the only possible error is an overflow
		if err != nil {
			return most + 1
		}
		return n << map[string]int{"KiB": 10, "MiB": 20, "GiB": 30}[s[len(digits):]]
	}
	syntax := stringType(`[0-9]+[KMG]iB`, "size", func(s string) string {
		if _, err := strconv.Atoi(s); err == nil {
			return fmt.Sprintf("add a unit: %q or %q", s+"KiB", s+"MiB")
		}
		return `for example "512KiB" or "32MiB"`
	})
	inRange := withCheck(syntax, func(s string) (problem, hint string) {
		if n := parse(s); n < least || n > most {
			return "must be from 64KiB to 1GiB, not " + quote(s), ""
		}
		return "", ""
	})
	return convert(inRange, parse)
}

// addressType describes a host name or an IP address, without a user, a port or a scheme.
func addressType() valueType[string] {
	const (
		name = `[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?`
		ipv6 = `[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?`
	)
	syntax := stringType(name+`|`+ipv6, "host name or IP address", addressHint)
	digits := regexp.MustCompile(`^[0-9.]+$`)
	return withCheck(syntax, func(s string) (problem, hint string) {
		if strings.Contains(s, "..") {
			return quote(s) + " is not a valid host name", "it has two dots in a row"
		}
		if strings.Contains(s, ":") || digits.MatchString(s) {
			if _, err := netip.ParseAddr(s); err != nil {
				return quote(s) + " is not a valid IP address", addressHint(s)
			}
		}
		if len(s) > 253 {
			return "must not be longer than 253 characters", ""
		}
		return "", ""
	})
}

// addressesType describes one or more addresses of one host.
func addressesType() valueType[[]string] {
	return withCheck(listType(addressType()), func(addresses []string) (problem, hint string) {
		if len(addresses) == 0 {
			return "must not be empty", "remove it to use the address from ~/.ssh/config"
		}
		return "", ""
	})
}

// addressHint splits a value such as ssh://USER@HOST:PORT into the keys that it belongs in.
func addressHint(s string) string {
	parts := regexp.MustCompile(`^(?:[a-z]+://)?(?:([^@/]+)@)?(\[[0-9A-Fa-f:.]+\]|[^:/@\[\]]+)(?::([0-9]+))?/?$`).FindStringSubmatch(s)
	if parts == nil || parts[2] == s && !strings.HasPrefix(s, "[") {
		return "remove it to use the address from ~/.ssh/config"
	}
	hint := "write address = " + quote(strings.Trim(parts[2], "[]"))
	if parts[3] != "" {
		hint += ", port = " + parts[3]
	}
	if parts[1] != "" {
		hint += ", user = " + quote(parts[1])
	}
	return hint
}
