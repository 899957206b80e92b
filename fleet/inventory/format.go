package inventory

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// key is one line of the format's table: what may be written where, what it is for, and where its value goes.
type key struct {
	name     string
	in       place
	about    string   // the schema's description
	also     []string // what people write instead
	standard any      // the value where none is given, for the schema
	binding
	keys []key // a table's own, instead of a binding
}

// place is a table of the file, or several.
type place uint8

const (
	inFleet place = 1 << iota
	inDefaults
	inHost
	inNotify
	anyHost = inDefaults | inHost
)

// target is what is being filled in: a fleet, and one of its hosts or what they all begin as.
type target struct {
	inv  *Inventory
	host *Host
}

// binding ties a form to the field its value goes to.
type binding struct {
	schema map[string]any
	apply  func(target, *value) []fault
}

func bind[T any](f form[T], field func(target) *T) binding {
	return binding{f.schema, func(t target, v *value) []fault {
		x, faults := f.read(v)
		if faults == nil {
			*field(t) = x
		}
		return faults
	}}
}

const (
	// word is a host's name, a tag, a user: what a selector, a file name and a command line can all carry as it is.
	word = `[A-Za-z0-9_][A-Za-z0-9._-]*`
	// hidden are characters that do not show: controls, and what reorders the text beside it.
	hidden = `\x00-\x1f\x7f-\x9f\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}`
	plain  = `[^` + hidden + `]`
)

// format is the whole of it.
func format() []key {
	kind := into(choice(string(NixOS), string(Darwin), string(Home)), func(s string) Kind { return Kind(s) })
	managed := into(choice("checkout", "managed"), func(s string) bool { return s == "managed" })
	skip := into(choice("fail", "skip"), func(s string) bool { return s == "skip" })
	failure := into(choice("always", "failure"), func(s string) bool { return s == "failure" })
	user := text(word, "a login name", always("a login name has letters, digits, '.', '_' and '-'"))
	attr := text(`[^"'\\$\x60 `+hidden+`]+`, "an attribute name", always("quotes, backslashes, '$' and spaces cannot be in it"))
	return []key{
		{name: "name", in: inFleet,
			about:    "The fleet's name, for titles and records.",
			binding:  bind(line("a name"), func(t target) *string { return &t.inv.Name }),
			standard: "fleet"},
		{name: "remote", in: inFleet, also: []string{"url", "origin", "git"},
			about:   "URL of the repository that holds the hosts' configuration. Each run pins one commit of its branch for all hosts.",
			binding: bind(remote(), func(t target) *string { return &t.inv.Remote })},
		{name: "branch", in: inFleet,
			about:    "The branch that hosts follow.",
			binding:  bind(branch(), func(t target) *string { return &t.inv.Branch }),
			standard: "main"},

		{name: "kind", in: anyHost, also: []string{"type", "os"},
			about:   "What is switched: nixos a NixOS system, darwin a nix-darwin system, home one user's home by standalone home-manager.",
			binding: bind(kind, func(t target) *Kind { return &t.host.Kind })},
		{name: "address", in: inHost, also: []string{"hostname", "host", "ip"},
			about:   "Host name or IP address. Left out, the host's name is looked up in ~/.ssh/config as ssh does it.",
			binding: bind(address(), func(t target) *string { return &t.host.Address })},
		{name: "port", in: anyHost,
			about:   "SSH port. Left out, ~/.ssh/config decides.",
			binding: bind(number(1, 65535), func(t target) *int { return &t.host.Port })},
		{name: "user", in: anyHost, also: []string{"login", "username"},
			about:   "Login user, who also owns the checkout. Left out, ~/.ssh/config decides.",
			binding: bind(user, func(t target) *string { return &t.host.User })},
		{name: "tags", in: inHost, also: []string{"groups", "labels"},
			about:   "Words to select hosts by: @server picks all that have the tag server.",
			binding: bind(list(tag()), func(t target) *[]string { return &t.host.Tags })},
		{name: "wave", in: anyHost, also: []string{"order", "stage"},
			about:    "When it goes: a wave begins when the one before has ended well.",
			binding:  bind(number(1, 1000), func(t target) *int { return &t.host.Wave }),
			standard: 1},
		{name: "color", in: inHost,
			about:   "The host's own colour in the table, as #rrggbb.",
			binding: bind(color(), func(t target) *string { return &t.host.Color })},
		{name: "attr", in: inHost, also: []string{"attribute", "flake", "configuration"},
			about:   "Name under nixosConfigurations, darwinConfigurations or homeConfigurations of the flake. Left out, it is the host's name; a home needs USER@NAME, or user.",
			binding: bind(attr, func(t target) *string { return &t.host.Attr })},
		{name: "repo", in: anyHost, also: []string{"path", "checkout", "dir"},
			about:   "Where the configuration is checked out on the host: absolute, or from ~/, the login user's home.",
			binding: bind(repo(), func(t target) *string { return &t.host.Repo })},
		{name: "repo_mode", in: anyHost,
			about:    "checkout: repo is a person's, and is only ever fast-forwarded. managed: fleetctl keeps a clone of its own and resets it as needed.",
			binding:  bind(managed, func(t target) *bool { return &t.host.Managed }),
			standard: "checkout"},
		{name: "offline", in: anyHost,
			about:    "What it means that the host cannot be reached: fail is a failure, skip is normal, as for a laptop.",
			binding:  bind(skip, func(t target) *bool { return &t.host.SkipOffline }),
			standard: "fail"},
		{name: "switch_command", in: inHost, also: []string{"command", "switch"},
			about:   "Shell command that replaces building and activating, run in the checkout as the login user.",
			binding: bind(script(), func(t target) *string { return &t.host.SwitchCommand })},
		{name: "health", in: anyHost, also: []string{"checks", "health_checks"},
			about:   "What must hold after a switch, within half a minute: shell commands that exit with 0, tcp://HOST:PORT, http://... and https://... . A string is tried on the host itself; a table says from where, and what a web server must answer.",
			binding: bind(list(healthCheck()), func(t target) *[]Check { return &t.host.Health })},
		{name: "timeouts", in: anyHost, also: []string{"timeout", "deadlines"},
			about: "How long each step may take.", keys: timeouts()},

		{name: "parallel", in: inDefaults, also: []string{"jobs", "forks"},
			about:    "How many hosts are worked on at once.",
			binding:  bind(number(1, 10000), func(t target) *int { return &t.inv.Parallel }),
			standard: 16},

		{name: "command", in: inNotify, also: []string{"exec", "run", "script"},
			about:   "Shell command that is told of a run's end, on the machine that fleetctl runs on: it gets the report, as JSON, on standard input.",
			binding: bind(script(), func(t target) *string { return &t.inv.Notify.Command })},
		{name: "url", in: inNotify, also: []string{"webhook", "post"},
			about:   "http:// or https:// address that is told of a run's end: it gets the report, as JSON, by POST.",
			binding: bind(webAddress(), func(t target) *string { return &t.inv.Notify.URL })},
		{name: "on", in: inNotify, also: []string{"when"},
			about:    "always, or failure: only when a run has not ended well.",
			binding:  bind(failure, func(t target) *bool { return &t.inv.Notify.OnFailure }),
			standard: "always"},
		{name: "timeout", in: inNotify,
			about:    "How long each may take to be told.",
			binding:  bind(duration(), func(t target) *time.Duration { return &t.inv.Notify.Timeout }),
			standard: "10s"},
	}
}

