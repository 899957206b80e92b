package inventory

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// NixArgs are what nix gets besides fleetctl's own arguments whenever it evaluates or builds a
// configuration.
type NixArgs struct {
	Options []NixOption // settings of nix.conf; a later one takes precedence
	Words   []string    // other arguments, such as --override-input INPUT URL
}

// NixOption is a setting of nix.conf(5).
type NixOption struct{ Name, Value string }

// With returns the arguments of a and then those of b, which take precedence.
func (a NixArgs) With(b NixArgs) NixArgs {
	return NixArgs{slices.Concat(a.Options, b.Options), slices.Concat(a.Words, b.Words)}
}

// CommandLine returns the arguments as nix gets them.
func (a NixArgs) CommandLine() []string {
	var words []string
	for _, o := range a.Options {
		words = append(words, "--option", o.Name, o.Value)
	}
	return append(words, a.Words...)
}

// NixArgs returns the arguments that the inventory sets for the host.
func (h *Host) NixArgs() NixArgs {
	args, _, _ := ParseBuildArgs(h.BuildArgs) // checked when the inventory was read
	return NixArgs{Options: h.NixOptions}.With(args)
}

// ArgError is an argument or a setting of nix that fleetctl does not accept.
type ArgError struct{ Message, Advice string }

func (e *ArgError) Error() string { return e.Message }

// Hint returns what to do about the error.
func (e *ArgError) Hint() string { return e.Advice }

// buildFlag is an argument of nix that fleetctl accepts, with the number of values that follow it.
// If it has a setting, it is an abbreviation for that, with its value or "true".
type buildFlag struct {
	name    string
	values  int
	setting string
}

var buildFlags = []buildFlag{
	{"--override-input", 2, ""},
	{"--impure", 0, ""},
	{"--accept-flake-config", 0, "accept-flake-config"},
	{"--option", 2, ""},
	{"--fallback", 0, "fallback"},
	{"--keep-going", 0, "keep-going"},
	{"--cores", 1, "cores"},
	{"--max-jobs", 1, "max-jobs"},
	{"-j", 1, "max-jobs"},
	{"--builders", 1, "builders"},
	{"--refresh", 0, ""},
	{"--offline", 0, ""},
	{"--show-trace", 0, "show-trace"},
	{"--print-build-logs", 0, ""},
	{"-L", 0, ""},
}

const (
	adviceBuilt = "remove it: fleetctl decides what is built and where the result is linked"
	adviceLocks = "remove it, and run nix flake lock or update, commit, push: all hosts are given the inputs of flake.lock"
	adviceStore = "remove it: the configuration has to be in the host's own store"
	adviceLog   = "remove it: fleetctl reads the log that nix prints"
)

// refusedFlags are the arguments of nix that contradict fleetctl's own.
var refusedFlags = map[string]string{
	"--out-link": adviceBuilt, "-o": adviceBuilt, "--no-link": adviceBuilt, "--profile": adviceBuilt, "--dry-run": adviceBuilt,
	"--print-out-paths": adviceBuilt, "--json": adviceBuilt, "--file": adviceBuilt, "-f": adviceBuilt, "--expr": adviceBuilt,
	"--stdin": adviceBuilt, "--apply": adviceBuilt,
	"--update-input": adviceLocks, "--recreate-lock-file": adviceLocks, "--commit-lock-file": adviceLocks,
	"--no-update-lock-file": adviceLocks, "--no-write-lock-file": adviceLocks, "--output-lock-file": adviceLocks, "--reference-lock-file": adviceLocks,
	"--store": adviceStore, "--eval-store": adviceStore,
	"--log-format": adviceLog, "--quiet": adviceLog, "--verbose": adviceLog, "-v": adviceLog, "--debug": adviceLog,
	"--experimental-features": adviceFeatures, "--extra-experimental-features": `write nix_options.extra-experimental-features = "..."`,
}

const adviceFeatures = "set extra-experimental-features instead: without nix-command and flakes there is nothing to build"

