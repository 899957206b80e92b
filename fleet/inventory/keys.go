package inventory

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
)

// key is a key of hosts.toml: the tables it is valid in, its value type, and the field that its
// value is stored in.
type key struct {
	name         string
	tables       tableSet
	description  string
	synonyms     []string // other names that people try
	defaultValue any      // for the schema; nil if there is none
	binding
	subkeys []key // of a key that is a table itself; it has no binding
}

// tableSet is a set of tables of the file.
type tableSet uint8

const (
	inFleet tableSet = 1 << iota
	inDefaults
	inHost
	inNotify
	inHostOrDefaults = inDefaults | inHost
)

// destination is what a table is decoded into: the inventory, and one of its hosts or the defaults.
type destination struct {
	inv  *Inventory
	host *Host
}

// binding connects a value type with the field that its values are stored in.
type binding struct {
	schema object
	store  func(destination, *value) []valueError
}

func bind[T any](t valueType[T], field func(destination) *T) binding {
	return binding{t.schema, func(to destination, v *value) []valueError {
		x, errs := t.parse(v)
		if errs == nil {
			*field(to) = x
		}
		return errs
	}}
}

const (
	// word matches host names, tags and users: they are safe in selectors, file names and command
	// lines.
	word = `[A-Za-z0-9_][A-Za-z0-9._-]*`
	// hidden matches invisible characters: controls, and those that reorder the text around them.
	hidden = `\x00-\x1f\x7f-\x9f\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}`
	plain  = `[^` + hidden + `]`
)

