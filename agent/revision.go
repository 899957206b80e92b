package agent

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// configurationRevision is how both NixOS and nix-darwin write the flake's revision down, where the flake gives it to them.
var configurationRevision = regexp.MustCompile(`"configurationRevision" *: *"([^"]+)"`)

// revision is the commit that what is deployed was built from, as far as it can be told.
func (h Host) revision(deployed string) string {
	// NixOS has it only in the text of a program, which prints it.
	told := map[string]string{
		"nixos":  "/run/current-system/sw/bin/nixos-version",
		"darwin": "/run/current-system/darwin-version.json",
	}
	if path := told[h.Kind]; path != "" {
		if found := configurationRevision.FindStringSubmatch(readSome(h.Root + path)); found != nil {
			return found[1]
		}
	}
	// A deploy notes "PATH REVISION" in the user's home; for another user's agent that is out of sight.
	for line := range strings.Lines(readSome(filepath.Join(h.State, "fleetctl/revisions"))) {
		if path, revision, _ := strings.Cut(strings.TrimSpace(line), " "); path == deployed {
			return revision
		}
	}
	return ""
}

// readSome reads the beginning of a file that is small where it is what it should be; "" where it cannot be read.
func readSome(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return ""
	}
	return string(text)
}
