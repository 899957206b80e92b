//go:build lab

package lab_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listModes is a shell function that prints the mode, the owner and the path of every file in a
// checkout. Files of git that only a pull by hand writes, or that only some pulls write, are left
// out, and so are the names of objects.
const listModes = `modes() {
  (cd "$1" && find . ! -path './.git/objects/*' ! -name FETCH_HEAD ! -name ORIG_HEAD ! -path './.git/logs*' ! -name description ! -path './.git/hooks/*' -printf '%M %u %g %P\n' | sort -k 4
   find .git/objects -type d -printf '%M %u %g objects\n' | sort -u
   find .git/objects -type f -printf '%M %u %g object\n' | sort -u
   git status --porcelain --branch)
}
`

// homeFiles is what the activation of a home creates.
const homeFiles = ".lab .lab-revision .lab-activation .local/state/home-manager"

// difference returns the lines that only one of two texts has.
func difference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	var lines []string
	for _, line := range as {
		if !slices.Contains(bs, line) {
			lines = append(lines, "- "+line)
		}
	}
	for _, line := range bs {
		if !slices.Contains(as, line) {
			lines = append(lines, "+ "+line)
		}
	}
	return strings.Join(lines, "\n")
}

// asLogin runs a command in the login shell of a host's user, which sets the umask.
func asLogin(t *testing.T, host, command string) string {
	t.Helper()
	return runLab(t, "on", host, command)
}

// TestFilesHaveTheModesThatStockCommandsLeave compares what a deploy leaves with what git pull,
// switch-to-configuration and home-manager's activate leave that the login user runs by hand.
func TestFilesHaveTheModesThatStockCommandsLeave(t *testing.T) {
	machine, home := newLabHost(t, "m1", "nixos"), newLabHost(t, "m3", "home")
	for _, h := range []*labHost{machine, home} {
		defer onHost(t, h.name, "rm -rf .config/fish stock")
	}
	for n, tt := range []struct {
		umask  string
		shared bool
	}{{"022", false}, {"002", false}, {"022", true}} {
		for _, h := range []*labHost{machine, home} {
			what := fmt.Sprintf("%s, umask %s, shared %v", h.name, tt.umask, tt.shared)
			onHost(t, h.name, fmt.Sprintf("mkdir -p .config/fish && echo 'umask %s' >.config/fish/config.fish", tt.umask))
			h.push(t, nil, false)
			onHost(t, h.name, fmt.Sprintf(`set -e
umask %s
rm -rf stock Code/nixcfg
for checkout in stock Code/nixcfg; do
  git clone -q -b random-%s git://10.78.0.1/nixcfg.git $checkout
  if %v; then
    git -C $checkout config core.sharedRepository group
    sudo chgrp -R nix-users $checkout
    chmod -R g+rwX $checkout
    find $checkout -type d -exec chmod g+s {} +
  fi
done`, tt.umask, h.name, tt.shared))
			h.writeFiles(t, map[string]string{
				fmt.Sprintf("new%d/deep/file", n): "text\n",
				fmt.Sprintf("new%d/script.sh", n): "#!/bin/sh\n",
				"changed":                         fmt.Sprint(n),
			})
			h.push(t, []string{fmt.Sprintf("loud-build %d", n+1)}, false)
			onHost(t, h.name, "sudo rm -rf /etc/lab-activation "+homeFiles)
			if out, err := h.fleetctl("deploy", h.name).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", what, err, out)
			}
			asLogin(t, h.name, "git -C stock pull -q")
			got, want := onHost(t, h.name, listModes+"modes Code/nixcfg"), onHost(t, h.name, listModes+"modes stock")
			if got != want {
				t.Errorf("%s: the checkout differs from the one that git pull leaves (-):\n%s", what, difference(want, got))
			}
			if t.Failed() {
				continue
			}
			list, activate := "stat -c '%A %U %G' /etc/lab-activation", `sudo systemd-run --quiet --pipe --wait --service-type=exec (readlink -f /run/current-system)/bin/switch-to-configuration test`
			if h.kind == "home" {
				list = "find " + homeFiles + " -printf '%M %u %g %P\n'"
				activate = "set generation (readlink -f .local/state/nix/profiles/home-manager); $generation/activate --driver-version 1"
			}
			got = onHost(t, h.name, list)
			onHost(t, h.name, "sudo rm -rf /etc/lab-activation "+homeFiles)
			asLogin(t, h.name, activate)
			if want := onHost(t, h.name, list); got != want {
				t.Errorf("%s: the activation left other modes than by hand (-):\n%s", what, difference(want, got))
			}
		}
	}
}

// writeFiles writes files to the clone of the repository, for the next push. Scripts are
// executable.
func (h *labHost) writeFiles(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(h.clone, name)
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
}
