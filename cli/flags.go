package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
)

// The Type of a flag's value is the form in which help shows it: --canary N|N%, --goal
// switch|boot|test|build.

// choice is the value of a flag that accepts a fixed set of words.
type choice[T ~string] struct {
	value *T
	words []T
	hints map[string]string // what to use instead of a word that is not accepted; may be nil
	about map[T]string      // what words mean, for completion; may be nil
}

// choiceVar declares a flag that accepts words only.
func choiceVar[T ~string](f *pflag.FlagSet, p *T, name string, value T, usage string, words ...T) *choice[T] {
	*p = value
	c := &choice[T]{value: p, words: words}
	f.Var(c, name, usage)
	return c
}

func (c *choice[T]) String() string {
	if c.value == nil { // pflag makes a zero value to compare defaults with
		return ""
	}
	return string(*c.value)
}

func (c *choice[T]) Type() string { return strings.Join(c.strings(), "|") }

func (c *choice[T]) Set(s string) error {
	if !slices.Contains(c.words, T(s)) {
		err := fmt.Errorf("must be one of %s", strings.Join(c.strings(), ", "))
		return hint.Wrap(err, cmp.Or(c.hints[s], inventory.DidYouMean(s, c.strings())))
	}
	*c.value = T(s)
	return nil
}

func (c *choice[T]) complete() ([]cobra.Completion, cobra.ShellCompDirective) {
	all := make([]cobra.Completion, len(c.words))
	for i, w := range c.words {
		all[i] = cobra.CompletionWithDesc(string(w), c.about[w])
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

func (c *choice[T]) strings() []string {
	all := make([]string, len(c.words))
	for i, w := range c.words {
		all[i] = string(w)
	}
	return all
}

// pathFlag is the value of a flag that names a file or a directory.
type pathFlag struct {
	path *string
	form string // FILE, DIR or SOCKET
}

// pathVar declares a flag that names a file or, if the form is DIR, a directory.
func pathVar(f *pflag.FlagSet, p *string, name, form, usage string) {
	f.Var(&pathFlag{p, form}, name, usage)
}

func (f *pathFlag) String() string {
	if f.path == nil {
		return ""
	}
	return *f.path
}

func (f *pathFlag) Type() string { return f.form }

func (f *pathFlag) Set(s string) error {
	*f.path = s
	return nil
}

func (f *pathFlag) complete() ([]cobra.Completion, cobra.ShellCompDirective) {
	if f.form == "DIR" {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// parallelFlag declares --parallel.
func parallelFlag(f *pflag.FlagSet, n *int) {
	f.Var((*countFlag)(n), "parallel", "run on at most N hosts at once (default: the inventory's parallel)")
}

// countFlag is the value of a flag that takes a number that is not negative.
type countFlag int

func (n *countFlag) String() string { return strconv.Itoa(int(*n)) }
func (n *countFlag) Type() string   { return "N" }

func (n *countFlag) Set(s string) error {
	value, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return errors.New("must be a number, as in 4")
	}
	*n = countFlag(value)
	return nil
}

// durationFlag is the value of a flag that takes a duration, which may be in days.
type durationFlag time.Duration

func (d *durationFlag) String() string {
	switch v := time.Duration(*d); {
	case v == 0:
		return "0"
	case v%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", v/(24*time.Hour))
	default:
		return inventory.FormatDuration(v)
	}
}

func (d *durationFlag) Type() string { return "DURATION" }

func (d *durationFlag) Set(s string) error {
	invalid := errors.New("must be a duration, as in 90s, 10m, 36h or 90d")
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 15)
		if err != nil {
			return invalid
		}
		*d = durationFlag(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return invalid
	}
	*d = durationFlag(v)
	return nil
}

// timeoutFlag is a durationFlag that does not accept 0.
type timeoutFlag time.Duration

func (d *timeoutFlag) String() string { return (*durationFlag)(d).String() }
func (d *timeoutFlag) Type() string   { return "DURATION" }

func (d *timeoutFlag) Set(s string) error {
	var v durationFlag
	if err := v.Set(s); err != nil {
		return err
	}
	if v == 0 {
		return errors.New("must be longer than 0")
	}
	*d = timeoutFlag(v)
	return nil
}

// revFlag is the value of a flag that takes a revision. It rejects "", which is more likely an
// unset variable of a script than a request for the tip of the branch.
type revFlag string

func (r *revFlag) String() string { return string(*r) }
func (r *revFlag) Type() string   { return "COMMIT|BRANCH|TAG" }

func (r *revFlag) Set(s string) error {
	if s == "" {
		return errors.New("must be a commit, a branch or a tag")
	}
	*r = revFlag(s)
	return nil
}

// valueForm returns the form of a flag's value as help shows it, "" if the flag takes none.
func valueForm(f *pflag.Flag) string {
	form, _ := pflag.UnquoteUsage(f)
	switch form {
	case "duration", "int", "string":
		return strings.ToUpper(form)
	}
	return form
}

const (
	flagGroup   = "fleetctl_flag_group" // the annotation that holds the title of a flag's group
	globalFlags = "Global flags"        // the title of those that all commands have
)

// groupFlags puts the flags that declare adds under a heading of the command's help.
func groupFlags(c *cobra.Command, title string, declare func(f *pflag.FlagSet)) {
	set := pflag.NewFlagSet(title, pflag.ContinueOnError)
	set.SortFlags = false
	declare(set)
	set.VisitAll(func(f *pflag.Flag) { f.Annotations = map[string][]string{flagGroup: {title}} })
	c.Flags().AddFlagSet(set)
}

// flagSection is the flags under one heading of a command's help.
type flagSection struct {
	title string
	flags []*pflag.Flag
}

// flagSections returns the flags of a command in the order in which they were declared, those of
// its parents last.
func flagSections(c *cobra.Command) []flagSection {
	var sections []flagSection
	add := func(title string, f *pflag.Flag) {
		if f.Hidden {
			return
		}
		i := slices.IndexFunc(sections, func(s flagSection) bool { return s.title == title })
		if i < 0 {
			i = len(sections)
			sections = append(sections, flagSection{title: title})
		}
		sections[i].flags = append(sections[i].flags, f)
	}
	const own, global = "Flags", globalFlags
	isGlobal := func(f *pflag.Flag) bool { return c.HasParent() && f.Name == "help" }
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if title := f.Annotations[flagGroup]; title != nil {
			add(title[0], f)
		}
	})
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if f.Annotations[flagGroup] == nil && !isGlobal(f) {
			add(own, f)
		}
	})
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if isGlobal(f) {
			add(global, f)
		}
	})
	c.InheritedFlags().VisitAll(func(f *pflag.Flag) { add(global, f) })
	return sections
}

