package inventory

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

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
	if inv.RequireSigned && inv.AllowedSignersFile != "" {
		findings = append(findings, inv.readAllowedSigners()...)
	}
	return inv, findings, nil
}

// maxAllowedSigners limits the size of the file, since it travels to hosts as an argument.
const maxAllowedSigners = 64 << 10

// readAllowedSigners reads the keys that may sign commits.
func (inv *Inventory) readAllowedSigners() []Finding {
	path := inv.AllowedSignersFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(inv.Path), path)
	}
	report := func(hint, format string, args ...any) []Finding {
		at := inv.signersAt
		at.Message, at.Hint = "[fleet]: allowed_signers: "+fmt.Sprintf(format, args...), hint
		return []Finding{at}
	}
	data, err := ownership.ReadFile(path)
	switch {
	case err != nil:
		return report(cmp.Or(hint.Of(err), "create it, with lines such as: me@example.org ssh-ed25519 AAAA..."), "%v", err)
	case len(data) > maxAllowedSigners:
		return report("leave only the keys that sign commits of this fleet", "%q is larger than %d KiB", path, maxAllowedSigners>>10)
	case strings.TrimSpace(string(data)) == "":
		return report("add lines such as: me@example.org ssh-ed25519 AAAA...", "%q has no keys", path)
	}
	inv.AllowedSigners = string(data)
	return nil
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
