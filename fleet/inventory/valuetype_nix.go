package inventory

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// nixOptionsBinding describes a table of settings of nix. Those of a host are added to those of
// [defaults].
func nixOptionsBinding() binding {
	text := object{"type": "string", "pattern": ecmaPattern(plainPattern)}
	schema := object{
		"type":          "object",
		"propertyNames": object{"pattern": settingPattern.String()},
		"additionalProperties": object{"anyOf": []any{
			text, object{"type": "integer"}, object{"type": "boolean"}, object{"type": "array", "items": text},
		}},
	}
	return binding{schema, func(to destination, v *value) []valueError {
		if v.table == nil {
			return invalid(v, `write nix_options = { connect-timeout = 5 }`, "must be a table, not %s", v.describe())
		}
		options := slices.Clone(to.host.NixOptions)
		var errs []valueError
		for _, e := range v.table.entries {
			value, itemErrs := nixValue(e.value)
			if itemErrs == nil {
				if err := CheckNixOption(e.name, value); err != nil {
					itemErrs = []valueError{{e.at, err.Message, err.Advice}}
				}
			}
			errs = append(errs, itemErrs...)
			options = slices.DeleteFunc(options, func(o NixOption) bool { return o.Name == e.name })
			options = append(options, NixOption{e.name, value})
		}
		if errs == nil {
			to.host.NixOptions = options
		}
		return errs
	}}
}

// nixValue returns a value as nix.conf has it.
func nixValue(v *value) (string, []valueError) {
	switch v.kind {
	case unstable.String, unstable.Bool:
		return v.text, nil
	case unstable.Integer:
		n, err := strconv.ParseInt(v.text, 0, 64)
		if err != nil {
			return "", invalid(v, "", "has %s, which is out of range", v.text)
		}
		return strconv.FormatInt(n, 10), nil
	case unstable.Array:
		var words []string
		for _, item := range v.items {
			if item.kind != unstable.String {
				return "", invalid(item, "write a list of strings", "has %s in a list", item.describe())
			}
			words = append(words, item.text)
		}
		return strings.Join(words, " "), nil
	}
	return "", invalid(v, `write a string, a number, true, false or a list of strings`, "has %s as a value", v.describe())
}

// buildArgsType describes a list of arguments of nix.
func buildArgsType() valueType[[]string] {
	return valueType[[]string]{
		schema: object{"type": "array", "items": object{"type": "string", "pattern": ecmaPattern(plainPattern)}},
		parse: func(v *value) ([]string, []valueError) {
			if v.kind != unstable.Array {
				hint := ""
				if v.kind == unstable.String {
					var words []string
					for word := range strings.FieldsSeq(v.text) {
						words = append(words, quote(word))
					}
					hint = "write [" + strings.Join(words, ", ") + "]"
				}
				return nil, invalid(v, hint, "must be a list, not %s", v.describe())
			}
			words := make([]string, 0, len(v.items))
			for _, item := range v.items {
				if item.kind != unstable.String {
					return nil, invalid(item, "write "+quote(item.text), "must be strings, not %s", item.describe())
				}
				if !plainPattern.MatchString(item.text) {
					return nil, invalid(item, "control characters and line breaks are not allowed", "%s is not an argument of nix", quote(item.text))
				}
				words = append(words, item.text)
			}
			if _, i, err := ParseBuildArgs(words); err != nil {
				return nil, invalid(v.items[i], err.Advice, "%s", err.Message)
			}
			return words, nil
		},
	}
}
