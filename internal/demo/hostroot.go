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
	"strconv"
	"strings"
)

// standins holds the programs of a host. Those that are part of a system are installed in its
// template, which the stand-in for nix copies.
//
//go:embed standins
var standins embed.FS

// standinPaths maps a stand-in to its path in a root, if that is not in the default profile.
var standinPaths = map[string]string{
	"sudo":                    wrappers + "/sudo",
	"id":                      wrappers + "/id",
	"directives":              "etc/demo/directives",
	"switch-to-configuration": "etc/demo/nixos/bin/switch-to-configuration",
	"nixos-version":           "etc/demo/nixos/sw/bin/nixos-version",
	"activate-darwin":         "etc/demo/darwin/activate",
	"activate-home":           "etc/demo/home/activate",
}

const (
	wrappers   = "run/wrappers/bin"
	profileBin = "nix/var/nix/profiles/default/bin"
)

// firstGenerationScript builds the checkout's commit and makes it the running system. Its arguments
// are the host's kind, the attribute path of its configuration, and the number of its generation,
// as if those before had been deleted.
const firstGenerationScript = `set -eu
PATH=$FLEETCTL_ROOT/nix/var/nix/profiles/default/bin:$PATH
cd "$HOME/Code/nixcfg"
nix build ".#$2" --out-link "$FLEETCTL_ROOT/tmp/built" 2>/dev/null
case $1 in
  home) profile=$HOME/.local/state/nix/profiles/home-manager ;;
  *) profile=$FLEETCTL_ROOT/nix/var/nix/profiles/system ;;
esac
nix-env --profile "$profile" --set "$FLEETCTL_ROOT/tmp/built"
if [ "$3" -gt 1 ]; then
  mv "$profile-1-link" "$profile-$3-link"
  ln -sfn "${profile##*/}-$3-link" "$profile"
fi
system=$(cd "$FLEETCTL_ROOT/tmp/built" && pwd -P)
case $1 in
  home) # a home's revision is known only from the record that a deploy writes
    mkdir -p "$HOME/.local/state/fleetctl"
    echo "$system $(git rev-parse HEAD)" >"$HOME/.local/state/fleetctl/revisions"
    ;;
  *) ln -s "$system" "$FLEETCTL_ROOT/run/current-system" && ln -s "$system" "$FLEETCTL_ROOT/run/booted-system" ;;
esac
rm "$FLEETCTL_ROOT/tmp/built"
`

// createHost creates a host's root, with a checkout that lacks the newest commits.
func (f *Fleet) createHost(ctx context.Context, h *host) error {
	for _, dir := range []string{"nix/store", "root", "tmp", "run", "etc/demo/nixos/etc", "etc/demo/darwin/etc", "etc/demo/home/etc"} {
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
	// A copy of the operator's clone is the same as another clone, and takes less time.
	if err := os.CopyFS(h.checkout(), os.DirFS(f.clone())); err != nil {
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
	for part, kernelPart := range kernelParts {
		target := filepath.Join(h.root, "nix/store", kernels[0], kernelPart)
		if err := os.Symlink(target, filepath.Join(h.root, "etc/demo/nixos", part)); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-s", "--", h.Kind, h.installable(), strconv.Itoa(h.Generation))
	cmd.Stdin = strings.NewReader(firstGenerationScript)
	cmd.Env = h.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("create the first generation of %s: %w: %s", h.Name, err, out)
	}
	if h.Builder != "" {
		return os.RemoveAll(filepath.Dir(h.checkout()))
	}
	return nil
}

// kernels are the names of the kernels in a host's store. Systems have the first one, unless they
// have the directive new-kernel.
var kernels = []string{"4m0vwz8s3lq7dk1c5x9jbr2ynh6gfpia-linux-6.18.3", "9y2hgb5x0kfd7rwqz3n8cmpj1vs6l4ai-linux-6.19.0"}

// kernelParts maps a link in a NixOS system to what it points to in a kernel.
var kernelParts = map[string]string{"kernel": "bzImage", "initrd": "initrd", "kernel-modules": "lib/modules"}

// files returns the text of a host's other files, by their path in the root.
func (h *host) files() map[string]string {
	sum := sha256.Sum256([]byte(h.root))
	files := map[string]string{
		"etc/demo/tick":                    "0\n",
		"proc/sys/kernel/random/boot_id":   fmt.Sprintf("%x-%x-%x-%x-%x\n", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16]),
		"proc/sys/kernel/hostname":         h.Name + "\n",
		"etc/demo/system":                  "x86_64-linux\n",
		"etc/demo/nixos/nixos-version":     "26.05.demo",
		"etc/demo/nixos/system":            "x86_64-linux",
		"etc/demo/home/gen-version":        "1\n",
		"etc/demo/home/home-files/.demorc": "# shared\n",
	}
	if h.Kind == "darwin" {
		files["etc/demo/system"] = "aarch64-darwin\n"
	}
	for _, kernel := range kernels {
		_, version, _ := strings.Cut(kernel, "-")
		for _, name := range []string{"bzImage", "initrd", "lib/modules/modules.dep"} {
			files[path.Join("nix/store", kernel, name)] = version + "\n"
		}
	}
	if h.Kind == "nixos" {
		files["etc/os-release"] = "NAME=NixOS\nVERSION_ID=\"26.05\"\n"
	}
	return files
}

// applyOptions applies the options that may change each time a fleet is started.
func (f *Fleet) applyOptions(h *host) error {
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
		return write(filepath.Join(h.checkout(), "flake.nix"), flake+"# work in progress\n", 0o644)
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
		name, ok := standinPaths[e.Name()]
		if !ok {
			name = path.Join(profileBin, e.Name())
		}
		if err := write(filepath.Join(root, name), string(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// tools lists the programs that fleetctl's scripts and the stand-ins use. linkTools links them into
// the hosts if they are not in the usual directories, as on NixOS.
var tools = strings.Fields(`awk base64 basename cat chmod cksum cp cut date dd df dirname env expr find getconf git grep head ln ls mkdir mkfifo mktemp mv
	nohup od ps readlink rm rmdir sed setsid sha256sum sleep sort stat tail tar tee tr touch uname uniq wc xargs cmp`)

func linkTools(bin string) error {
	for _, tool := range tools {
		path, err := exec.LookPath(tool)
		if err != nil {
			continue // macOS has no setsid; the scripts do not require the others either
		}
		switch filepath.Dir(path) {
		case "/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin":
			continue
		}
		if path, err = filepath.Abs(path); err != nil {
			return err
		}
		if err := os.Symlink(path, filepath.Join(bin, tool)); err != nil {
			return err
		}
	}
	return nil
}

// write writes a file and creates its directory if necessary.
func write(name, text string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), mode)
}
