package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/markus-barta/nixfleet"

// The table of packages in docs/architecture.md says which of ours a package imports. It is what this test goes by, so that
// the table is true.
func TestArrowsPointTheWayTheArchitectureSays(t *testing.T) {
	allowed := documentedImports(t)
	seen := 0
	for _, p := range packages(t) {
		name := short(p.ImportPath)
		may, ok := allowed[name]
		if !ok {
			t.Errorf("docs/architecture.md does not name the package %s", name)
			continue
		}
		seen++
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, module) || slices.Contains(may, short(imported)) || slices.Contains(may, "all below") {
				continue
			}
			t.Errorf("%s imports %s; docs/architecture.md lets it import: %s", name, short(imported), strings.Join(may, ", "))
		}
	}
	if seen != len(allowed) {
		t.Errorf("docs/architecture.md names %d packages, %d of them are there", len(allowed), seen)
	}
}

// documentedImports reads the rows "| `package` | what | imports |".
func documentedImports(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	allowed := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		name := strings.Trim(strings.TrimSpace(cells[1]), "`")
		allowed[name] = nil
		for imported := range strings.SplitSeq(cells[3], ",") {
			allowed[name] = append(allowed[name], strings.TrimSpace(imported))
		}
	}
	return allowed
}

type pkg struct {
	ImportPath string
	Imports    []string
}

// packages lists the module's own, tests left out.
func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports", "./...")
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for list := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := list.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/") {
			all = append(all, p)
		}
	}
}

func short(path string) string {
	if path == module {
		return "main"
	}
	return strings.TrimPrefix(path, module+"/")
}
