package demo

import (
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// standins are the programs that a host has: in its wrappers and its default profile, or, for those that are part of a
// system, as what the stand-in for nix builds from.
//
//go:embed standins
var standins embed.FS

// places tells where in a root a stand-in goes, if not into the default profile.
var places = map[string]string{
	"sudo":                    wrappers,
	"id":                      wrappers,
	"switch-to-configuration": "etc/demo",
	"nixos-version":           "etc/demo",
	"activate-darwin":         "etc/demo",
	"activate-home":           "etc/demo",
}

const (
	wrappers   = "run/wrappers/bin"
	profileBin = "nix/var/nix/profiles/default/bin"
)

// firstGeneration makes a host run what its checkout is at.
const firstGeneration = `set -eu
PATH=$FLEETCTL_ROOT/nix/var/nix/profiles/default/bin:$PATH
cd "$HOME/Code/nixcfg"
nix build ".#$2" --out-link "$FLEETCTL_ROOT/tmp/built" 2>/dev/null
case $1 in
  home) profile=$HOME/.local/state/nix/profiles/home-manager ;;
  *) profile=$FLEETCTL_ROOT/nix/var/nix/profiles/system ;;
esac
nix-env --profile "$profile" --set "$FLEETCTL_ROOT/tmp/built"
system=$(cd "$FLEETCTL_ROOT/tmp/built" && pwd -P)
case $1 in
  home) # nothing tells a home's revision but what the deploy before this one wrote down
    mkdir -p "$HOME/.local/state/fleetctl"
    echo "$system $(git rev-parse HEAD)" >"$HOME/.local/state/fleetctl/revisions"
    ;;
  *) ln -s "$system" "$FLEETCTL_ROOT/run/current-system" && ln -s "$system" "$FLEETCTL_ROOT/run/booted-system" ;;
esac
rm "$FLEETCTL_ROOT/tmp/built"
`

// furnish makes a host's root, with a checkout that lacks the newest commits.
func (f *Fleet) furnish(ctx context.Context, h *machine) error {
	for _, dir := range []string{"nix/store", "root", "tmp", "run", "etc/demo"} {
		if err := os.MkdirAll(filepath.Join(h.root, dir), 0o755); err != nil {
			return err
		}
	}
	if err := installStandins(h.root); err != nil {
		return err
	}
	if err := linkTools(filepath.Join(h.root, profileBin)); err != nil {
		return err
	}
	if _, err := git(ctx, f.Dir, "clone", "-q", f.Origin, h.checkout()); err != nil {
		return err
	}
	if _, err := git(ctx, h.checkout(), "reset", "-q", "--hard", fmt.Sprintf("HEAD~%d", h.behind)); err != nil {
		return err
	}
	for name, text := range h.files() {
		if err := write(filepath.Join(h.root, name), text, 0o644); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-s", "--", h.Kind, h.installable())
	cmd.Stdin = strings.NewReader(firstGeneration)
	cmd.Env = h.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: its first generation: %w: %s", h.Name, err, out)
	}
	return nil
}

// files are what a host has of its own, beside programs.
func (h *machine) files() map[string]string {
	sum := sha256.Sum256([]byte(h.root))
	files := map[string]string{
		"etc/demo/tick":                  "0\n",
		"proc/sys/kernel/random/boot_id": fmt.Sprintf("%x-%x-%x-%x-%x\n", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16]),
		"proc/sys/kernel/hostname":       h.Name + "\n",
	}
	if h.Kind == "nixos" {
		files["etc/os-release"] = "NAME=NixOS\nVERSION_ID=\"26.05\"\n"
	}
	return files
}

// vary gives a host the traits that the options ask for. They may differ from one start in the same directory to the next.
func (f *Fleet) vary(h *machine) error {
	tick := f.tick.Seconds() * h.slowness
	if err := write(filepath.Join(h.root, "etc/demo/tick"), fmt.Sprintf("%g\n", tick), 0o644); err != nil {
		return err
	}
	if h.SudoPassword != "" {
		if err := write(filepath.Join(h.root, "etc/demo/sudo-password"), h.SudoPassword+"\n", 0o600); err != nil {
			return err
		}
	}
	if h.Dirty {
		return write(filepath.Join(h.checkout(), "flake.nix"), flake+"# somebody is at work here\n", 0o644)
	}
	return nil
}

func installStandins(root string) error {
	entries, err := standins.ReadDir("standins")
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := standins.ReadFile(path.Join("standins", e.Name()))
		if err != nil {
			return err
		}
		place, ok := places[e.Name()]
		if !ok {
			place = profileBin
		}
		if err := write(filepath.Join(root, place, e.Name()), string(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// tools is what fleetctl's scripts and the stand-ins call beyond sh. A machine that keeps it elsewhere than in the
// system's directories, as NixOS does, has it linked into the hosts.
var tools = strings.Fields(`awk basename cat chmod cksum cp cut date dd df dirname env expr find getconf git grep head ln ls mkdir mkfifo mktemp mv
	nohup od ps readlink rm rmdir sed setsid sleep sort stat tail tee tr touch uname uniq wc xargs cmp`)

func linkTools(bin string) error {
	for _, tool := range tools {
		at, err := exec.LookPath(tool)
		if err != nil {
			continue // setsid is Linux's alone, and what else is missing the scripts do without
		}
		switch filepath.Dir(at) {
		case "/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin":
			continue
		}
		if at, err = filepath.Abs(at); err != nil {
			return err
		}
		if err := os.Symlink(at, filepath.Join(bin, tool)); err != nil {
			return err
		}
	}
	return nil
}

// write puts a file where there may be no directory yet.
func write(name, text string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), mode)
}
