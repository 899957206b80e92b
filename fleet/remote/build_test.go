package remote

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/testrounds"
)

// nixFixture is a checkout with a flake that the real Nix of this machine can build, in a store of
// its own.
type nixFixture struct{ *repoFixture }

// flakeText is a flake whose system for "h" is an empty directory named after the flake's input.
const flakeText = `{
  inputs.dep.url = "git+file://DEP";
  outputs = { self, dep }: {
    homeConfigurations."me@h".activationPackage = derivation {
      inherit (dep) name;
      system = "x86_64-linux";
      builder = "/bin/sh";
      args = [ "-c" "/bin/mkdir $out" ];
    };
  };
}
`

func newNixFixture(t *testing.T) *nixFixture {
	t.Helper()
	if _, err := exec.LookPath("nix"); err != nil {
		t.Skip("needs nix")
	}
	f := &nixFixture{newRepoFixture(t)}
	f.extra = []string{
		"NIX_STORE_DIR=" + f.home + "/store", "NIX_STATE_DIR=" + f.home + "/var", "NIX_LOG_DIR=" + f.home + "/log",
		"NIX_CONF_DIR=" + f.home + "/conf", "NIX_REMOTE=local",
		"NIX_CONFIG=experimental-features = nix-command flakes\nsandbox = false\nbuild-users-group =\nsubstituters =",
	}
	f.write("dep/flake.nix", `{ outputs = _: { name = "one"; }; }`)
	f.sh("git init -q dep && git -C dep add -A && git -C dep commit -q -m dep")
	return f
}

// push pushes the flake, in a directory of the repository, and returns the commit.
func (f *nixFixture) push(dir string, locked bool) string {
	f.t.Helper()
	f.commit(map[string]string{filepath.Join(dir, "flake.nix"): strings.Replace(flakeText, "DEP", f.home+"/dep", 1)})
	if locked {
		out, err := f.login("cd \"$0\" && nix flake lock", filepath.Join(f.author, dir)).CombinedOutput()
		if err != nil {
			f.t.Skipf("needs a nix that can lock a flake: %v\n%s", err, out)
		}
	}
	return f.commit(map[string]string{"hosts/a": time.Now().String()})
}

// preview returns what plan would show.
func (f *nixFixture) preview(r PreviewRequest, build bool) Preview {
	f.t.Helper()
	r.Kind, r.Branch, r.Build, r.PullTimeout, r.BuildTimeout = "home", "main", build, time.Minute, time.Minute
	r.Attribute = Attribute("home", "me@h")
	out, err := f.shell(r.Script("t"), "022").Output()
	if err != nil {
		f.t.Fatalf("%v\n%s", err, out)
	}
	return ParsePreview(out)
}

func TestUnlockedInputFailsBuildAndPreview(t *testing.T) {
	t.Parallel()
	f := newNixFixture(t)
	for _, locked := range []bool{false, true} {
		rev := f.push("", locked)
		preview := f.preview(PreviewRequest{Checkout: Checkout{Repo: "~/c"}, Rev: rev}, false)
		end, out := f.launch(f.job("build", rev), "022")
		if locked {
			if end.Word != "built" || preview.Code != "" {
				t.Errorf("locked: %+v, %+v\n%s", end, preview, out)
			}
			continue
		}
		if end.Word != "failed" || end.Code != "unlocked" || !strings.Contains(end.Text, "flake.lock") {
			t.Errorf("the job ended with %+v\n%s", end, out)
		}
		if preview.Code != "unlocked" || !strings.Contains(preview.Problem, "flake.lock") {
			t.Errorf("the preview is %+v", preview)
		}
		if status := f.git(f.checkout(), "status", "--porcelain"); status != "" {
			t.Errorf("the checkout was changed: %s", status)
		}
	}
	if _, err := os.Stat(filepath.Join(f.checkout(), "flake.lock")); err != nil {
		t.Error(err)
	}
}

// TestBuildAndPreviewUseTheSameFlake compares the store paths of both, for each place of the flake.
func TestBuildAndPreviewUseTheSameFlake(t *testing.T) {
	for name, tt := range testrounds.Some(map[string]struct {
		dir     string // of the flake in the repository
		repo    string // of the inventory
		flake   string // flake_dir
		managed bool
		shallow bool
		code    string
	}{
		"root":                      {repo: "~/c"},
		"flake_dir":                 {dir: "nix/hosts", repo: "~/c", flake: "nix/hosts"},
		"flake_dir, managed":        {dir: "nix/hosts", flake: "nix/hosts", managed: true},
		"repo is in the repository": {dir: "nix/hosts", repo: "~/c/nix/hosts"},
		"repo is below the flake":   {repo: "~/c/hosts"},
		"flake_dir has no flake":    {repo: "~/c", flake: "hosts", code: "no-flake"},
		"shallow":                   {repo: "~/c", shallow: true},
		"shallow, flake_dir":        {dir: "nix", repo: "~/c", flake: "nix", shallow: true},
	}, 3) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newNixFixture(t)
			if tt.dir != "" {
				f.sh("git -C author rm -q flake.nix")
			}
			f.push(tt.dir, true)
			f.sh("rm -rf c && git clone -q $0 file://$1 c", map[bool]string{true: "--depth=1", false: "-q"}[tt.shallow], f.origin)
			rev := f.commit(map[string]string{"hosts/a": "three"})
			c := Checkout{Repo: tt.repo, Managed: tt.managed, Remote: f.origin, FlakeDir: tt.flake}
			j := f.job("build", rev)
			j.Repo, j.Managed, j.Remote, j.FlakeDir = c.Repo, c.Managed, c.Remote, c.FlakeDir
			if tt.managed {
				j.Goal = "pull"
				f.launch(j, "022") // makes the clone
				j.ID, j.Goal = "r.again", "build"
			}
			preview := f.preview(PreviewRequest{Checkout: c, Rev: rev}, true)
			end, out := f.launch(j, "022")
			if tt.code != "" {
				if end.Code != tt.code || preview.Code != tt.code {
					t.Errorf("the job ended with %+v, the preview is %+v\n%s", end, preview, out)
				}
				return
			}
			built := regexp.MustCompile(`fact built (.*)`).FindStringSubmatch(out)
			if end.Word != "built" || built == nil || built[1] != preview.Built {
				t.Errorf("the job ended with %+v, the preview is %+v\n%s", end, preview, out)
			}
			// The files of the whole repository, wherever the flake is in it.
			f.sh("git clone -q $0 files && rm -rf files/.git", f.origin)
			hash := f.sh("nix hash path files")
			if !strings.Contains(out, " fact commit "+rev+"\n") || !strings.Contains(out, " fact nar-hash "+hash+"\n") {
				t.Errorf("the commit is %s, its files have the hash %s\n%s", rev, hash, out)
			}
			if status := f.git(f.checkout(), "status", "--porcelain"); status != "" {
				t.Errorf("the checkout was changed: %s", status)
			}
		})
	}
}
