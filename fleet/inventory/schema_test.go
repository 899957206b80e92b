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

// The values that each key is tried with: what both the parser and the schema take, what both refuse, and what only the
// parser knows to be wrong.
var trials = map[string]struct{ good, bad, subtle []string }{
	"name":           {good: []string{`"barta"`, `"zu Hause"`}, bad: []string{`""`, `"a\nb"`, `3`}},
	"remote":         {good: []string{`"git@github.com:a/b.git"`, `"https://github.com/a/b"`, `"/srv/git"`}, bad: []string{`"x"`, `"ext::x"`, `"-a:b"`, `""`, `[]`}, subtle: []string{`"https://a:b@c/d"`, `"https:///d"`}},
	"branch":         {good: []string{`"main"`, `"a/b"`}, bad: []string{`"-a"`, `"a b"`, `""`, `"a~1"`}, subtle: []string{`"a..b"`, `"refs/heads/a"`, `"a.lock"`}},
	"kind":           {good: []string{`"nixos"`, `"darwin"`}, bad: []string{`"NixOS"`, `"linux"`, `""`, `true`}},
	"address":        {good: []string{`"10.0.0.1"`, `"fd00::1"`, `"fe80::1%eth0"`, `"web-1.example.com"`}, bad: []string{`"a b"`, `"a@b"`, `"-a"`, `""`, `"[::1]"`}, subtle: []string{`"999.1.1.1"`, `":::"`}},
	"port":           {good: []string{`1`, `65535`}, bad: []string{`0`, `65536`, `-1`, `"22"`, `22.5`}},
	"user":           {good: []string{`"mba"`, `"_x.y-z"`}, bad: []string{`""`, `"-a"`, `"a b"`, `"a@b"`, `5`}},
	"tags":           {good: []string{`[]`, `["a", "b-c"]`}, bad: []string{`["a", "a"]`, `[""]`, `["a b"]`, `[3]`, `"a"`, `["-a"]`}, subtle: []string{`["and"]`}},
	"wave":           {good: []string{`1`, `1000`}, bad: []string{`0`, `1001`, `"1"`}},
	"color":          {good: []string{`"#d4c060"`, `"#ABCDEF"`}, bad: []string{`"#fff"`, `"red"`, `""`, `"#d4c06g"`, `"#d4c060\n"`}},
	"attr":           {good: []string{`"hsb0"`, `"markus@imac0"`}, bad: []string{`""`, `"a\"b"`, `"a'b"`, `"a\\b"`, `"${a}"`, `"a b"`, `"a\u0007"`}},
	"repo":           {good: []string{`"~/x"`, `"/x y"`}, bad: []string{`"x"`, `"~"`, `"~x/y"`, `""`, `"/a\nb"`}},
	"repo_mode":      {good: []string{`"checkout"`}, bad: []string{`"clone"`, `""`, `false`}},
	"offline":        {good: []string{`"fail"`, `"skip"`}, bad: []string{`"no"`, `true`}},
	"switch_command": {good: []string{`"sudo nixos-rebuild switch --flake .#a"`, "\"\"\"\na\nb\"\"\""}, bad: []string{`""`, `"a\u001bb"`, `"a\u202eb"`, `[]`}, subtle: []string{`"  "`}},
	"health": {
		good: []string{`[]`, `["true", "tcp://a:1", "https://a/"]`, `[{ check = "https://a/", from = "operator", status = 401 }, { check = "true" }]`},
		bad: []string{`[""]`, `["a\nb"]`, `"a"`, `["a", "a"]`, `[{}]`, `[{ from = "host" }]`, `[{ check = 1 }]`, `[{ check = "true", from = "here" }]`,
			`[{ check = "http://a", status = 99 }]`, `[{ check = "true", every = "1m" }]`, `{ check = "true" }`},
		subtle: []string{`["ftp://a"]`, `["tcp://a"]`, `[{ check = "true", status = 200 }]`, `["a", { check = "a" }]`}},
	"parallel": {good: []string{`1`, `10000`}, bad: []string{`0`, `10001`, `"4"`}},
	"command":  {good: []string{`"jq . >/tmp/x"`, "\"\"\"\na\nb\"\"\""}, bad: []string{`""`, `["a"]`, `"a\u001bb"`}, subtle: []string{`"  "`}},
	"url":      {good: []string{`"https://a.example/b?c=d"`, `"http://[fd00::1]:80"`}, bad: []string{`"a.example"`, `"ftp://a"`, `""`, `"https://a b"`}, subtle: []string{`"https:///x"`}},
	"on":       {good: []string{`"always"`, `"failure"`}, bad: []string{`"never"`, `true`}},
	"timeout":  {good: []string{`"15s"`}, bad: []string{`15`, `"15"`}, subtle: []string{`"0s"`}},
	"connect":  {good: []string{`"15s"`, `"1h30m"`, `"1.5h"`, `"168h"`}, bad: []string{`90`, `"90"`, `"-1s"`, `""`, `"1 h"`, `"1d"`}, subtle: []string{`"0s"`, `"169h"`}},
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
				tryValues(t, schema, place.table+"\n"+k.name+" = %s", nil, []string{"1", `"x"`, "[]"}, nil)
			case k.subkeys == nil:
				try := trials[k.name]
				tryValues(t, schema, place.table+"\n"+k.name+" = %s", try.good, try.bad, try.subtle)
			default:
				tryValues(t, schema, place.table+"\n"+k.name+" = %s", []string{"{}"}, []string{`"1m"`, `{ x = "1m" }`, "[]"}, nil)
				for _, sub := range k.subkeys {
					try := trials["connect"]
					tryValues(t, schema, place.table+"\n"+k.name+"."+sub.name+" = %s", try.good, try.bad, try.subtle)
				}
			}
		}
	}
	for _, file := range []string{"", "x = 1", "[x]", "hosts = 1", "[hosts]", "hosts.a = 1", `[hosts."a b"]`, "fleet = 1\n[hosts.a]", "[[hosts]]"} {
		agree(t, schema, file, false, false)
	}
}

