package inventory

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Sketch is what is known of a fleet that has no inventory yet. Of its hosts, what is "" is left to defaults.
type Sketch struct {
	From    string // what it was taken from, for the reader: "~/.ssh/config"
	Name    string
	Remote  string // "" leaves a line to fill in
	Branch  string // "" leaves the default
	Repo    string
	Kind    Kind // every host's that has none of its own
	Hosts   []Host
	LeftOut []string // what was passed over, and why, a line each
}

// First writes an inventory to start from, with comments for whoever goes on with it.
func First(s Sketch) []byte {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }

	say("# The fleet, as %s has it. Now make it yours:", comment(s.From))
	say("#")
	say("#   fleetctl check              proves this file; --connect looks at every host as well")
	say("#   fleetctl list               shows what it comes to, with what ~/.ssh/config adds")
	say("#   fleetctl schema inventory   describes every key")
	say("")
	say("[fleet]")
	say("name = %s", str(s.Name))
	if s.Remote != "" {
		say("remote = %s # a run pins one commit of it for all hosts", str(s.Remote))
	} else {
		say(`# remote = "git@github.com:you/nixcfg.git" # a run then pins one commit of it for all hosts`)
	}
	if s.Branch != "" {
		say("branch = %s", str(s.Branch))
	}
	say("")
	say("# What every host begins with. A host's own keys come first.")
	say("[defaults]")
	say("repo = %s # where the configuration is checked out on the hosts", str(s.Repo))
	if s.Kind != "" {
		say(`kind = %s # or "darwin" (nix-darwin), or "home" (home-manager): say so in the hosts that differ`, str(string(s.Kind)))
	}
	say("")
	say("# Worth adding to a host:")
	say("#")
	say(`#   tags = ["server", "dns"]       to select by: fleetctl deploy @server`)
	say("#   wave = 2                       it waits until the hosts of wave 1 are well")
	say(`#   offline = "skip"               being out of reach is normal, as for a laptop`)
	say(`#   attr = "USER@HOST"             for a home: which one it is`)
	say(`#   health = ["tcp://HOST:53"]     what must work after a switch`)
	for _, h := range s.Hosts {
		say("")
		say("[hosts.%s]", bare(h.Name))
		if h.Kind != "" {
			say("kind = %s", str(string(h.Kind)))
		}
		if h.Attr != "" {
			say("attr = %s", str(h.Attr))
		}
		if h.Address != "" {
			say("address = %s", str(h.Address))
		}
		if h.User != "" {
			say("user = %s", str(h.User))
		}
		if h.SkipOffline {
			say(`offline = "skip"`)
		}
	}
	if len(s.LeftOut) > 0 {
		say("")
		say("# Left out:")
		say("#")
		for _, line := range s.LeftOut {
			say("#   %s", comment(line))
		}
	}
	return []byte(b.String())
}

// str is a TOML string.
func str(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		s = comment(s)
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// bare is a name as a TOML key.
func bare(name string) string {
	if regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(name) {
		return name
	}
	return str(name)
}

// comment makes text fit for a comment: one line that shows.
func comment(s string) string {
	quoted := strconv.Quote(strings.ToValidUTF8(s, "?"))
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// NameProblem is what keeps a word from being a host's name, or "".
func NameProblem(name string) string { return problem(hostName().read(textValue(name))) }

// Problem is what keeps a text from being the value of a key, or "".
func Problem(key, text string) string {
	for _, k := range format() {
		if k.name == key && k.keys == nil {
			return problem(nil, k.apply(target{&Inventory{}, &Host{}}, textValue(text)))
		}
	}
	return fmt.Sprintf("there is no key %q", key)
}

func textValue(s string) *value { return &value{kind: unstable.String, text: s} }

func problem(_ any, faults []fault) string {
	if len(faults) == 0 {
		return ""
	}
	return faults[0].message
}
