package fleet

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated documentation")

func TestCodesAreSortedAndDocumented(t *testing.T) {
	sorted := slices.IsSortedFunc(Codes, func(a, b CodeInfo) int { return strings.Compare(string(a.Code), string(b.Code)) })
	if !sorted {
		t.Error("Codes is not in alphabetical order: Code.Hint would not find all of them")
	}
	for _, in := range Codes {
		if in.Sentence == "" || strings.HasSuffix(in.Sentence, ".") || strings.Contains(in.Hint, " --all") {
			t.Errorf("%+v", in)
		}
		if in.Code.Hint() != in.Hint || in.Code.Sentence() != in.Sentence {
			t.Errorf("%s: the lookup found %q, %q", in.Code, in.Code.Sentence(), in.Code.Hint())
		}
	}
	if hint := Code("from-a-newer-job").Hint(); hint != "" {
		t.Errorf("an unknown code has the hint %q", hint)
	}
}

// reported matches calls of shell functions that end a job or a session with a code.
var reported = regexp.MustCompile(`(?m)(?:^|[ ;{|])(?:fail|refuse|degraded|finish [a-z-]+) ([a-z][a-z-]+)(?:$|[ ;])`)

func TestCodesListsEveryCodeOfScripts(t *testing.T) {
	scripts, err := filepath.Glob("remote/*.sh")
	if err != nil {
		t.Fatal(err)
	}
	functions, err := filepath.Glob("remote/lib/*.sh")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range append(scripts, functions...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			for _, m := range reported.FindAllStringSubmatch(line, -1) {
				found++
				// The exceptions answer a signal and never become part of a result.
				if code := Code(m[1]); code.Sentence() == "" && !slices.Contains([]Code{"finished", "old-login", "activating"}, code) {
					t.Errorf("%s reports %q, which is not in Codes: %s", path, code, strings.TrimSpace(line))
				}
			}
		}
	}
	if found < 40 {
		t.Errorf("found only %d codes in the scripts: the pattern does not match them anymore", found)
	}
}

// TestCodesPageIsGenerated compares docs/codes.md with the table; with -update it writes the page.
func TestCodesPageIsGenerated(t *testing.T) {
	const page = "../docs/codes.md"
	var b strings.Builder
	b.WriteString("# Result codes\n\n" +
		"Every host's part of a run ends with an outcome and, unless it ended well, a code that says why: `code` in\n" +
		"[events](events.md), in `fleetctl history --output json` and in reports. The reason next to it has the details.\n\n" +
		"This page is generated from the table in `fleet/codes.go`: `go test ./fleet -run Codes -update`.\n\n" +
		"| code | outcome | meaning | what to do |\n|---|---|---|---|\n")
	for _, in := range Codes {
		var outcomes []string
		if in.Outcomes == nil {
			outcomes = append(outcomes, "(`fleetctl check --connect`)")
		}
		for _, o := range in.Outcomes {
			outcomes = append(outcomes, "`"+string(o)+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", in.Code, strings.Join(outcomes, ", "), in.Sentence, in.Hint)
	}
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text, err := os.ReadFile(page); err != nil || string(text) != b.String() {
		t.Errorf("%s does not match the table (%v): go test ./fleet -run Codes -update", page, err)
	}
}
