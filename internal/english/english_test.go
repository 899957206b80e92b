//english:ignore-file the examples break the rules

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rulesOf returns the names of the rules that the findings of a file break, without duplicates.
func rulesOf(file, src string) []string {
	var names []string
	for _, f := range lintFile(file, []byte(src)) {
		names = append(names, f.rule)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestEveryWordRuleRejectsItsFormAndAcceptsTheFix(t *testing.T) {
	examples := []struct{ rule, bad, good string }{
		{"pronoun", "Nobody answers, whoever asks.", "No client answers `nobody` or \"nobody\", the user nobody."},
		{"oftener", "It retries no oftener.", "It does not retry more often."},
		{"mend", "Mend it, then deploy.", "Fix it, then deploy. Amend the commit."},
		{"wanted", "Three hosts are not as wanted.", "Three hosts are out of sync."},
		{"fare", "Show how hosts fare.", "Show the status of hosts."},
		{"itself", "The host goes back by itself.", "The host goes back automatically. The job itself ends."},
		{"goes-on", "The job goes on.", "The job continues. Put the label on the host."},
		{"is-no", "A home is no machine.", "There is no machine. It is no longer there."},
		{"begun", "The wave has begun.", "The wave has started."},
		{"so-long", "It waits for so long.", "It waits for that long."},
		{"ever", "It runs as ever.", "It runs as usual."},
		{"asked-for", "The password is asked for.", "The operator is prompted for the password."},
		{"such-as", "Hosts such as are down.", "Hosts that are down, such as m1."},
		{"turn-away", "The server turns us away.", "The server rejects the login."},
		{"hold-against", "The checkout is held against the branch.", "The checkout is compared with the branch."},
		{"tell", "The log tells of an error.", "The log reports an error."},
		{"apart", "Tell two runs apart.", "Compare two runs."},
		{"owed", "A deploy is owed.", "A deploy is pending, as --owed shows."},
		{"at-work", "A job is at\nwork on the host.", "A job is running on the host."},
		{"else", "It succeeds, else it retries.", "Otherwise it retries, or else it stops."},
		{"problem", "It says what is wrong.", "It states the problem."},
		{"anew", "The view is drawn anew.", "The view is drawn again."},
		{"want-of", "It stops for want of memory.", "It stops because memory is low."},
		{"of-now", "The generation before that of now.", "The generation before the current one."},
		{"in-vain", "The retry was in vain.", "The retry failed."},
		{"at-an-end", "The run is at an end.", "The run has finished."},
		{"no-more", "The host is no more.", "The host no longer exists."},
		{"there", "An agent that is there answers.", "An agent that exists answers."},
		{"git-here", "The git here finds the tip.", "The local git finds the tip."},
		{"but-for", "All hosts but for one.", "All hosts except one."},
		{"spelling", "The colour and its behaviour.", "The color and its behavior."},
		{"where", "It is empty, where there is none.", "The directory is the place where jobs run."},
	}
	covered := make(map[string]bool)
	for _, e := range examples {
		covered[e.rule] = true
		for _, file := range []string{"a.md", "a.go", "a.sh", "a.nix"} {
			bad, good := inComment(file, e.bad), inComment(file, e.good)
			if got := rulesOf(file, bad); !slices.Equal(got, []string{e.rule}) {
				t.Errorf("%s: %q breaks %v, want %s", file, e.bad, got, e.rule)
			}
			if got := rulesOf(file, good); got != nil {
				t.Errorf("%s: %q breaks %v", file, e.good, got)
			}
		}
	}
	for _, r := range wordRules {
		if !covered[r.name] {
			t.Errorf("rule %s has no example", r.name)
		}
		if r.reason == "" || r.suggestion == "" {
			t.Errorf("rule %s needs a reason and a suggestion", r.name)
		}
	}
}

// inComment returns a file whose comment, or whole text, is the sentence.
func inComment(file, sentence string) string {
	mark := map[string]string{".go": "// ", ".sh": "# ", ".nix": "# ", ".md": ""}[filepath.Ext(file)]
	text := mark + strings.ReplaceAll(sentence, "\n", "\n"+mark) + "\n"
	if mark == "// " {
		text += "\npackage a\n"
	}
	return text
}

func TestFindingNamesFileLineRuleTextAndSuggestion(t *testing.T) {
	src := "package a\n\n// Foo opens a file. The error\n// must be\n// mended.\nfunc Foo() {}\n"
	got := lintFile("dir/a.go", []byte(src))
	want := `dir/a.go:5: mend: mended: "fix"`
	if len(got) != 1 || got[0].String() != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestGoStringsAndNamesAreChecked(t *testing.T) {
	for src, want := range map[string]string{
		"package a\nvar x = \"it was begun\"":                 "a.go:2: begun: begun",
		"package a\nvar x = `\nit was\nbegun`":                "a.go:4: begun: begun",
		"package a\nfunc TestNobodyAnswers() {}":              "a.go:2: pronoun: nobody",
		"package a\nfunc f() { hasBegun := 1; _ = hasBegun }": "a.go:2: begun: begun",
		"package a\ntype t struct {\n\tcolour int\n}":         "a.go:3: spelling: colour",
	} {
		got := lintFile("a.go", []byte(src))
		if len(got) != 1 || !strings.HasPrefix(got[0].String(), want) {
			t.Errorf("%q: got %v, want %s", src, got, want)
		}
	}
	for _, src := range []string{
		"package a\ntype t struct {\n\tStarted int `json:\"begun\"`\n}", // a name on the wire
		"package a\nimport _ \"example.com/begun\"",
		"package a\nvar user = \"nobody\"",
	} {
		if got := lintFile("a.go", []byte(src)); got != nil {
			t.Errorf("%q: got %v, want nothing", src, got)
		}
	}
}

func TestScriptCodeIsChecked(t *testing.T) {
	if got := rulesOf("a.sh", "true\n\nfail x \"it was begun\"\n"); !slices.Equal(got, []string{"begun"}) {
		t.Errorf("got %v, want begun", got)
	}
	if got := rulesOf("a.sh", "if true; then\n  go vet ./...\nelse\n  ls .\nelse\nfi\n"); got != nil {
		t.Errorf("got %v, want nothing", got)
	}
}

func TestFileNamesAreChecked(t *testing.T) {
	if got := rulesOf("tui/table_behaviour_test.go", "package tui\n"); !slices.Equal(got, []string{"spelling"}) {
		t.Errorf("got %v, want spelling", got)
	}
}

func TestCommentsWrapAt100Columns(t *testing.T) {
	long := strings.Repeat("word ", 30)
	for _, tt := range []struct {
		file, src string
		want      bool
	}{
		{"a.go", "package a\n\n// " + long + "\n", true},
		{"a.go", "package a\n\nvar x = 1 // " + long + "\n", true},
		{"a.go", "package a\n\n/*\n" + long + "\n*/\n", true},
		{"a.sh", "# " + long + "\n", true},
		{"a.sh", "true # " + long + "\n", true},
		{"a.nix", "  # " + long + "\n", true},
		{"script", "#!/bin/sh\n# " + long + "\n", true},

		{"a.go", "package a\n\n// " + long[:97] + "\n", false},
		{"a.go", "package a\n\n//go:generate " + long + "\n", false},
		{"a.go", "package a\n\n// see https://example.com/" + long + "\n", false},
		{"a.go", "package a\n\n//\t" + long + "\n", false},
		{"a.go", "// Code generated by x. DO NOT EDIT.\n\npackage a\n\n// " + long + "\n", false},
		{"a.go", "package a\n\nvar x = \"" + long + "\"\n", false},
		{"a.go", "package a\n\nvar x = `\n// " + long + "`\n", false},
		{"a.sh", "# shellcheck disable=SC2034 # " + long + "\n", false},
		{"a.sh", "echo \"# " + long + "\"\n", false},
		{"a.md", long + "\n", false},
	} {
		if got := rulesOf(tt.file, tt.src); slices.Contains(got, "wrap") != tt.want || len(got) > 1 {
			t.Errorf("%s %.40q...: got %v, want wrap %v", tt.file, tt.src, got, tt.want)
		}
	}
}

func TestDocCommentsStartWithTheName(t *testing.T) {
	for decl, want := range map[string]string{
		"// Opens a file.\nfunc Open() {}":                            "doc",
		"// Closes it.\nfunc (f File) Close() {}":                     "doc",
		"// File on disk, opened.\ntype File int":                     "",
		"// One file.\ntype File int":                                 "doc",
		"type (\n\t// One file.\n\tFile int\n)":                       "doc",
		"// How many.\nvar limit = 3":                                 "doc",
		"// Opener opens.\nfunc Open() {}":                            "doc",
		"// Open is the file's opener.\nfunc Open() {}":               "doc-verb",
		"// Open opens a file.\nfunc Open() {}":                       "",
		"// Open is like [Close], but opens.\nfunc Open() {}":         "",
		"// Open, given a name, opens it.\nfunc Open() {}":            "",
		"// A File is open.\ntype File int":                           "",
		"// The File is open.\ntype File int":                         "",
		"// Deprecated: use Close.\nfunc Open() {}":                   "",
		"//go:noinline\nfunc Open() {}":                               "",
		"// How many.\nvar (\n\tlimit = 3\n)":                         "",
		"// Limits of a kind.\nconst (\n\t// Few.\n\tfew = iota\n)":   "",
		"type T struct {\n\t// How many.\n\tN int\n}":                 "",
		"func f() {\n\t// How many.\n\tvar limit = 3\n\t_ = limit\n}": "",
	} {
		if got := strings.Join(rulesOf("a.go", "package a\n\n"+decl+"\n"), " "); got != want {
			t.Errorf("%q breaks %q, want %q", decl, got, want)
		}
	}
	for src, want := range map[string]string{
		"// Package a opens files.\npackage a\n":     "",
		"// Opens files.\npackage a\n":               "doc",
		"// Fleetctl opens files.\npackage main\n":   "",
		"//go:build linux\n\npackage a\n":            "",
		"// Notes on this file.\n\npackage a\n":      "",
		"package a\n\n// A remark.\n\nfunc F() {}\n": "",
	} {
		if got := strings.Join(rulesOf("a.go", src), " "); got != want {
			t.Errorf("%q breaks %q, want %q", src, got, want)
		}
	}
}

func TestDirectivesSuppressFindings(t *testing.T) {
	for src, want := range map[string]string{
		"package a\n\nvar x = \"begun\" //english:ignore a reason\n":                    "",
		"package a\n\n//english:ignore a reason\nvar x = \"begun\"\n":                   "",
		"package a\n\nvar y = 1 //english:ignore a reason\nvar x = \"begun\"\n":         "begun",
		"package a\n\nvar x = \"begun\" //english:ignore\n":                             "begun ignore",
		"//english:ignore-file a reason\n\npackage a\n\nvar x = \"begun\"\n":            "",
		"//english:ignore-file a reason\n\npackage a\n\n// One.\ntype x int // begun\n": "doc",
	} {
		if got := strings.Join(rulesOf("a.go", src), " "); got != want {
			t.Errorf("%q breaks %q, want %q", src, got, want)
		}
	}
	if got := rulesOf("a.sh", "# english:ignore a reason\necho begun\n"); got != nil {
		t.Errorf("shell: got %v, want nothing", got)
	}
	if got := rulesOf("a.md", "<!-- english:ignore a reason -->\nbegun\n"); got != nil {
		t.Errorf("Markdown: got %v, want nothing", got)
	}
}

func TestExcludedFiles(t *testing.T) {
	for _, file := range []string{"LICENSE", "flake.lock", "go.sum", "tui/testdata/table.txt", "docs/man/fleetctl.1",
		"docs/options.md", "docs/pictures/a.svg", "./docs/options.md", "/src/docs/options.md"} {
		if !excluded(file) {
			t.Errorf("%s is linted", file)
		}
	}
	for _, file := range []string{"README.md", "testdata/script/help.txt", "testdata/lab/lab", "cli/testdata/script/help.txt", "docs/events.md"} {
		if excluded(file) {
			t.Errorf("%s is not linted", file)
		}
	}
}

func TestRunLintsDirectoriesAndReportsWithExitCode(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lint := func(args ...string) (int, string) {
		var out, problems strings.Builder
		code := run(args, &out, &problems)
		return code, out.String() + problems.String()
	}
	write("a.md", "It has started.\n")
	if code, out := lint(dir); code != 0 || out != "" {
		t.Errorf("a clean directory: exit %d, %q", code, out)
	}
	write("b.md", "It has\nbegun.\n")
	if code, out := lint(dir); code != 1 || !strings.HasSuffix(out, "b.md:2: begun: begun: \"started\"\n") {
		t.Errorf("a finding: exit %d, %q", code, out)
	}
	if code, out := lint(filepath.Join(dir, "none")); code != 2 || out == "" {
		t.Errorf("a missing file: exit %d, %q", code, out)
	}
	if code, out := lint("-rules"); code != 0 || !strings.Contains(out, "pronoun") || !strings.Contains(out, "wrap") {
		t.Errorf("-rules: exit %d, %q", code, out)
	}
}
