package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/markus-barta/nixfleet"

// root is the directory of go.mod, as seen from this package.
const root = "../.."

// TestImportsMatchArchitectureTable compares each package's imports with the table in
// docs/architecture.md, so that a new import starts with a change to the table.
func TestImportsMatchArchitectureTable(t *testing.T) {
	allowed := documentedImports(t)
	seen := 0
	for _, p := range ownPackages(t) {
		name := short(p.ImportPath)
		may, ok := allowed[name]
		if !ok {
			t.Errorf("docs/architecture.md does not list package %s", name)
			continue
		}
		seen++
		for _, imported := range p.Imports {
			if !isOwn(imported) || slices.Contains(may, short(imported)) || slices.Contains(may, "all below") {
				continue
			}
			t.Errorf("%s imports %s; docs/architecture.md allows: %s", name, short(imported), strings.Join(may, ", "))
		}
	}
	if seen != len(allowed) {
		t.Errorf("docs/architecture.md lists %d packages, of which %d exist", len(allowed), seen)
	}
}

// TestTableLinksNoAgentServer keeps the agent's dependencies out of the table: they query the host
// that they run on.
func TestTableLinksNoAgentServer(t *testing.T) {
	for _, p := range goList(t, "./tui") {
		for _, unwanted := range []string{"github.com/shirou/gopsutil", "github.com/godbus/dbus"} {
			if strings.HasPrefix(p.ImportPath, unwanted) {
				t.Errorf("tui links %s", p.ImportPath)
			}
		}
	}
}

// TestRootHasNoTestFiles keeps tests in the package that they test, and those of the repository as
// a whole here.
func TestRootHasNoTestFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) > 0 {
		t.Errorf("test files at the root: %q", files)
	}
}

// documentedImports returns the rows "| `package` | what | imports |" of docs/architecture.md: the
// imports that each package may have.
func documentedImports(t *testing.T) map[string][]string {
	t.Helper()
	allowed := make(map[string][]string)
	for line := range strings.Lines(read(t, "docs/architecture.md")) {
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

// A pkg is one package as go list prints it.
type pkg struct {
	ImportPath string
	Imports    []string
}

// ownPackages returns the module's packages, without their tests.
func ownPackages(t *testing.T) []pkg {
	t.Helper()
	return slices.DeleteFunc(goList(t, "./..."), func(p pkg) bool { return !isOwn(p.ImportPath) })
}

// goList returns the packages that match the pattern, and their dependencies.
func goList(t *testing.T, pattern string) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports", pattern)
	cmd.Dir = root
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
		all = append(all, p)
	}
}

// isOwn reports whether path is a package of this module.
func isOwn(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// short returns a package's name in the table: its path below the module, or "main".
func short(path string) string {
	if path == module {
		return "main"
	}
	return strings.TrimPrefix(path, module+"/")
}

// read returns the text of a file, named from the module's root.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
