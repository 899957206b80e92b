package inventory

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// keyValues lists values of each key: those that are valid, those that both the parser and the
// schema reject, and those that only the parser rejects.
var keyValues = map[string]struct{ valid, invalid, parserOnly []string }{
	"name":             {valid: []string{`"barta"`, `"zu Hause"`}, invalid: []string{`""`, `"a\nb"`, `3`}},
	"remote":           {valid: []string{`"git@github.com:a/b.git"`, `"https://github.com/a/b"`, `"/srv/git"`}, invalid: []string{`"x"`, `"ext::x"`, `"-a:b"`, `""`, `[]`}, parserOnly: []string{`"https://a:b@c/d"`, `"https:///d"`}},
	"branch":           {valid: []string{`"main"`, `"a/b"`}, invalid: []string{`"-a"`, `"a b"`, `""`, `"a~1"`}, parserOnly: []string{`"a..b"`, `"refs/heads/a"`, `"a.lock"`}},
	"kind":             {valid: []string{`"nixos"`, `"darwin"`}, invalid: []string{`"NixOS"`, `"linux"`, `""`, `true`}},
	"address":          {valid: []string{`"10.0.0.1"`, `"fd00::1"`, `"fe80::1%eth0"`, `"web-1.example.com"`}, invalid: []string{`"a b"`, `"a@b"`, `"-a"`, `""`, `"[::1]"`}, parserOnly: []string{`"999.1.1.1"`, `":::"`}},
	"port":             {valid: []string{`1`, `65535`}, invalid: []string{`0`, `65536`, `-1`, `"22"`, `22.5`}},
	"user":             {valid: []string{`"mba"`, `"_x.y-z"`}, invalid: []string{`""`, `"-a"`, `"a b"`, `"a@b"`, `5`}},
	"tags":             {valid: []string{`[]`, `["a", "b-c"]`}, invalid: []string{`["a", "a"]`, `[""]`, `["a b"]`, `[3]`, `"a"`, `["-a"]`}, parserOnly: []string{`["and"]`}},
	"wave":             {valid: []string{`1`, `1000`}, invalid: []string{`0`, `1001`, `"1"`}},
	"color":            {valid: []string{`"#d4c060"`, `"#ABCDEF"`}, invalid: []string{`"#fff"`, `"red"`, `""`, `"#d4c06g"`, `"#d4c060\n"`}},
	"require_signed":   {valid: []string{`false`, "true\nallowed_signers = \"keys\""}, invalid: []string{`"true"`, `1`, `"yes"`}, parserOnly: []string{`true`}},
	"allowed_signers":  {valid: []string{"\"../keys\"\nrequire_signed = true"}, invalid: []string{`""`, `"a\nb"`, `true`}, parserOnly: []string{`"keys"`}},
	"attr":             {valid: []string{`"hsb0"`, `"markus@imac0"`}, invalid: []string{`""`, `"a\"b"`, `"a'b"`, `"a\\b"`, `"${a}"`, `"a b"`, `"a\u0007"`}},
	"repo":             {valid: []string{`"~/x"`, `"/x y"`}, invalid: []string{`"x"`, `"~"`, `"~x/y"`, `""`, `"/a\nb"`}},
	"flake_dir":        {valid: []string{`"."`, `"nix"`, `"nix/hosts"`, `".config/nix"`, `"a..b"`}, invalid: []string{`".."`, `"../x"`, `"a/.."`, `"a/../b"`, `"./a"`, `"/a"`, `"a/"`, `"~/a"`, `"-x"`, `"a b"`, `""`, `3`}},
	"repo_mode":        {valid: []string{`"checkout"`}, invalid: []string{`"clone"`, `""`, `false`}},
	"build":            {valid: []string{`"host"`}, invalid: []string{`"-x"`, `true`, `""`}},
	"builds":           {valid: []string{`1`, `1000`}, invalid: []string{`0`, `"2"`}},
	"offline":          {valid: []string{`"fail"`, `"skip"`}, invalid: []string{`"no"`, `true`}},
	"backup_extension": {valid: []string{`"bak"`, `"hm-old.1"`, `"orig~"`}, invalid: []string{`""`, `".bak"`, `"a/b"`, `"a b"`, `"-x"`, `true`}},
	"on_inhibited":     {valid: []string{`"fail"`, `"boot"`}, invalid: []string{`"reboot"`, `true`}},
	"specialisation":   {valid: []string{`"gaming"`, `"none"`}, invalid: []string{`""`, `"a/b"`, `"../x"`, `"a b"`, `3`}},
	"switch_command":   {valid: []string{`"sudo nixos-rebuild switch --flake .#a"`, "\"\"\"\na\nb\"\"\""}, invalid: []string{`""`, `"a\u001bb"`, `"a\u202eb"`, `[]`}, parserOnly: []string{`"  "`}},
	"health": {
		valid: []string{`[]`, `["true", "tcp://a:1", "https://a/"]`, `[{ check = "https://a/", from = "operator", status = 401 }, { check = "true" }]`},
		invalid: []string{`[""]`, `["a\nb"]`, `"a"`, `["a", "a"]`, `[{}]`, `[{ from = "host" }]`, `[{ check = 1 }]`, `[{ check = "true", from = "here" }]`,
			`[{ check = "http://a", status = 99 }]`, `[{ check = "true", every = "1m" }]`, `{ check = "true" }`},
		parserOnly: []string{`["ftp://a"]`, `["tcp://a"]`, `[{ check = "true", status = 200 }]`, `["a", { check = "a" }]`}},
	"nix_options": {
		valid:      []string{`{}`, `{ substituters = ["https://a", "https://b"], max-jobs = 2, fallback = true, builders = "", cores = "0" }`},
		invalid:    []string{`[]`, `"fallback"`, `{ max_jobs = 2 }`, `{ x = { y = 1 } }`, `{ x = [1] }`, `{ x = 1.5 }`, `{ x = "a\nb" }`, `{ "a b" = 1 }`},
		parserOnly: []string{`{ store = "/x" }`, `{ extra-access-tokens = "github.com=x" }`, `{ experimental-features = "nix-command" }`}},
	"build_args": {
		valid:   []string{`[]`, `["--override-input", "a/b", "path:/x", "--override-input", "c", "github:a/b", "--impure", "--option", "builders", "", "-j", "2"]`},
		invalid: []string{`"--impure"`, `[1]`, `["--impure\n"]`, `{}`},
		parserOnly: []string{`["nixpkgs#hello"]`, `["--out-link", "x"]`, `["--override-input", "a"]`, `["--override-input", "a b", "x"]`,
			`["--override-input", "a", "--impure"]`, `["--option", "store", "/x"]`, `["--no-write-lock-file"]`, `["--nonsense"]`, `["--cores=2"]`, `["--cores 2"]`}},
	"sudo":          {valid: []string{`"auto"`, `"sudo"`, `"doas"`, `"run0"`}, invalid: []string{`"su"`, `""`, `true`}},
	"before_switch": {valid: []string{`[]`, `["true", "a\nb"]`}, invalid: []string{`"true"`, `[1]`, `[""]`, `["a", "a"]`, `["a\u001bb"]`}, parserOnly: []string{`[" "]`}},
	"after_switch":  {valid: []string{`[]`, `["true", "a\nb"]`}, invalid: []string{`"true"`, `[1]`, `[""]`, `["a", "a"]`}, parserOnly: []string{`[" "]`}},
	"max_log":       {valid: []string{`"64KiB"`, `"32MiB"`, `"1GiB"`}, invalid: []string{`32`, `"32"`, `"32MB"`, `"-1MiB"`, `"1.5MiB"`, `""`}, parserOnly: []string{`"63KiB"`, `"2GiB"`, `"99999999999GiB"`}},
	"parallel":      {valid: []string{`1`, `10000`}, invalid: []string{`0`, `10001`, `"4"`}},
	"command":       {valid: []string{`"jq . >/tmp/x"`, "\"\"\"\na\nb\"\"\""}, invalid: []string{`""`, `["a"]`, `"a\u001bb"`}, parserOnly: []string{`"  "`}},
	"url":           {valid: []string{`"https://a.example/b?c=d"`, `"http://[fd00::1]:80"`}, invalid: []string{`"a.example"`, `"ftp://a"`, `""`, `"https://a b"`}, parserOnly: []string{`"https:///x"`}},
	"on":            {valid: []string{`"always"`, `"failure"`}, invalid: []string{`"never"`, `true`}},
	"timeout":       {valid: []string{`"15s"`}, invalid: []string{`15`, `"15"`}, parserOnly: []string{`"0s"`}},
	"reconnect":     {valid: []string{`"15s"`, `"1h30m"`, `"1.5h"`, `"1s"`, `"168h"`}, invalid: []string{`90`, `"90"`, `"-1s"`, `""`, `"1 h"`, `"1d"`}, parserOnly: []string{`"0s"`, `"999ms"`, `"168h0m1s"`}},
	"connect":       {valid: []string{`"auto"`, `"ssh"`, `"local"`}, invalid: []string{`"never"`, `""`, `true`, `["ssh"]`}},
	"addresses":     {valid: []string{`["10.0.0.1"]`, `["web.lan", "fd00::1"]`}, invalid: []string{`"10.0.0.1"`, `["10.0.0.1", "10.0.0.1"]`, `["a b"]`, `[1]`}, parserOnly: []string{`[]`, `["10.0.0.999"]`}},
}

