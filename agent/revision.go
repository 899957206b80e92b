package agent

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// configurationRevision matches the flake's revision as NixOS and nix-darwin record it, if the
// flake sets it.
var configurationRevision = regexp.MustCompile(`"configurationRevision" *: *"([^"]+)"`)

// revision returns the commit that the deployed system was built from, or "" if it is not known. If
// the system is a specialisation, parent is the one that has it.
func (h Host) revision(deployed, parent string) string {
	// NixOS records it only in the text of the program that prints it.
	recorded := map[string]string{
		"nixos":  "/run/current-system/sw/bin/nixos-version",
		"darwin": "/run/current-system/darwin-version.json",
	}
	if path := recorded[h.Kind]; path != "" {
		if found := configurationRevision.FindStringSubmatch(readHead(h.Root + path)); found != nil {
			return found[1]
		}
	}
	// A deploy records "PATH REVISION" in the login user's home, which an agent that runs as
	// another user cannot read.
	remembered := make(map[string]string)
	for line := range strings.Lines(readHead(filepath.Join(h.State, "fleetctl/revisions"))) {
		path, revision, _ := strings.Cut(strings.TrimSpace(line), " ")
		remembered[path] = revision
	}
	return cmp.Or(remembered[deployed], remembered[parent])
}

// readHead returns the first 64 KiB of a file, or "" if it cannot be read.
func readHead(path string) string {
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