// ParseBuildArgs parses arguments of nix. If one is not accepted, it returns the index of that one,
// and an error.
func ParseBuildArgs(words []string) (NixArgs, int, *ArgError) {
	var args NixArgs
	for i := 0; i < len(words); {
		at, name := i, words[i]
		flag := slices.IndexFunc(buildFlags, func(f buildFlag) bool { return f.name == name })
		if flag < 0 {
			return args, at, unknownBuildArg(name)
		}
		f := buildFlags[flag]
		i += 1 + f.values
		if i > len(words) {
			needs := map[int]string{1: "a value", 2: "two values"}[f.values]
			return args, at, &ArgError{fmt.Sprintf("%s needs %s after it", quote(name), needs), f.example()}
		}
		values := words[at+1 : i]
		switch {
		case name == "--override-input":
			if err := CheckOverride(values[0], values[1]); err != nil {
				return args, at + 1, err
			}
			args.Words = append(args.Words, words[at:i]...)
		case name == "--option":
			if err := CheckNixOption(values[0], values[1]); err != nil {
				return args, at + 1, err
			}
			args.Options = append(args.Options, NixOption{values[0], values[1]})
		case f.setting != "":
			value := "true"
			if f.values == 1 {
				value = values[0]
			}
			if err := CheckNixOption(f.setting, value); err != nil {
				return args, at + 1, err
			}
			args.Options = append(args.Options, NixOption{f.setting, value})
		default:
			args.Words = append(args.Words, name)
		}
	}
	return args, 0, nil
}

// example returns how to write a flag with its values in the inventory.
func (f buildFlag) example() string {
	switch f.name {
	case "--override-input":
		return `write "--override-input", "INPUT", "URL", each in quotes of its own`
	case "--option":
		return `write "--option", "NAME", "VALUE", each in quotes of its own, or nix_options.NAME = "VALUE"`
	}
	return fmt.Sprintf(`write %s, "VALUE", each in quotes of its own`, quote(f.name))
}

func unknownBuildArg(word string) *ArgError {
	if advice := refusedFlags[word]; advice != "" {
		return &ArgError{quote(word) + " contradicts what fleetctl itself passes to nix", advice}
	}
	name, value, assigned := strings.Cut(word, "=")
	known := slices.ContainsFunc(buildFlags, func(f buildFlag) bool { return f.name == name })
	if first, rest, spaced := strings.Cut(word, " "); spaced && !assigned {
		name, value, assigned = first, rest, slices.ContainsFunc(buildFlags, func(f buildFlag) bool { return f.name == first })
		known = assigned
	}
	var names []string
	for _, f := range buildFlags {
		names = append(names, f.name)
	}
	switch {
	case assigned && known:
		return &ArgError{quote(word) + " is not an argument of nix", fmt.Sprintf("write each word in quotes of its own: %s, %s", quote(name), quote(value))}
	case !strings.HasPrefix(word, "-"):
		return &ArgError{quote(word) + " is not a flag, so nix would build it, too", "remove it, or put the flag that it belongs to before it"}
	}
	return &ArgError{quote(word) + " is not an argument that fleetctl passes to nix",
		cmp.Or(DidYouMean(word, names), "a setting of nix.conf belongs in nix_options; the arguments are "+strings.Join(names, ", "))}
}

var (
	settingPattern = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	inputPattern   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*(/[A-Za-z_][A-Za-z0-9_-]*)*$`)
	plainPattern   = regexp.MustCompile(`^` + plain + `*$`)
)

// CheckNixOption checks a setting for nix.
func CheckNixOption(name, value string) *ArgError {
	switch {
	case !settingPattern.MatchString(name):
		advice := "use a name of man nix.conf, as in connect-timeout"
		if fixed := strings.ReplaceAll(strings.ToLower(name), "_", "-"); settingPattern.MatchString(fixed) {
			advice = "write " + quote(fixed)
		}
		return &ArgError{quote(name) + " is not the name of a setting of nix", advice}
	case name == "store":
		return &ArgError{`"store" contradicts what fleetctl itself passes to nix`, adviceStore}
	case name == "experimental-features":
		return &ArgError{quote(name) + " contradicts what fleetctl itself passes to nix", adviceFeatures}
	case strings.HasSuffix(name, "access-tokens"):
		return &ArgError{quote(name) + " does not belong in an inventory or a command line", "set it in the nix.conf of the host: other users can read both"}
	case !plainPattern.MatchString(value):
		return &ArgError{fmt.Sprintf("%s: %s is not a value for nix", name, quote(value)), "control characters and line breaks are not allowed"}
	}
	return nil
}

// CheckOverride checks an input of a flake and the URL that replaces it.
func CheckOverride(input, url string) *ArgError {
	switch {
	case !inputPattern.MatchString(input):
		return &ArgError{quote(input) + " is not the name of an input of a flake", `for example "nixpkgs", or "dep/nixpkgs" for an input of the input dep`}
	case url == "" || strings.HasPrefix(url, "-") || !plainPattern.MatchString(url) || strings.ContainsAny(url, " "):
		return &ArgError{quote(url) + " is not the URL of a flake", `for example "github:NixOS/nixpkgs/nixos-unstable" or "path:/etc/nixos/secrets"`}
	}
	return nil
}