func TestSchemaAndParserAgreeOnEveryKey(t *testing.T) {
	schema := decodedSchema(t)
	for _, place := range []struct {
		in    tableSet
		table string
	}{{inFleet, "[fleet]"}, {inDefaults, "[defaults]"}, {inHost, "[hosts.a]"}, {inNotify, "[notify]"}} {
		for _, k := range allKeys() {
			switch {
			case k.tables&place.in == 0:
				checkValues(t, schema, place.table+"\n"+k.name+" = %s", nil, []string{"1", `"x"`, "[]"}, nil)
			case k.subkeys == nil:
				values := keyValues[k.name]
				checkValues(t, schema, place.table+"\n"+k.name+" = %s", values.valid, values.invalid, values.parserOnly)
			default:
				checkValues(t, schema, place.table+"\n"+k.name+" = %s", []string{"{}"}, []string{`"1m"`, `{ x = "1m" }`, "[]"}, nil)
				for _, sub := range k.subkeys {
					values := keyValues["reconnect"]
					checkValues(t, schema, place.table+"\n"+k.name+"."+sub.name+" = %s", values.valid, values.invalid, values.parserOnly)
				}
			}
		}
	}
	for _, file := range []string{"", "x = 1", "[x]", "hosts = 1", "[hosts]", "hosts.a = 1", `[hosts."a b"]`, "fleet = 1\n[hosts.a]", "[[hosts]]"} {
		checkAgreement(t, schema, file, false, false)
	}
}

