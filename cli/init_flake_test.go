package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A flake with all that init looks at. Whoever evaluates a configuration is thrown out.
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

// Nix itself evaluates: the flake of a directory, of a repository with changes, and of a directory below one.
func TestInitTakesHostsFromARealFlake(t *testing.T) {
	env := nixEnv(t)
	for name, lay := range map[string]func(t *testing.T, dir string) (flake string){
		"a directory": func(t *testing.T, dir string) string {
			return layFlake(t, filepath.Join(dir, "nixcfg"))
		},
		"a repository": func(t *testing.T, dir string) string {
			layFlake(t, dir)
			git(t, dir, "init", "-q")
			git(t, dir, "add", "flake.nix")
			git(t, dir, "commit", "-qm", "the fleet")
			if err := os.WriteFile(filepath.Join(dir, "flake.nix"), []byte(toyFlake+"# changed\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			return dir
		},
		"below a repository's top": func(t *testing.T, dir string) string {
			git(t, dir, "init", "-q")
			flake := layFlake(t, filepath.Join(dir, "hosts"))
			git(t, dir, "add", "hosts")
			return flake
		},
		"a reference": func(t *testing.T, dir string) string {
			return "path:" + layFlake(t, dir)
		},
	} {
		t.Run(name, func(t *testing.T) {
			flake, file := lay(t, t.TempDir()), filepath.Join(t.TempDir(), "hosts.toml")
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

func TestInitSaysWhatNixHasAgainstAFlake(t *testing.T) {
	env, dir := nixEnv(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "flake.nix"), []byte(`{ outputs = _: { nixosConfigurations = throw "not today"; }; }`), 0o644); err != nil {
		t.Fatal(err)
	}
	err := runInit(t.Context(), env, initOptions{file: filepath.Join(dir, "hosts.toml"), flake: dir})
	if err == nil || !strings.HasSuffix(err.Error(), `cannot be read: not today`) {
		t.Errorf("got %v", err)
	}
}

// Not every nix takes every path. Where it does not, it is said what to do.
func TestInitKnowsThatAPathCanBeTooMuchForNix(t *testing.T) {
	env := nixEnv(t)
	for _, name := range []string{"my nixcfg", "nix#cfg"} {
		for _, repository := range []bool{false, true} {
			flake, file := layFlake(t, filepath.Join(t.TempDir(), name)), filepath.Join(t.TempDir(), "hosts.toml")
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

// nixEnv is an operator with a Nix of their own: its store is theirs, and empty.
func nixEnv(t *testing.T) *Env {
	t.Helper()
	if _, err := exec.LookPath("nix"); err != nil {
		t.Skip("needs nix")
	}
	home := t.TempDir()
	environ := append(os.Environ(), "HOME="+home)
	for _, part := range []string{"store", "state", "log", "conf"} {
		environ = append(environ, "NIX_"+strings.ToUpper(part)+"_DIR="+filepath.Join(home, part))
	}
	return &Env{Home: home, User: "mba", Environ: environ, Out: t.Output()}
}

func layFlake(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "flake.nix"), []byte(toyFlake), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@t", "-C", dir}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
}