// allKeys returns the keys of all tables.
func allKeys() []key {
	kind := convert(enumType(kinds()...), func(s string) Kind { return Kind(s) })
	user := stringType(word, "login name", fixedHint("a login name contains letters, digits, '.', '_' and '-'"))
	attr := stringType(`[^"'\\$\x60 `+hidden+`]+`, "attribute name", fixedHint("quotes, backslashes, '$' and spaces are not allowed"))
	return []key{
		{name: "name", tables: inFleet,
			description:  "Name of the fleet, for titles and records.",
			binding:      bind(lineType("name"), func(to destination) *string { return &to.inv.Name }),
			defaultValue: "fleet"},
		{name: "remote", tables: inFleet, synonyms: []string{"url", "origin", "git"},
			description: "URL of the repository with the hosts' configuration. Each run pins one commit of its branch for all hosts.",
			binding:     bind(remoteType(), func(to destination) *string { return &to.inv.Remote })},
		{name: "branch", tables: inFleet,
			description:  "Branch that the hosts follow.",
			binding:      bind(branchType(), func(to destination) *string { return &to.inv.Branch }),
			defaultValue: "main"},
		{name: "require_signed", tables: inFleet, synonyms: []string{"signed", "verify", "verify_signatures"},
			description:  "Hosts deploy a commit only if it has a good SSH signature by one of allowed_signers. Each host checks it with its own git. For a host that another one builds for, the builder does.",
			binding:      bind(flagType(), func(to destination) *bool { return &to.inv.RequireSigned }),
			defaultValue: false},
		{name: "allowed_signers", tables: inFleet, synonyms: []string{"signers", "allowed_signers_file"},
			description: "File with the keys that may sign commits, in the format of ssh-keygen's ALLOWED SIGNERS. Its path is absolute, or relative to the inventory. Hosts get its content.",
			binding:     bind(lineType("path"), func(to destination) *string { return &to.inv.AllowedSignersFile })},

		{name: "kind", tables: inHostOrDefaults, synonyms: []string{"type", "os"},
			description: "What a deploy activates: nixos is a NixOS system, darwin a nix-darwin system, and home one user's home, managed by standalone home-manager.",
			binding:     bind(kind, func(to destination) *Kind { return &to.host.Kind })},
		{name: "address", tables: inHost, synonyms: []string{"hostname", "host", "ip"},
			description: "Host name or IP address. If it is not set, the name of the host is looked up in ~/.ssh/config, as ssh does.",
			binding:     bind(addressType(), func(to destination) *string { return &to.host.Address })},
		{name: "addresses", tables: inHost, synonyms: []string{"hostnames", "hosts", "ips"},
			description: "Several addresses of one machine, instead of address, such as [\"192.168.1.5\", \"laptop.vpn\"]. They are tried in order, each a quarter of a second after the one before it, until one answers. known_hosts has one key for all of them, under the name of the host.",
			binding:     bind(addressesType(), func(to destination) *[]string { return &to.host.Addresses })},
		{name: "connect", tables: inHostOrDefaults, synonyms: []string{"connection", "transport", "local"},
			description:  "How the host is worked on: ssh, or local, which is without SSH and only on the machine that fleetctl runs on. auto is local if the host is that machine: its name is the machine's name, and its address one of the machine's.",
			binding:      bind(convert(enumType(string(ConnectAuto), string(ConnectSSH), string(ConnectLocal)), func(s string) Connect { return Connect(s) }), func(to destination) *Connect { return &to.host.Connect }),
			defaultValue: string(ConnectAuto)},
		{name: "port", tables: inHostOrDefaults,
			description: "SSH port. If it is not set, ~/.ssh/config decides.",
			binding:     bind(intType(1, 65535), func(to destination) *int { return &to.host.Port })},
		{name: "user", tables: inHostOrDefaults, synonyms: []string{"login", "username"},
			description: "Login user, who also owns the checkout. If it is not set, ~/.ssh/config decides.",
			binding:     bind(user, func(to destination) *string { return &to.host.User })},
		{name: "tags", tables: inHost, synonyms: []string{"groups", "labels"},
			description: "Words to select hosts by: @server selects all hosts with the tag server.",
			binding:     bind(listType(tagType()), func(to destination) *[]string { return &to.host.Tags })},
		{name: "wave", tables: inHostOrDefaults, synonyms: []string{"order", "stage"},
			description:  "Position in the deploy order: a wave starts once the wave before it has succeeded.",
			binding:      bind(intType(1, 1000), func(to destination) *int { return &to.host.Wave }),
			defaultValue: 1},
		{name: "color", tables: inHost,
			description: "Color of the host in the table, as #rrggbb.",
			binding:     bind(colorType(), func(to destination) *string { return &to.host.Color })},
		{name: "attr", tables: inHost, synonyms: []string{"attribute", "flake", "configuration"},
			description: "Name of the flake's attribute under nixosConfigurations, darwinConfigurations or homeConfigurations. The default is the name of the host; for a home, it is USER@NAME if user is set.",
			binding:     bind(attr, func(to destination) *string { return &to.host.Attr })},
		{name: "repo", tables: inHostOrDefaults, synonyms: []string{"path", "checkout", "dir"},
			description: "Path of the configuration's checkout on the host: absolute, or starting with ~/ for the login user's home.",
			binding:     bind(repoType(), func(to destination) *string { return &to.host.Repo })},
		{name: "flake_dir", tables: inHostOrDefaults, synonyms: []string{"subdir", "flake_path", "subdirectory"},
			description:  "Directory of the flake in the repository, if it is not the root. Deploy, plan and check use it, also with repo_mode = \"managed\".",
			binding:      bind(flakeDirType(), func(to destination) *string { return &to.host.FlakeDir }),
			defaultValue: "."},
		{name: "repo_mode", tables: inHostOrDefaults,
			description:  "checkout: repo belongs to a user and is only ever fast-forwarded. managed: fleetctl keeps a clone of its own and resets it as needed.",
			binding:      bind(boolType("checkout", "managed"), func(to destination) *bool { return &to.host.Managed }),
			defaultValue: "checkout"},
		{name: "build", tables: inHostOrDefaults, synonyms: []string{"builder", "build_on", "build_host"},
			description:  "Who evaluates and builds the configuration: host is the host itself. The name of another host makes that one the builder. What the host lacks is copied to it through the operator's machine, so the host needs no checkout, no git and no access to the builder. In [defaults], the builder itself is not affected.",
			binding:      bind(builderType(), func(to destination) *string { return &to.host.Builder }),
			defaultValue: BuiltByHost},
		{name: "builds", tables: inHostOrDefaults, synonyms: []string{"max_builds", "build_slots"},
			description: "How many builds for other hosts run at once on this host, those of all operators together. If it is not set, there is one for every 4 GiB of its memory.",
			binding:     bind(intType(1, 1000), func(to destination) *int { return &to.host.Builds })},
		{name: "offline", tables: inHostOrDefaults,
			description:  "What to do if the host cannot be reached: fail treats it as a failure, skip treats it as normal, for example for a laptop.",
			binding:      bind(boolType("fail", "skip"), func(to destination) *bool { return &to.host.SkipOffline }),
			defaultValue: "fail"},
		{name: "backup_extension", tables: inHostOrDefaults, synonyms: []string{"backup", "backup_ext", "backupFileExtension"},
			description: "What home-manager appends to the name of a file that is in the way of one of its links, before it moves the file aside: with \"bak\", .bashrc becomes .bashrc.bak. Without it, such a file stops the activation. It is for homes only, and does not apply to links in the way.",
			binding:     bind(extensionType(), func(to destination) *string { return &to.host.BackupExtension })},
		{name: "on_inhibited", tables: inHostOrDefaults, synonyms: []string{"inhibited"},
			description:  "What to do if a switch is inhibited, because parts of a NixOS system have changed that only a reboot can replace: fail changes nothing, boot makes the new system the one that the next boot starts.",
			binding:      bind(boolType("fail", "boot"), func(to destination) *bool { return &to.host.BootInhibited }),
			defaultValue: "fail"},
		{name: "specialisation", tables: inHost, synonyms: []string{"specialization"},
			description: "Specialisation of the NixOS system to activate, or none. If it is not set, a deploy keeps the one that runs. The next boot starts the system without one, unless it is chosen in the boot menu.",
			binding:     bind(stringType(word, "specialisation", fixedHint("use the name that it has in the configuration, or none")), func(to destination) *string { return &to.host.Specialisation })},
		{name: "switch_command", tables: inHost, synonyms: []string{"command", "switch"},
			description: "Shell command that replaces build and activate. It runs in the checkout as the login user.",
			binding:     bind(scriptType(), func(to destination) *string { return &to.host.SwitchCommand })},
		{name: "health", tables: inHostOrDefaults, synonyms: []string{"checks", "health_checks"},
			description: "What must hold within 30 seconds after a switch: shell commands that exit with 0, tcp://HOST:PORT, http://... and https://... . A string is checked on the host itself; a table says where to run the check and which HTTP status to expect.",
			binding:     bind(listType(checkType()), func(to destination) *[]Check { return &to.host.Health })},
		{name: "before_switch", tables: inHostOrDefaults, synonyms: []string{"pre_switch", "before", "hooks", "pre"},
			description: "Shell commands that run on the host before a switch, as the login user. If one fails, the host is failed and nothing is activated.",
			binding:     bind(listType(scriptType()), func(to destination) *[]string { return &to.host.BeforeSwitch })},
		{name: "after_switch", tables: inHostOrDefaults, synonyms: []string{"post_switch", "after", "post"},
			description: "Shell commands that run on the host after a switch, however it ended. If one fails, the host is degraded.",
			binding:     bind(listType(scriptType()), func(to destination) *[]string { return &to.host.AfterSwitch })},
		{name: "sudo", tables: inHostOrDefaults, synonyms: []string{"become", "become_method", "doas", "run0"},
			description:  "Program that makes the login user root: sudo, doas or run0. auto is the first of them that the host has. Only sudo can be given a password.",
			binding:      bind(enumType("auto", "sudo", "doas", "run0"), func(to destination) *string { return &to.host.Sudo }),
			defaultValue: "auto"},
		{name: "nix_options", tables: inHostOrDefaults, synonyms: []string{"nix", "options", "nix_settings", "settings"},
			description: "Settings of nix.conf for every nix that evaluates or builds the configuration: deploy, plan and check --flake. A value is a string, a number, true, false or a list of strings. Those of a host are added to those of [defaults]. Some need a login user whom Nix trusts.",
			binding:     nixOptionsBinding()},
		{name: "build_args", tables: inHostOrDefaults, synonyms: []string{"nix_args", "nix_flags", "build_flags"},
			description: "Arguments for the same nix, such as [\"--override-input\", \"secrets\", \"path:/etc/secrets\"], --impure or --accept-flake-config. Arguments that contradict fleetctl's own are refused.",
			binding:     bind(buildArgsType(), func(to destination) *[]string { return &to.host.BuildArgs })},
		{name: "timeouts", tables: inHostOrDefaults, synonyms: []string{"timeout", "deadlines"},
			description: "How long each step may take.", subkeys: timeoutKeys()},
		{name: "max_log", tables: inHostOrDefaults, synonyms: []string{"log_limit", "max_log_size"},
			description:  "How much of a job's log is recorded and shown. Of a longer log the first part and the end are kept.",
			binding:      bind(sizeType(), func(to destination) *int64 { return &to.host.MaxLog }),
			defaultValue: FormatSize(DefaultMaxLog)},

		{name: "parallel", tables: inDefaults, synonyms: []string{"jobs", "forks"},
			description:  "How many hosts are deployed at once.",
			binding:      bind(intType(1, 10000), func(to destination) *int { return &to.inv.Parallel }),
			defaultValue: 16},

		{name: "command", tables: inNotify, synonyms: []string{"exec", "run", "script"},
			description: "Shell command that runs on the operator's machine at the end of a run. It gets the report, as JSON, on standard input.",
			binding:     bind(scriptType(), func(to destination) *string { return &to.inv.Notify.Command })},
		{name: "url", tables: inNotify, synonyms: []string{"webhook", "post"},
			description: "http:// or https:// URL that gets the report, as JSON, by POST at the end of a run.",
			binding:     bind(webURLType(), func(to destination) *string { return &to.inv.Notify.URL })},
		{name: "on", tables: inNotify, synonyms: []string{"when"},
			description:  "always, or failure: only if a run did not succeed.",
			binding:      bind(boolType("always", "failure"), func(to destination) *bool { return &to.inv.Notify.OnFailure }),
			defaultValue: "always"},
		{name: "timeout", tables: inNotify,
			description:  "How long each notification may take.",
			binding:      bind(durationType(), func(to destination) *time.Duration { return &to.inv.Notify.Timeout }),
			defaultValue: FormatDuration(NotifyTimeout)},
	}
}

