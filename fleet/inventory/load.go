package inventory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// FileName is what an inventory is called.
const FileName = "hosts.toml"

const firstOne = "name one with --inventory, or write a first one with fleetctl init"

// Load reads an inventory from a file. The error is for a file that cannot be read; all else is findings.
func Load(path string) (*Inventory, []Finding, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		var because *fs.PathError
		if errors.As(err, &because) {
			err = because.Err
		}
		return nil, nil, fmt.Errorf("cannot read the inventory %q: %w", path, err)
	}
	inv, findings := Parse(path, data)
	return inv, findings, nil
}

// Locate says which file is the inventory: the one a flag names, else $FLEETCTL_INVENTORY, else hosts.toml in dir or
// above it, else fleetctl/hosts.toml in the user's configuration directory. What is found in dir or above is named from
// there, so that messages are short: dir has to be the working directory.
func Locate(flag string, getenv func(string) string, dir, home string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if named := getenv("FLEETCTL_INVENTORY"); named != "" {
		return named, nil
	}
	for here, up := dir, ""; ; here, up = filepath.Dir(here), filepath.Join(up, "..") {
		if isFile(filepath.Join(here, FileName)) {
			return filepath.Join(up, FileName), nil
		}
		if here == filepath.Dir(here) {
			break
		}
	}
	config := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(config) { // the specification has a relative one ignored
		config = filepath.Join(home, ".config")
	}
	own := filepath.Join(config, "fleetctl", FileName)
	if isFile(own) {
		return own, nil
	}
	return "", &hinted{fmt.Sprintf("no inventory: there is no %s in %q or above, and no %q", FileName, dir, own), firstOne}
}

func isFile(path string) bool {
	stat, err := os.Stat(path)
	return err == nil && !stat.IsDir()
}