// checkValues checks files with each of the values; text is a format for the key.
func checkValues(t *testing.T, schema object, text string, valid, invalid, parserOnly []string) {
	t.Helper()
	if valid == nil && invalid == nil {
		t.Errorf("%q has no values to test", text)
	}
	for _, v := range valid {
		checkAgreement(t, schema, fmt.Sprintf(text, v)+requiredKeys(text), true, true)
	}
	for _, v := range invalid {
		checkAgreement(t, schema, fmt.Sprintf(text, v)+requiredKeys(text), false, false)
	}
	for _, v := range parserOnly {
		checkAgreement(t, schema, fmt.Sprintf(text, v)+requiredKeys(text), false, true)
	}
}

// requiredKeys returns what is missing from text to define a complete host.
func requiredKeys(text string) string {
	host := ""
	for _, line := range []string{"kind = \"nixos\"", "repo = \"/x\""} {
		if !strings.Contains(text, "[hosts.a]\n"+line[:6]) {
			host += "\n" + line
		}
	}
	if strings.HasPrefix(text, "[hosts.a]") {
		return host
	}
	return "\n[hosts.a]" + host
}

func checkAgreement(t *testing.T, schema object, text string, parserAccepts, schemaAccepts bool) {
	t.Helper()
	_, findings := Parse("hosts.toml", []byte(text))
	if (findings == nil) != parserAccepts {
		t.Errorf("parser, %v:\n%s\n%v", findings == nil, text, Findings(findings))
	}
	var value map[string]any
	if err := toml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	if problem := schemaViolation(schema, value); (problem == "") != schemaAccepts {
		t.Errorf("schema, %q:\n%s", problem, text)
	}
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	var walk func(path string, schema object)
	walk = func(path string, schema object) {
		if path != "" && schema["description"] == nil {
			t.Errorf("%s has no description", path)
		}
		if properties, is := schema["properties"].(object); is {
			for name, property := range properties {
				walk(path+"/"+name, property.(object))
			}
		}
	}
	walk("", decodedSchema(t))
}

func TestSchemaHasDefaults(t *testing.T) {
	properties := decodedSchema(t)["properties"].(object)["defaults"].(object)["properties"].(object)
	for key, want := range map[string]any{"wave": 1.0, "offline": "fail", "parallel": 16.0, "port": nil, "repo": nil} {
		got, ok := properties[key].(object)["default"]
		if got != want || ok != (want != nil) {
			t.Errorf("%s: got %v, want %v", key, got, want)
		}
	}
}