func timeoutKeys() []key {
	defaults, duration := DefaultTimeouts(), durationType()
	newKey := func(name, description string, field func(*Timeouts) *time.Duration) key {
		return key{name: name, tables: inHostOrDefaults, description: description, defaultValue: FormatDuration(*field(&defaults)),
			binding: bind(duration, func(to destination) *time.Duration { return field(&to.host.Timeouts) })}
	}
	return []key{
		newKey("connect", "From dialing to login. If it is not set, ConnectTimeout in ~/.ssh/config takes precedence over the default.", func(t *Timeouts) *time.Duration {
			t.ConnectSet = true
			return &t.Connect
		}),
		newKey("reconnect", "From a lost connection to giving up on it. The outcome of the host is then unknown.", func(t *Timeouts) *time.Duration { return &t.Reconnect }),
		newKey("preflight", "For checking the host before anything changes.", func(t *Timeouts) *time.Duration { return &t.Preflight }),
		newKey("pull", "For fetching the revision.", func(t *Timeouts) *time.Duration { return &t.Pull }),
		newKey("build", "For building it.", func(t *Timeouts) *time.Duration { return &t.Build }),
		newKey("quiet", "A build that is silent for this long causes a warning.", func(t *Timeouts) *time.Duration { return &t.Quiet }),
		newKey("activate", "For activating it.", func(t *Timeouts) *time.Duration { return &t.Activate }),
		newKey("verify", "For checking that it works.", func(t *Timeouts) *time.Duration { return &t.Verify }),
		newKey("hooks", "For the commands of before_switch, and for those of after_switch.", func(t *Timeouts) *time.Duration { return &t.Hooks }),
		newKey("test", "For each repository test.", func(t *Timeouts) *time.Duration { return &t.Test }),
		newKey("all_tests", "For all of the repository's tests on a host.", func(t *Timeouts) *time.Duration { return &t.AllTests }),
		newKey("answer", "For answering a question outside of a run: for the host's health, its generations or its boot ID.", func(t *Timeouts) *time.Duration { return &t.Answer }),
		newKey("grace", "For reporting that one of the other limits has passed. Then fleetctl stops waiting for the host.", func(t *Timeouts) *time.Duration { return &t.Grace }),
	}
}

