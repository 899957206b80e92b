package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// toyFlake has everything that init reads. Evaluating a configuration throws.
const toyFlake = `{
  outputs = _: {
    nixosConfigurations = { hsb0 = throw "evaluated"; web = throw "evaluated"; };
    darwinConfigurations = { mbp = throw "evaluated"; WEB = throw "evaluated"; };
    homeConfigurations = {
      "mba@hsb0" = throw "evaluated"; "ada@hsb0" = throw "evaluated"; "markus@imac0" = throw "evaluated"; "nobody" = throw "evaluated";
    };
    deploy = {
      sshUser = "root";
      nodes = {
        hsb0 = { hostname = "192.168.1.99"; };
        imac0 = { hostname = "imac0.lan"; sshUser = "admin"; };
        gone = { hostname = "x"; };
      };
    };
  };
}
`

const toyHosts = `
[hosts.hsb0]
kind = "nixos"
address = "192.168.1.99"
user = "root"

[hosts.web]
kind = "nixos"

[hosts.mbp]
kind = "darwin"

[hosts.hsb0-ada]
kind = "home"
attr = "ada@hsb0"
address = "192.168.1.99"
user = "ada"

[hosts.imac0]
kind = "home"
attr = "markus@imac0"
address = "imac0.lan"
user = "markus"

[hosts.hsb0-mba]
kind = "home"
attr = "mba@hsb0"
address = "192.168.1.99"
user = "mba"

# Left out:
#
#   darwinConfigurations."WEB": the name "web" is taken
#   homeConfigurations."nobody": its name is not of the form USER@HOST
`

// TestInitReadsHostsFromFlake has nix evaluate a flake in a directory, in a dirty repository and in
// a subdirectory of one.
func TestInitReadsHostsFromFlake(t *testing.T) {
	env := nixEnv(t)
	for name, write := range map[string]func(t *testing.T, dir string) (flake string){
		"directory": func(t *testing.T, dir string) string {
			return writeFlake(t, filepath.Join(dir, "nixcfg"))
		},
		"dirty repository": func(t *testing.T, dir string) string {
			writeFlake(t, dir)
			git(t, dir, "init", "-q")
			git(t, dir, "add", "flake.nix")
			git(t, dir, "commit", "-qm", "the fleet")
			writeFile(t, filepath.Join(dir, "flake.nix"), toyFlake+"# changed\n")
			return dir
		},
		"subdirectory of a repository": func(t *testing.T, dir string) string {
			git(t, dir, "init", "-q")
			flake := writeFlake(t, filepath.Join(dir, "hosts"))
			git(t, dir, "add", "hosts")
			return flake
		},
		"reference": func(t *testing.T, dir string) string {
			return "path:" + writeFlake(t, dir)
		},
	} {
		t.Run(name, func(t *testing.T) {
			flake, file := write(t, t.TempDir()), filepath.Join(t.TempDir(), "hosts.toml")
			if err := runInit(t.Context(), env, initOptions{file: file, flake: flake}); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(string(text), toyHosts) {
				t.Errorf("got\n%s", text)
			}
		})
	}
}

func TestInitReportsErrorOfNix(t *testing.T) {
	env, dir := nixEnv(t), t.TempDir()
	writeFile(t, filepath.Join(dir, "flake.nix"), `{ outputs = _: { nixosConfigurations = throw "not today"; }; }`)
	err := runInit(t.Context(), env, initOptions{file: filepath.Join(dir, "hosts.toml"), flake: dir})
	if err == nil || !strings.HasSuffix(err.Error(), `cannot be read: not today`) {
		t.Errorf("got %v", err)
	}
}

// TestInitHandlesPathsThatNixRejects uses paths that not every version of nix supports. If a
// version does not, the error must have a hint.
func TestInitHandlesPathsThatNixRejects(t *testing.T) {
	env := nixEnv(t)
	for _, name := range []string{"my nixcfg", "nix#cfg"} {
		for _, repository := range []bool{false, true} {
			flake, file := writeFlake(t, filepath.Join(t.TempDir(), name)), filepath.Join(t.TempDir(), "hosts.toml")
			if repository {
				git(t, flake, "init", "-q")
				git(t, flake, "add", ".")
			}
			err := runInit(t.Context(), env, initOptions{file: file, flake: flake})
			var hinted interface{ Hint() string }
			if errors.As(err, &hinted) {
				if !strings.Contains(hinted.Hint(), flake) || exitCode(err, true) != 2 {
					t.Errorf("%s: %v; %s", flake, err, hinted.Hint())
				}
			} else if text, _ := os.ReadFile(file); err != nil || !strings.HasSuffix(string(text), toyHosts) {
				t.Errorf("%s: %v\n%s", flake, err, text)
			}
		}
	}
}

// writeFlake writes toyFlake to a directory and returns the directory.
func writeFlake(t *testing.T, dir string) string {
	t.Helper()
	writeFile(t, filepath.Join(dir, "flake.nix"), toyFlake)
	return dir
}