func TestSchemaDefaultsMatchParser(t *testing.T) {
	inv, _ := Parse("hosts.toml", []byte("[hosts.a]"+commonDefaults))
	text := "[hosts.a]" + commonDefaults + "parallel = " + fmt.Sprint(defaultOf(t, "parallel"))
	for _, k := range allKeys() {
		if k.tables&inHost != 0 && k.defaultValue != nil {
			text += fmt.Sprintf("\n%s = %#v", k.name, k.defaultValue)
		}
	}
	for _, k := range timeoutKeys() {
		text += fmt.Sprintf("\ntimeouts.%s = %#v", k.name, k.defaultValue)
	}
	text += fmt.Sprintf("\n[fleet]\nname = %#v\nbranch = %#v\n", defaultOf(t, "name"), defaultOf(t, "branch"))
	spelled, findings := Parse("hosts.toml", []byte(text))
	if h := spelled.Host("a"); h != nil && h.Timeouts.ConnectSet {
		h.Timeouts.ConnectSet = false // the one difference
	} else {
		t.Error("ConnectSet is not set")
	}
	if findings != nil || !reflect.DeepEqual(inv, spelled) {
		t.Errorf("without: %+v\nspelled out: %+v\n%v", inv.Hosts[0], spelled.Hosts[0], Findings(findings))
	}
}

func defaultOf(t *testing.T, name string) any {
	t.Helper()
	i := slices.IndexFunc(allKeys(), func(k key) bool { return k.name == name })
	return allKeys()[i].defaultValue
}

func decodedSchema(t *testing.T) object {
	t.Helper()
	var schema object
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

// schemaViolation validates a value and returns the first problem, or "". It implements the part of
// JSON Schema that Schema uses, and returns a problem for any other keyword.
func schemaViolation(schema object, v any) string {
	for keyword, arg := range schema {
		ok := true
		switch keyword {
		case "$schema", "title", "description", "default":
		case "type":
			ok = hasType(arg.(string), v)
		case "enum":
			ok = slices.Contains(arg.([]any), v)
		case "pattern":
			s, is := v.(string)
			ok = !is || regexp.MustCompile(fromECMA(arg.(string))).MatchString(s)
		case "minimum":
			n, is := asFloat(v)
			ok = !is || n >= arg.(float64)
		case "maximum":
			n, is := asFloat(v)
			ok = !is || n <= arg.(float64)
		case "uniqueItems":
			list, _ := v.([]any)
			for i := range list {
				ok = ok && !slices.ContainsFunc(list[:i], func(other any) bool { return reflect.DeepEqual(other, list[i]) })
			}
		case "items":
			list, _ := v.([]any)
			for _, item := range list {
				if problem := schemaViolation(arg.(object), item); problem != "" {
					return problem
				}
			}
		case "required":
			table, _ := v.(object)
			for _, name := range arg.([]any) {
				ok = ok && table[name.(string)] != nil
			}
		case "minProperties":
			table, is := v.(object)
			ok = !is || float64(len(table)) >= arg.(float64)
		case "anyOf":
			ok = slices.ContainsFunc(arg.([]any), func(schema any) bool { return schemaViolation(schema.(object), v) == "" })
		case "properties", "additionalProperties", "propertyNames":
			if problem := tableViolation(schema, v); problem != "" {
				return problem
			}
		default:
			return "unknown keyword " + keyword
		}
		if !ok {
			return fmt.Sprintf("%s %v does not allow %v", keyword, arg, v)
		}
	}
	return ""
}

func tableViolation(schema object, v any) string {
	table, _ := v.(object)
	properties, _ := schema["properties"].(object)
	for name, value := range table {
		if names, is := schema["propertyNames"].(object); is {
			if problem := schemaViolation(names, name); problem != "" {
				return problem
			}
		}
		property, known := properties[name].(object)
		if !known {
			property, known = schema["additionalProperties"].(object)
		}
		if !known {
			return "unknown property " + name
		}
		if problem := schemaViolation(property, value); problem != "" {
			return name + ": " + problem
		}
	}
	return ""
}

func hasType(name string, v any) bool {
	switch v := v.(type) {
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case int64:
		return name == "integer"
	case float64:
		return name == "integer" && v == math.Trunc(v)
	case []any:
		return name == "array"
	case object:
		return name == "object"
	}
	return false
}

func asFloat(v any) (float64, bool) {
	n, is := v.(int64)
	return float64(n), is
}

// fromECMA converts a pattern to the syntax of Go.
func fromECMA(pattern string) string {
	return regexp.MustCompile(`\\u([0-9a-f]{4})`).ReplaceAllStringFunc(pattern, func(s string) string {
		n, _ := strconv.ParseUint(s[2:], 16, 16)
		return fmt.Sprintf(`\x{%x}`, n)
	})
}