// FormatDuration formats a duration without trailing zero units: 15m, not 15m0s.
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// lineType describes a string that fits on one line.
func lineType(noun string) valueType[string] {
	return stringType(plain+`+`, noun, fixedHint("control characters and line breaks are not allowed"))
}

// scriptType describes a shell script, which may have several lines.
func scriptType() valueType[string] {
	return withCheck(stringType(`(`+plain+`|[\n\t])+`, "shell command", fixedHint("control characters are not allowed")), notBlank)
}

func notBlank(s string) (problem, hint string) {
	if strings.TrimSpace(s) == "" {
		return "must not be blank", hintBlank
	}
	return "", ""
}

const hintWord = "use letters, digits, '.', '_' and '-', and do not start with '.' or '-'"

func hostNameType() valueType[string] {
	return withCheck(stringType(word, "host name", fixedHint(hintWord)), func(s string) (problem, hint string) {
		if len(s) > 128 {
			return "must not be longer than 128 characters", "use a short name, and set address to the long one"
		}
		return notKeyword(s)
	})
}

func tagType() valueType[string] {
	return withCheck(stringType(word, "tag", fixedHint(hintWord)), notKeyword)
}

// notKeyword rejects the keywords of selectors, since they would be ambiguous.
func notKeyword(s string) (problem, hint string) {
	switch s {
	case "and", "or", "not":
		return quote(s) + " is a keyword of selectors", "choose another word"
	}
	return "", ""
}

