package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// uses matches the action of a step, and pinned what it must look like: an action of this
// repository, or a commit with its version in a comment. The template cannot know a commit of this
// repository.
var (
	uses   = regexp.MustCompile(`(?m)^\s*(?:- )?uses: (.*)$`)
	pinned = regexp.MustCompile(`^(\./\S+|markus-barta/nixfleet/action@\w+ # pin this to a release|[\w./-]+@[0-9a-f]{40} # v\d\S*( #.*)?)$`)
)

// unpinned returns the actions in a workflow that are not pinned by a commit's hash. A tag can be
// moved by anyone who takes over the action's repository.
func unpinned(workflow string) []string {
	var found []string
	for _, match := range uses.FindAllStringSubmatch(workflow, -1) {
		if !pinned.MatchString(strings.TrimSpace(match[1])) {
			found = append(found, match[1])
		}
	}
	return found
}

func TestUnpinnedActionIsFound(t *testing.T) {
	const hash = "3d3c42e5aac5ba805825da76410c181273ba90b1"
	good := "steps:\n  - uses: actions/checkout@" + hash + " # v7.0.1\n  - uses: ./action\n"
	if found := unpinned(good); found != nil {
		t.Errorf("pinned actions are rejected: %q", found)
	}
	for _, bad := range []string{"actions/checkout@v7", "actions/checkout@" + hash, "actions/checkout@main # v7"} {
		if found := unpinned("    uses: " + bad); len(found) != 1 {
			t.Errorf("%q counts as pinned", bad)
		}
	}
}

func TestActionsArePinned(t *testing.T) {
	for _, name := range workflows(t) {
		for _, action := range unpinned(read(t, name)) {
			t.Errorf("%s: %s is not pinned by a commit with its version in a comment", name, action)
		}
	}
}

// TestWorkflowsStartWithoutWriteAccess requires that each workflow grants at most read access, so
// that only the jobs that need more have it.
func TestWorkflowsStartWithoutWriteAccess(t *testing.T) {
	for _, name := range workflows(t) {
		if filepath.Base(name) == "action.yml" {
			continue // it has its caller's permissions
		}
		if !strings.Contains(read(t, name), "\npermissions:\n  contents: read\n\n") {
			t.Errorf("%s: its default permissions are not contents:read", name)
		}
	}
}

// workflows returns the workflows of this repository and of the template, and the action.
func workflows(t *testing.T) []string {
	t.Helper()
	names := []string{"action/action.yml"}
	for _, dir := range []string{".github/workflows", "nix/template/.github/workflows"} {
		entries, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names
}
