package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	promiseTests = regexp.MustCompile("`([\\w./-]+)`: ((?:`(?:Test|Fuzz)\\w+`(?:, )?)+)")
)

// testsByPackage returns the names of tests, including fuzz tests, by the directory of their
// package.
func testsByPackage(t *testing.T) map[string][]string {
	t.Helper()
	tests := make(map[string][]string)
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range testFunction.FindAllStringSubmatch(string(text), -1) {
			tests[dir] = append(tests[dir], match[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// promiseProblems returns the rows of tables of promises that name no test, or one that does not
// exist. The last column of such a table is called "kept by" or "fuzz test".
func promiseProblems(text string, tests map[string][]string) (rows int, found []string) {
	kept := false
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") {
			kept = false
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		last := strings.TrimSpace(cells[len(cells)-1])
		switch {
		case last == "kept by" || last == "fuzz test":
			kept = true
			continue
		case !kept || strings.HasPrefix(line, "| ---"):
			continue
		}
		rows++
		named := 0
		for _, group := range promiseTests.FindAllStringSubmatch(last, -1) {
			for _, name := range codeSpan.FindAllStringSubmatch(group[2], -1) {
				named++
				if !slices.Contains(tests[group[1]], name[1]) {
					found = append(found, fmt.Sprintf("there is no test %s in %s", name[1], group[1]))
				}
			}
		}
		if spans := strings.Count(last, "`Test") + strings.Count(last, "`Fuzz"); named == 0 || spans != named {
			found = append(found, "no package and test keeps: "+strings.TrimSpace(cells[0]))
		}
	}
	return rows, found
}

func TestEveryPromiseHasATest(t *testing.T) {
	tests := testsByPackage(t)
	rows, found := promiseProblems(read(t, "docs/security.md"), tests)
	for _, problem := range found {
		t.Errorf("docs/security.md: %s", problem)
	}
	if rows < 40 {
		t.Errorf("docs/security.md has only %d promises: the test does not find them anymore", rows)
	}
}

// TestEveryFuzzTestIsListed keeps the list of parsers in docs/security.md complete.
func TestEveryFuzzTestIsListed(t *testing.T) {
	page := read(t, "docs/security.md")
	for dir, names := range testsByPackage(t) {
		for _, name := range names {
			if strings.HasPrefix(name, "Fuzz") && !strings.Contains(page, "`"+name+"`") {
				t.Errorf("docs/security.md does not say what %s in %s reads", name, dir)
			}
		}
	}
}

func TestPromiseWithoutTestIsFound(t *testing.T) {
	tests := map[string][]string{"fleet/host": {"TestA", "FuzzB"}}
	const head = "| promise | kept by |\n| --- | --- |\n"
	for row, want := range map[string]string{
		"| x | `fleet/host`: `TestA`, `FuzzB` |":               "",
		"| x | `fleet/host`: `TestA`; `fleet/host`: `FuzzB` |": "",
		"| x | `fleet/host`: `TestC` |":                        "there is no test TestC in fleet/host",
		"| x | `cli`: `TestA` |":                               "there is no test TestA in cli",
		"| x | `TestA` |":                                      "no package and test keeps: x",
		"| x | `fleet/host`: `TestA`; `FuzzB` |":               "no package and test keeps: x",
		"| x | |":                                              "no package and test keeps: x",
	} {
		rows, found := promiseProblems(head+row+"\n", tests)
		if rows != 1 || want == "" && found != nil || want != "" && !slices.Contains(found, want) {
			t.Errorf("%s: %d rows, got %q, want %q", row, rows, found, want)
		}
	}
	if rows, found := promiseProblems("| file | what |\n| --- | --- |\n| a | b |\n", tests); rows != 0 || found != nil {
		t.Errorf("a table of something else has %d promises and the problems %q", rows, found)
	}
}
