package inventory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/markus-barta/nixfleet/internal/hint"
	"github.com/markus-barta/nixfleet/internal/ownership"
)

// FileName is the default name of an inventory file.
const FileName = "hosts.toml"

// Load reads an inventory file. The error is non-nil only if the file cannot be read, or if other
// users could have written it. All other problems are findings.
func Load(path string) (*Inventory, []Finding, error) {
	data, err := ownership.ReadFile(path)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err // the message names the path already
		}
		if hint.Of(err) != "" {
			return nil, nil, fmt.Errorf("refused the inventory: %w", err)
		}
		return nil, nil, fmt.Errorf("cannot read the inventory %q: %w", path, err)
	}
	inv, findings := Parse(path, data)
	return inv, findings, nil
}

// Locate returns the path of the inventory: the value of a flag, or $FLEETCTL_INVENTORY, or
// hosts.toml in dir or the nearest directory above it, or fleetctl/hosts.toml in the user's
// configuration directory, in that order.
//
// A file in dir or above is returned as a relative path, which keeps messages short. dir must
// therefore be the working directory.
func Locate(flag string, getenv func(string) string, dir, home string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if path := getenv("FLEETCTL_INVENTORY"); path != "" {
		return path, nil
	}
	for parent, up := dir, ""; ; parent, up = filepath.Dir(parent), filepath.Join(up, "..") {
		if isFile(filepath.Join(parent, FileName)) {
			return filepath.Join(up, FileName), nil
		}
		if parent == filepath.Dir(parent) {
			break
		}
	}
	config := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(config) { // the XDG specification requires relative paths to be ignored
		config = filepath.Join(home, ".config")
	}
	path := filepath.Join(config, "fleetctl", FileName)
	if isFile(path) {
		return path, nil
	}
	return "", &hintedError{
		message: fmt.Sprintf("no inventory: there is no %s in %q or above, and no %q", FileName, dir, path),
		hint:    "name one with --inventory, or create one with fleetctl init",
	}
}

func isFile(path string) bool {
	stat, err := os.Stat(path)
	return err == nil && !stat.IsDir()
}