// completeFlags has the shell complete the values of all flags: the words of a choice, files only
// if the flag names one.
func completeFlags(c *cobra.Command) {
	complete := func(f *pflag.Flag) {
		if f.NoOptDefVal != "" {
			return // takes no value
		}
		// The only error is that the flag has a completion already.
		_ = c.RegisterFlagCompletionFunc(f.Name, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if v, ok := f.Value.(interface {
				complete() ([]cobra.Completion, cobra.ShellCompDirective)
			}); ok {
				return v.complete()
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		})
	}
	c.LocalNonPersistentFlags().VisitAll(complete)
	c.PersistentFlags().VisitAll(complete)
}

// flagError rewrites an error of pflag: it names the flag, the value and what would be valid, and
// has a hint.
func flagError(c *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		return usage(unknownFlagHint(c, unknown.GetSpecifiedName()), "%w", err)
	case errors.As(err, &missing):
		f := missing.GetFlag()
		return usage(fmt.Sprintf("--%s %s", f.Name, valueForm(f)), "%w", err)
	case errors.As(err, &invalid):
		f, cause := invalid.GetFlag(), invalid.Unwrap()
		switch f.Value.Type() {
		case "bool":
			cause = errors.New("must be true or false")
		case "duration":
			cause = errors.New("must be a duration, as in 90s, 10m or 36h")
		}
		return usage("", "invalid argument %q for %q: %w", invalid.GetValue(), "--"+f.Name, cause)
	}
	return exitUsage(err)
}

func unknownFlagHint(c *cobra.Command, name string) string {
	if name == "dry-run" {
		switch c.Name() {
		case "deploy", "pull":
			return "fleetctl plan SELECTOR shows what a deploy would do, and changes nothing"
		case "rollback":
			return "fleetctl rollback SELECTOR --list shows the generations, and changes nothing"
		}
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return cmp.Or(inventory.DidYouMean("--"+name, names), c.CommandPath()+" --help lists the flags")
}
