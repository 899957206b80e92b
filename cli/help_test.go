package cli

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestEveryCommandDocumentsItsExitStatusAndHasAnExample(t *testing.T) {
	eachCommand(newRoot(newTestEnv(t).Env), func(c *cobra.Command) {
		if _, status := cutStatus(c.Long); status == "" {
			t.Errorf("%s: no EXIT STATUS", c.CommandPath())
		}
		if !strings.HasPrefix(c.Example, "  ") {
			t.Errorf("%s: the example is %q", c.CommandPath(), c.Example)
		}
	})
}

func TestEveryFlagShowsTheFormOfItsValue(t *testing.T) {
	eachCommand(newRoot(newTestEnv(t).Env), func(c *cobra.Command) {
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if strings.Contains(f.Usage, "`") { // completion would show it
				t.Errorf("%s --%s: back quote in %q", c.CommandPath(), f.Name, f.Usage)
			}
			if form := valueForm(f); (form == "") != (f.Value.Type() == "bool") || form == "STRING" || form == "INT" {
				t.Errorf("%s --%s: the form is %q", c.CommandPath(), f.Name, form)
			}
		})
	})
}

func TestHelpListsTheFlagsOfAGroupTogether(t *testing.T) {
	c := &cobra.Command{Use: "deploy", Run: func(*cobra.Command, []string) {}}
	c.Flags().SortFlags = false
	plain := false
	groupFlags(c, "Waves", func(f *pflag.FlagSet) { f.BoolVar(&plain, "soak", false, "") })
	c.Flags().BoolVar(&plain, "plain", false, "")
	groupFlags(c, "Output", func(f *pflag.FlagSet) { f.BoolVar(&plain, "quiet", false, "") })
	groupFlags(c, "Waves", func(f *pflag.FlagSet) { f.BoolVar(&plain, "canary", false, "") })
	var got []string
	for _, section := range flagSections(c) {
		names := []string{section.title}
		for _, f := range section.flags {
			names = append(names, f.Name)
		}
		got = append(got, strings.Join(names, " "))
	}
	if want := []string{"Waves soak canary", "Output quiet", "Flags plain"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHelpWrapsDescriptions(t *testing.T) {
	rows := [][2]string{{"--all", "all hosts of the inventory"}, {"--on-failure halt|continue|rollback-wave", "what to do"}}
	for width, want := range map[int]string{
		80: "  --all  all hosts of the inventory\n" +
			"  --on-failure halt|continue|rollback-wave\n" +
			"         what to do\n",
		30: "  --all\n" +
			"      all hosts of the\n" +
			"      inventory\n" +
			"  --on-failure\n" +
			"      halt|continue|rollback-wave\n" +
			"      what to do\n",
	} {
		h := &helpPrinter{width: width}
		h.columns(rows)
		if got := h.b.String(); got != want {
			t.Errorf("width %d:\n%s\nwant:\n%s", width, got, want)
		}
	}
}

// TestHelpFitsNarrowTerminals checks that no line of any help is wider than the terminal, which
// would break a word, unless the line is a single word.
func TestHelpFitsNarrowTerminals(t *testing.T) {
	t.Parallel()
	for _, width := range []int{40, 60, 80} {
		env := newTestEnv(t)
		getenv := env.Getenv
		env.Getenv = func(name string) string {
			if name == "COLUMNS" {
				return strconv.Itoa(width)
			}
			return getenv(name)
		}
		eachCommand(newRoot(env.Env), func(c *cobra.Command) {
			*env.out = syncBuffer{}
			if err := c.Help(); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(env.out.String()) {
				line = strings.TrimRight(line, "\n")
				if n := utf8.RuneCountInString(line); n > width && len(shellWords(strings.Trim(line, " `\\"))) > 1 {
					t.Errorf("%s: %d columns: %q", c.CommandPath(), n, line)
				}
			}
		})
	}
}

func TestHelpContinuesLongExamples(t *testing.T) {
	h := &helpPrinter{width: 40}
	h.command(`  fleetctl deploy --all --output json | jq 'select(.type == "host_finished")'`, ` \`)
	want := `  fleetctl deploy --all --output json \
      | jq \
      'select(.type == "host_finished")'
`
	if got := h.b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestGitReasonIsTheFatalLine(t *testing.T) {
	for stderr, want := range map[string]string{
		"warning: a\nfatal: '/none' does not appear to be a git repository\nPlease make sure\nand the repository exists.\n": "fatal: '/none' does not appear to be a git repository",
		"ssh: no route to host\n": "ssh: no route to host",
		"":                        "",
	} {
		if got := gitReason(stderr); got != want {
			t.Errorf("gitReason(%q) = %q, want %q", stderr, got, want)
		}
	}
}