// tryValues puts values into a file, in a key's place.
func tryValues(t *testing.T, schema object, text string, good, bad, subtle []string) {
	t.Helper()
	if good == nil && bad == nil {
		t.Errorf("%q has no values to try it with", text)
	}
	for _, v := range good {
		agree(t, schema, fmt.Sprintf(text, v)+rest(text), true, true)
	}
	for _, v := range bad {
		agree(t, schema, fmt.Sprintf(text, v)+rest(text), false, false)
	}
	for _, v := range subtle {
		agree(t, schema, fmt.Sprintf(text, v)+rest(text), false, true)
	}
}

// rest makes a whole file of a text: a host that lacks nothing.
func rest(text string) string {
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

func agree(t *testing.T, schema object, text string, parserTakes, schemaTakes bool) {
	t.Helper()
	_, findings := Parse("hosts.toml", []byte(text))
	if (findings == nil) != parserTakes {
		t.Errorf("parser, %v:\n%s\n%v", findings == nil, text, Findings(findings))
	}
	var value map[string]any
	if err := toml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	if problem := violates(schema, value); (problem == "") != schemaTakes {
		t.Errorf("schema, %q:\n%s", problem, text)
	}
}

func TestEveryKeyIsDescribedInTheSchema(t *testing.T) {
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

func TestTheSchemasDefaultsAreTheParsers(t *testing.T) {
	inv, _ := Parse("hosts.toml", []byte("[hosts.a]"+enough))
	text := "[hosts.a]" + enough + "parallel = " + fmt.Sprint(standard(t, "parallel"))
	for _, k := range allKeys() {
		if k.tables&inHost != 0 && k.defaultValue != nil {
			text += fmt.Sprintf("\n%s = %#v", k.name, k.defaultValue)
		}
	}
	for _, k := range timeoutKeys() {
		text += fmt.Sprintf("\ntimeouts.%s = %#v", k.name, k.defaultValue)
	}
	text += fmt.Sprintf("\n[fleet]\nname = %#v\nbranch = %#v\n", standard(t, "name"), standard(t, "branch"))
	spelled, findings := Parse("hosts.toml", []byte(text))
	if findings != nil || !reflect.DeepEqual(inv, spelled) {
		t.Errorf("without: %+v\nspelled out: %+v\n%v", inv.Hosts[0], spelled.Hosts[0], Findings(findings))
	}
}

func standard(t *testing.T, name string) any {
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

// violates is JSON Schema as far as ours goes: what is wrong with a value, or "". A keyword it does not know is wrong too.
func violates(schema object, v any) string {
	for keyword, arg := range schema {
		ok := true
		switch keyword {
		case "$schema", "title", "description", "default":
		case "type":
			ok = isA(arg.(string), v)
		case "enum":
			ok = slices.Contains(arg.([]any), v)
		case "pattern":
			s, is := v.(string)
			ok = !is || regexp.MustCompile(fromECMA(arg.(string))).MatchString(s)
		case "minimum":
			n, is := number64(v)
			ok = !is || n >= arg.(float64)
		case "maximum":
			n, is := number64(v)
			ok = !is || n <= arg.(float64)
		case "uniqueItems":
			list, _ := v.([]any)
			for i := range list {
				ok = ok && !slices.ContainsFunc(list[:i], func(other any) bool { return reflect.DeepEqual(other, list[i]) })
			}
		case "items":
			list, _ := v.([]any)
			for _, item := range list {
				if problem := violates(arg.(object), item); problem != "" {
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
			ok = slices.ContainsFunc(arg.([]any), func(schema any) bool { return violates(schema.(object), v) == "" })
		case "properties", "additionalProperties", "propertyNames":
			if problem := violatesTable(schema, v); problem != "" {
				return problem
			}
		default:
			return "unknown keyword " + keyword
		}
		if !ok {
			return fmt.Sprintf("%s: %v is not for %v", keyword, arg, v)
		}
	}
	return ""
}

func violatesTable(schema object, v any) string {
	table, _ := v.(object)
	properties, _ := schema["properties"].(object)
	for name, value := range table {
		if names, is := schema["propertyNames"].(object); is {
			if problem := violates(names, name); problem != "" {
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
		if problem := violates(property, value); problem != "" {
			return name + ": " + problem
		}
	}
	return ""
}

func isA(kind string, v any) bool {
	switch v := v.(type) {
	case string:
		return kind == "string"
	case int64:
		return kind == "integer"
	case float64:
		return kind == "integer" && v == math.Trunc(v)
	case []any:
		return kind == "array"
	case object:
		return kind == "object"
	}
	return false
}

func number64(v any) (float64, bool) {
	n, is := v.(int64)
	return float64(n), is
}

// fromECMA writes a pattern as Go has it.
func fromECMA(pattern string) string {
	return regexp.MustCompile(`\\u([0-9a-f]{4})`).ReplaceAllStringFunc(pattern, func(s string) string {
		n, _ := strconv.ParseUint(s[2:], 16, 16)
		return fmt.Sprintf(`\x{%x}`, n)
	})
}
