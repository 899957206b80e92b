package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrepareReleaseSetsVersionEverywhere prepares a release in a copy of the files that name the
// version.
func TestPrepareReleaseSetsVersionEverywhere(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("needs bash")
	}
	dir := t.TempDir()
	for _, name := range []string{".ci/release", "cli/cmd_version.go", "docs/man/fleetctl.1", "docs/man/fleetctl-options.5", "docs/man/fleetctl-agent.8"} {
		write(t, dir, name, read(t, name))
	}
	write(t, dir, "CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [1.2.2] - 2026-01-01\n\n- An older thing.\n")
	release := func(args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), "bash", append([]string{filepath.Join(dir, ".ci/release")}, args...)...).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}

	for _, bad := range [][]string{{"prepare"}, {"prepare", "v1.2.3"}, {"prepare", "1.2.2"}, {"prepare", "1.2.3", "tomorrow"}} {
		if out, err := release(bad...); err == nil {
			t.Errorf("%q succeeds: %s", bad, out)
		}
	}
	if out, err := release("prepare", "1.2.3", "2026-12-01"); err != nil || out != "1.2.3" {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, want := range map[string]string{
		"CHANGELOG.md":                "## [Unreleased]\n\n## [1.2.3] - 2026-12-01\n\n### Added\n",
		"cli/cmd_version.go":          "const releaseDate = \"2026-12-01\"\n",
		"docs/man/fleetctl.1":         ".TH FLEETCTL 1 2026-12-01 \"fleetctl 1.2.3\" ",
		"docs/man/fleetctl-agent.8":   ".TH FLEETCTL-AGENT 8 2026-12-01 \"fleetctl 1.2.3\" ",
		"docs/man/fleetctl-options.5": ".TH FLEETCTL-OPTIONS 5 2026-12-01 \"fleetctl 1.2.3\" ",
	} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q (%v):\n%.300s", name, want, err, text)
		}
	}
	if out, err := release("notes"); err != nil || out != "### Added\n\n- A thing." {
		t.Errorf("the notes are %q (%v)", out, err)
	}
	if out, err := release("prepare", "1.2.4"); err == nil {
		t.Errorf("a release without changes is prepared: %s", out)
	}
}

// write writes a file below a directory.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
