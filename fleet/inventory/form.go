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

// A form is what a key's value looks like, said twice over: to the parser, and as JSON Schema.
// The schema takes all that the parser takes, and little more: what a pattern cannot say, only the parser knows.
type form[T any] struct {
	schema map[string]any
	read   func(*value) (T, []fault)
}

// fault is what is wrong with one value.
type fault struct {
	at            int
	message, hint string
}

func wrong(v *value, hint, format string, args ...any) []fault {
	return []fault{{v.at, fmt.Sprintf(format, args...), hint}}
}

// text is a string that a pattern describes in full; what says what such a string is.
func text(pattern, what string, mend func(string) string) form[string] {
	whole := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return form[string]{
		schema: map[string]any{"type": "string", "pattern": ecma(whole)},
		read: func(v *value) (string, []fault) {
			switch {
			case v.kind == unstable.Integer && whole.MatchString(v.text):
				return "", wrong(v, "write "+quote(v.text), "must be a string, not %s", v.describe())
			case v.kind == unstable.Integer:
				return "", wrong(v, mend(v.text), "must be a string, not %s", v.describe())
			case v.kind != unstable.String:
				return "", wrong(v, "", "must be a string, not %s", v.describe())
			case v.text == "":
				return "", wrong(v, "leave it out, or say what it is", "is empty")
			case !whole.MatchString(v.text), !utf8.ValidString(v.text):
				return "", wrong(v, mend(v.text), "%s is not %s", quote(v.text), what)
			}
			return v.text, nil
		},
	}
}

// ecma writes a pattern as JSON Schema has it, which differs in how it names a character beyond 0xff.
func ecma(r *regexp.Regexp) string {
	return regexp.MustCompile(`\\x\{([0-9a-f]{4})\}`).ReplaceAllString(r.String(), `\u$1`)
}

// always is the hint that helps whatever was written.
func always(hint string) func(string) string { return func(string) string { return hint } }

// checked adds to a form what its pattern cannot say: a problem with the value, or "".
func checked[T any](f form[T], check func(T) (problem, hint string)) form[T] {
	return form[T]{f.schema, func(v *value) (T, []fault) {
		x, faults := f.read(v)
		if faults == nil {
			if problem, hint := check(x); problem != "" {
				return x, wrong(v, hint, "%s", problem)
			}
		}
		return x, faults
	}}
}

// into turns what a form reads into what a field holds.
func into[A, B any](f form[A], turn func(A) B) form[B] {
	return form[B]{f.schema, func(v *value) (b B, faults []fault) {
		a, faults := f.read(v)
		if faults == nil {
			b = turn(a)
		}
		return b, faults
	}}
}

// choice is one of a few words.
func choice(words ...string) form[string] {
	return form[string]{
		schema: map[string]any{"enum": words},
		read: func(v *value) (string, []fault) {
			for _, w := range words {
				if v.kind == unstable.String && v.text == w {
					return w, nil
				}
			}
			hint := ""
			if v.kind == unstable.String {
				hint = DidYouMean(v.text, words)
			}
			return "", wrong(v, hint, "must be %s, not %s", oneOf(words), v.describe())
		},
	}
}

// number is an integer within bounds.
func number(low, high int) form[int] {
	return form[int]{
		schema: map[string]any{"type": "integer", "minimum": low, "maximum": high},
		read: func(v *value) (int, []fault) {
			if v.kind != unstable.Integer {
				hint := ""
				if _, err := strconv.Atoi(v.text); err == nil && v.kind == unstable.String {
					hint = "write " + v.text + " without quotes"
				}
				return 0, wrong(v, hint, "must be a whole number, not %s", v.describe())
			}
			n, err := strconv.ParseInt(v.text, 0, 64)
			if err != nil || n < int64(low) || n > int64(high) {
				return 0, wrong(v, "", "must be from %d to %d, not %s", low, high, v.text)
			}
			return int(n), nil
		},
	}
}

// list is any number of values of a form, no two alike.
func list[T comparable](item form[T]) form[[]T] {
	return form[[]T]{
		schema: map[string]any{"type": "array", "items": item.schema, "uniqueItems": true},
		read: func(v *value) ([]T, []fault) {
			if v.kind != unstable.Array {
				hint := ""
				if v.kind == unstable.String {
					hint = "write [" + quote(v.text) + "]"
				}
				return nil, wrong(v, hint, "must be a list, not %s", v.describe())
			}
			out := make([]T, 0, len(v.items))
			seen := make(map[T]bool)
			var faults []fault
			for _, i := range v.items {
				x, bad := item.read(i)
				faults = append(faults, bad...)
				if bad == nil && seen[x] {
					faults = append(faults, wrong(i, "one of them can go", "has %s twice", i.short())...)
				}
				seen[x] = true
				out = append(out, x)
			}
			return out, faults
		},
	}
}

// duration is a length of time with its unit.
func duration() form[time.Duration] {
	const longest = 7 * 24 * time.Hour
	written := text(`([0-9]+(\.[0-9]+)?(ms|s|m|h))+`, "a length of time", func(s string) string {
		if _, err := strconv.Atoi(s); err == nil {
			return fmt.Sprintf("seconds are %q, minutes %q, hours %q", s+"s", s+"m", s+"h")
		}
		return `as in "90s", "15m" or "1h30m"`
	})
	parsed := into(written, func(s string) time.Duration {
		d, err := time.ParseDuration(s)
		if err != nil {
			return -1 // too many digits
		}
		return d
	})
	return checked(parsed, func(d time.Duration) (string, string) {
		if d < time.Second || d > longest {
			return "must be from 1s to 168h", ""
		}
		return "", ""
	})
}

// address is a host name or an IP address, and no more than that.
func address() form[string] {
	const named, ipv6 = `[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?`, `[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?`
	written := text(named+`|`+ipv6, "a host name or an IP address", addressMend)
	digits := regexp.MustCompile(`^[0-9.]+$`)
	return checked(written, func(s string) (problem, hint string) {
		if strings.Contains(s, "..") {
			return quote(s) + " is not a host name", "there are two dots in a row"
		}
		if strings.Contains(s, ":") || digits.MatchString(s) {
			if _, err := netip.ParseAddr(s); err != nil {
				return quote(s) + " is not an IP address", addressMend(s)
			}
		}
		if len(s) > 253 {
			return "is longer than a host name can be", ""
		}
		return "", ""
	})
}

// addressMend takes an address apart that has more in it than an address.
func addressMend(s string) string {
	parts := regexp.MustCompile(`^(?:[a-z]+://)?(?:([^@/]+)@)?(\[[0-9A-Fa-f:.]+\]|[^:/@\[\]]+)(?::([0-9]+))?/?$`).FindStringSubmatch(s)
	if parts == nil {
		return "leave it out to let ~/.ssh/config decide"
	}
	name := strings.Trim(parts[2], "[]")
	if name == s {
		return "leave it out to let ~/.ssh/config decide"
	}
	hint := "write address = " + quote(name)
	if parts[3] != "" {
		hint += ", port = " + parts[3]
	}
	if parts[1] != "" {
		hint += ", user = " + quote(parts[1])
	}
	return hint
}