func timeouts() []key {
	standard, length := DefaultTimeouts(), duration()
	row := func(name, about string, field func(*Timeouts) *time.Duration) key {
		return key{name: name, in: anyHost, about: about, standard: Shortest(*field(&standard)),
			binding: bind(length, func(t target) *time.Duration { return field(&t.host.Timeouts) })}
	}
	return []key{
		row("connect", "From dialling to a login.", func(t *Timeouts) *time.Duration { return &t.Connect }),
		row("reconnect", "From a lost connection to giving up on it: the host's outcome is then unknown.", func(t *Timeouts) *time.Duration { return &t.Reconnect }),
		row("preflight", "For looking at the host before anything changes.", func(t *Timeouts) *time.Duration { return &t.Preflight }),
		row("pull", "For fetching the revision.", func(t *Timeouts) *time.Duration { return &t.Pull }),
		row("build", "For building it.", func(t *Timeouts) *time.Duration { return &t.Build }),
		row("quiet", "A build that is silent for so long is worth a warning.", func(t *Timeouts) *time.Duration { return &t.Quiet }),
		row("activate", "For switching to it.", func(t *Timeouts) *time.Duration { return &t.Activate }),
		row("verify", "For seeing that it works.", func(t *Timeouts) *time.Duration { return &t.Verify }),
	}
}

// Shortest writes a duration as a person would: 15m, not 15m0s.
func Shortest(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// line is text that shows in one line.
func line(what string) form[string] {
	return text(plain+`+`, what, always("control characters and line breaks cannot be in it"))
}

// script is shell, on as many lines as it likes.
func script() form[string] {
	return checked(text(`(`+plain+`|[\n\t])+`, "a shell command", always("control characters cannot be in it")), notBlank)
}

func notBlank(s string) (problem, hint string) {
	if strings.TrimSpace(s) == "" {
		return "is blank", "leave it out, or say what it is"
	}
	return "", ""
}

func hostName() form[string] {
	return checked(text(word, "a host's name", always("a name has letters, digits, '.', '_' and '-', and begins with neither '.' nor '-'")), func(s string) (string, string) {
		if len(s) > 128 {
			return "is longer than 128 characters", "give it a short name, and its long one as address"
		}
		return reserved(s)
	})
}

func tag() form[string] {
	return checked(text(word, "a tag", always("a tag has letters, digits, '.', '_' and '-', and begins with neither '.' nor '-'")), reserved)
}

// reserved finds the words that a selector could not tell from its own.
func reserved(s string) (problem, hint string) {
	switch s {
	case "and", "or", "not":
		return quote(s) + " is a word of selectors", "choose another"
	}
	return "", ""
}

func color() form[string] {
	short := regexp.MustCompile(`^#([0-9A-Fa-f])([0-9A-Fa-f])([0-9A-Fa-f])$`)
	bare := regexp.MustCompile(`^[0-9A-Fa-f]{6}$`)
	return text(`#[0-9A-Fa-f]{6}`, "a colour", func(s string) string {
		switch {
		case short.MatchString(s):
			return "write " + quote(short.ReplaceAllString(s, "#$1$1$2$2$3$3"))
		case bare.MatchString(s):
			return "write " + quote("#"+s)
		}
		return `write it as "#rrggbb", as in "#d4c060"`
	})
}

func repo() form[string] {
	return text(`(~/|/)`+plain+`+`, "a path on the host", func(s string) string {
		if strings.HasPrefix(s, "~") || strings.HasPrefix(s, "$HOME") {
			return `the login user's home is written "~/"`
		}
		return fmt.Sprintf(`write an absolute path, or one in the login user's home: %s`, quote("~/"+strings.TrimPrefix(s, "./")))
	})
}