func colorType() valueType[string] {
	short := regexp.MustCompile(`^#([0-9A-Fa-f])([0-9A-Fa-f])([0-9A-Fa-f])$`)
	bare := regexp.MustCompile(`^[0-9A-Fa-f]{6}$`)
	return stringType(`#[0-9A-Fa-f]{6}`, "color", func(s string) string {
		switch {
		case short.MatchString(s):
			return "write " + quote(short.ReplaceAllString(s, "#$1$1$2$2$3$3"))
		case bare.MatchString(s):
			return "write " + quote("#"+s)
		}
		return `use "#rrggbb", for example "#d4c060"`
	})
}

func repoType() valueType[string] {
	return stringType(`(~/|/)`+plain+`+`, "path on the host", func(s string) string {
		if strings.HasPrefix(s, "~") || strings.HasPrefix(s, "$HOME") {
			return `write the login user's home as "~/"`
		}
		return fmt.Sprintf("use an absolute path, or a path in the login user's home: %s", quote("~/"+strings.TrimPrefix(s, "./")))
	})
}

// BuiltByHost is the value of the key build for a host that builds its configuration itself.
const BuiltByHost = "host"

// builderType describes who builds. The host itself is "host" in the file and "" in the inventory.
func builderType() valueType[string] {
	syntax := stringType(word, "host name", fixedHint(`use "host" or the name of another host`))
	return convert(syntax, func(s string) string {
		if s == BuiltByHost {
			return ""
		}
		return s
	})
}

// extensionType describes what is appended to a file name, after a dot.
func extensionType() valueType[string] {
	return stringType(`[A-Za-z0-9_][A-Za-z0-9._~-]*`, "file name extension", func(s string) string {
		if bare := strings.TrimLeft(s, "."); bare != s && regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._~-]*$`).MatchString(bare) {
			return "home-manager adds the dot: write " + quote(bare)
		}
		return "use letters, digits, '.', '_', '~' and '-', for example \"backup\""
	})
}

// flakeDirType describes a directory in the repository. The root is "." in the file and "" in the
// inventory. A part cannot start with "-", and none is "..".
func flakeDirType() valueType[string] {
	const part = `\.?[A-Za-z0-9_][A-Za-z0-9._+-]*`
	syntax := stringType(`\.|`+part+`(/`+part+`)*`, "directory in the repository", func(s string) string {
		if clean := strings.TrimPrefix(path.Clean("/"+s), "/"); !strings.Contains(s, "..") && !strings.HasPrefix(s, "/") && clean != "" {
			if regexp.MustCompile(`^` + part + `(/` + part + `)*$`).MatchString(clean) {
				return "write " + quote(clean)
			}
		}
		return `use a path in the repository, without "..", for example "nix/hosts"`
	})
	return convert(syntax, func(s string) string {
		if s == "." {
			return ""
		}
		return s
	})
}
