package inventory

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/pelletier/go-toml/v2/unstable"
)

// A Draft is what is known about a fleet that has no inventory yet. Fields of its hosts that are ""
// are left to defaults.
type Draft struct {
	From    string // where the hosts were found, for the reader: "~/.ssh/config"
	Name    string
	Remote  string // "" adds a commented-out line instead
	Branch  string // "" means the default
	Repo    string
	Kind    Kind // of the hosts that have none of their own
	Hosts   []Host
	LeftOut []string // what was left out and why, one line each
}

// TOML returns the draft as a hosts.toml with comments that explain how to continue.
func (d Draft) TOML() []byte {
	var b strings.Builder
	printf := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }

	printf("# The fleet, generated from %s. Edit it as needed:", tomlComment(d.From))
	printf("#")
	printf("#   fleetctl check              validates this file; --connect checks the hosts, too")
	printf("#   fleetctl list               shows the hosts, with the settings from ~/.ssh/config")
	printf("#   fleetctl schema inventory   describes every key")
	printf("")
	printf("[fleet]")
	printf("name = %s", tomlString(d.Name))
	if d.Remote != "" {
		printf("remote = %s # a run pins one commit of it for all hosts", tomlString(d.Remote))
	} else {
		printf(`# remote = "git@github.com:you/nixcfg.git" # a run then pins one commit of it for all hosts`)
	}
	if d.Branch != "" {
		printf("branch = %s", tomlString(d.Branch))
	}
	printf("")
	printf("# Defaults for all hosts. Keys of a host take precedence.")
	printf("[defaults]")
	printf("repo = %s # path of the configuration's checkout on the hosts", tomlString(d.Repo))
	if d.Kind != "" {
		printf(`kind = %s # or "darwin" (nix-darwin), or "home" (home-manager): set it in the hosts that differ`, tomlString(string(d.Kind)))
	}
	printf("")
	printf("# Useful keys of a host:")
	printf("#")
	printf(`#   tags = ["server", "dns"]       select it by tag: fleetctl deploy @server`)
	printf(`#   wave = 2                       deploy it after wave 1 has succeeded`)
	printf(`#   offline = "skip"               it is often unreachable, for example a laptop`)
	printf(`#   attr = "USER@HOST"             for a home: its flake attribute`)
	printf(`#   health = ["tcp://HOST:53"]     what must work after a switch`)
	for _, h := range d.Hosts {
		printf("")
		printf("[hosts.%s]", tomlKey(h.Name))
		for _, field := range []struct{ key, value string }{
			{"kind", string(h.Kind)}, {"attr", h.Attr}, {"address", h.Address}, {"user", h.User},
		} {
			if field.value != "" {
				printf("%s = %s", field.key, tomlString(field.value))
			}
		}
		if h.SkipOffline {
			printf(`offline = "skip"`)
		}
	}
	if d.LeftOut != nil {
		printf("")
		printf("# Left out:")
		printf("#")
		for _, line := range d.LeftOut {
			printf("#   %s", tomlComment(line))
		}
	}
	return []byte(b.String())
}

// tomlString returns s as a TOML string.
func tomlString(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"', r == '\\':
			b.WriteString(`\` + string(r))
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}

// tomlKey quotes a key if necessary.
func tomlKey(name string) string {
	if regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(name) {
		return name
	}
	return tomlString(name)
}

// tomlComment escapes everything that is not fit for a comment, such as line breaks.
func tomlComment(s string) string {
	quoted := strconv.Quote(strings.ToValidUTF8(s, "?"))
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// NameProblem returns why name cannot be the name of a host, or "".
func NameProblem(name string) string {
	_, errs := hostNameType().parse(stringValue(name))
	return firstMessage(errs)
}

// Problem returns why text cannot be the value of a key, or "".
func Problem(key, text string) string {
	for _, k := range allKeys() {
		if k.name == key && k.subkeys == nil {
			return firstMessage(k.store(destination{&Inventory{}, &Host{}}, stringValue(text)))
		}
	}
	return fmt.Sprintf("unknown key %q", key)
}

func stringValue(s string) *value { return &value{kind: unstable.String, text: s} }

func firstMessage(errs []valueError) string {
	if len(errs) == 0 {
		return ""
	}
	return errs[0].message
}
