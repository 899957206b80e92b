package remote

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// snapshot returns the commit, the status and the files of the checkout.
func (f *repoFixture) snapshot() string {
	f.t.Helper()
	return f.sh("cd c && git rev-parse HEAD && git status --porcelain && git submodule status && " +
		"find . -name .git -prune -o -type f -print | sort | xargs cksum")
}

func TestFailedFastForwardLeavesTree(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare string // runs in the home before the job
		files   map[string]string
		code    string
		reason  string
		after   string // runs in the home after the job
	}{
		"filter program is missing": {
			prepare: "git config --global filter.crypt.smudge no-such-program; git config --global filter.crypt.clean cat; git config --global filter.crypt.required true",
			files:   map[string]string{".gitattributes": "secret* filter=crypt\n", "secret": "new", "a/b/c": "new", "hosts/a": "two"},
			code:    "checkout", reason: "smudge filter crypt failed",
		},
		"index is locked": {
			prepare: ": >c/.git/index.lock", files: map[string]string{"hosts/a": "two"},
			code: "checkout", reason: "index.lock': File exists", after: "rm c/.git/index.lock",
		},
		"untracked file is in the way": {
			prepare: "echo mine >c/new", files: map[string]string{"hosts/a": "two", "new": "theirs"},
			code: "dirty", reason: "does not track",
		},
		// git writes some files before it notices.
		"directory cannot be written": {
			prepare: "mkdir c/z && chattr +i c/z", files: map[string]string{"a/new": "x", "hosts/a": "two", "z/new": "x"},
			code: "checkout", reason: "z/new", after: "chattr -i c/z",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newRepoFixture(t)
			f.commit(map[string]string{"secret": "old"})
			f.sh("git -C c pull -q --ff-only")
			before := f.snapshot()
			// The author has no filters.
			rev := f.commit(tt.files)
			if out, err := f.login(tt.prepare).CombinedOutput(); err != nil && strings.Contains(tt.prepare, "chattr") {
				t.Skipf("only root can make a directory immutable, and not on every file system: %s", out)
			} else if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if name == "untracked file is in the way" {
				before = f.snapshot()
			}
			end, out := f.launch(f.job("pull", rev), "022")
			if tt.after != "" {
				f.sh(tt.after)
			}
			if end.Word != "failed" || end.Code != tt.code || !strings.Contains(end.Text, tt.reason) {
				t.Errorf("the job ended with %+v\n%s", end, out)
			}
			f.sh("git config --global --remove-section filter.crypt || :")
			if after := f.snapshot(); after != before {
				t.Errorf("the checkout changed from\n%s\nto\n%s\n%s", before, after, out)
			}
		})
	}
}

func TestPullSucceedsWithFilter(t *testing.T) {
	t.Parallel()
	f := newRepoFixture(t)
	rev := f.commit(map[string]string{".gitattributes": "secret filter=upper\n", "secret": "text\n"})
	f.sh("git config --global filter.upper.smudge 'tr a-z A-Z'; git config --global filter.upper.clean 'tr A-Z a-z'; git config --global filter.upper.required true")
	end, out := f.launch(f.job("pull", rev), "022")
	text, err := os.ReadFile(filepath.Join(f.checkout(), "secret"))
	if end.Word != "pulled" || err != nil || string(text) != "TEXT\n" {
		t.Errorf("%+v: %q, %v\n%s", end, text, err, out)
	}
	if status := f.git(f.checkout(), "status", "--porcelain"); status != "" {
		t.Errorf("status %q", status)
	}
}

// newSubmoduleFixture returns a checkout with the submodules "used", which has one itself, and
// "unused", of which the first is initialized.
func newSubmoduleFixture(t *testing.T) *repoFixture {
	f := newRepoFixture(t)
	f.sh(`for name in inner used unused; do
  git init -q $name
  echo one >$name/file
  git -C $name add -A
  git -C $name commit -q -m one
done
git -C used submodule -q add $HOME/inner inner
git -C used commit -q -m inner
git -C author submodule -q add $HOME/used used
git -C author submodule -q add $HOME/unused unused`)
	f.commit(nil)
	f.sh("git -C c pull -q && git -C c submodule -q update --init --recursive used")
	return f
}

// bumpSubmodules pushes a commit with newer submodules.
func (f *repoFixture) bumpSubmodules() string {
	f.t.Helper()
	f.sh(`for name in inner used unused; do echo two >$name/file; git -C $name commit -q -a -m two; done
git -C used/inner pull -q
git -C used commit -q -a -m inner
git -C author submodule -q update --init --recursive --remote used unused`)
	return f.commit(nil)
}

func TestPullUpdatesInitializedSubmodules(t *testing.T) {
	t.Parallel()
	for _, managed := range []bool{false, true} {
		f := newSubmoduleFixture(t)
		rev := f.bumpSubmodules()
		j := f.job("pull", rev)
		j.Managed, j.Remote = managed, f.origin
		end, out := f.launch(j, "022")
		dir := f.checkout()
		if managed {
			clones, err := filepath.Glob(f.home + "/.local/state/fleetctl/repos/*")
			if err != nil || len(clones) != 1 {
				t.Fatal(clones, err, out)
			}
			dir = clones[0]
		}
		status := f.git(dir, "status", "--porcelain", "--untracked-files=no")
		if end.Word != "pulled" || status != "" {
			t.Errorf("managed %v: %+v, %q\n%s", managed, end, status, out)
		}
		for name, want := range map[string]bool{"used/file": true, "used/inner/file": true, "unused/file": managed} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if want && string(text) != "two\n" || !want && err == nil {
				t.Errorf("managed %v: %s is %q, %v", managed, name, text, err)
			}
		}
		// Nothing that fleetctl did keeps the next deploy from working.
		j.ID, j.Rev = "r.next", f.commit(map[string]string{"hosts/a": "three"})
		if end, out := f.launch(j, "022"); end.Word != "pulled" {
			t.Errorf("managed %v: the next run: %+v\n%s", managed, end, out)
		}
	}
}

func TestFailedSubmoduleLeavesTree(t *testing.T) {
	t.Parallel()
	f := newSubmoduleFixture(t)
	before := f.snapshot()
	rev := f.bumpSubmodules()
	f.sh("mv used gone")
	end, out := f.launch(f.job("pull", rev), "022")
	if end.Code != "submodules" || !strings.Contains(end.Text, "used") {
		t.Errorf("%+v\n%s", end, out)
	}
	if after := f.snapshot(); after != before {
		t.Errorf("the checkout changed from\n%s\nto\n%s\n%s", before, after, out)
	}
}

// TestFailedFetchShowsNoPassword has a checkout whose remote has a password in its URL.
func TestFailedFetchShowsNoPassword(t *testing.T) {
	t.Parallel()
	f := newRepoFixture(t)
	f.git(f.checkout(), "remote", "set-url", "origin", "http://me:geheim@127.0.0.1:9/x.git")
	end, out := f.launch(f.job("pull", strings.Repeat("1", 40)), "022")
	if end.Code != "no-network" || !strings.Contains(end.Text, "http://me:***@127.0.0.1:9/x.git") {
		t.Errorf("%+v", end)
	}
	if strings.Contains(out, "geheim") {
		t.Errorf("the log has the password:\n%s", out)
	}
	check, err := f.shell(f.job("check", "").Check("t"), "022").CombinedOutput()
	if err != nil || !strings.Contains(string(check), "http://me:***@127.0.0.1:9/x.git") || strings.Contains(string(check), "geheim") {
		t.Errorf("the check: %v\n%s", err, check)
	}
}

// TestFailedSubmoduleShowsNoPassword clones a submodule whose URL has a password.
func TestFailedSubmoduleShowsNoPassword(t *testing.T) {
	t.Parallel()
	f := newSubmoduleFixture(t)
	f.git(f.home+"/author", "config", "-f", ".gitmodules", "submodule.used.url", "http://me:geheim@127.0.0.1:9/x.git")
	j := f.job("pull", f.commit(nil))
	j.Managed, j.Remote = true, f.origin
	end, out := f.launch(j, "022")
	if end.Code != "submodules" || !strings.Contains(out, "http://me:***@127.0.0.1:9/x.git") {
		t.Errorf("%+v\n%s", end, out)
	}
	if strings.Contains(out, "geheim") {
		t.Errorf("the log has the password:\n%s", out)
	}
}

// TestPullNeedsNoRoot has a host on which there is no sudo.
func TestPullNeedsNoRoot(t *testing.T) {
	t.Parallel()
	f := newRepoFixture(t)
	j := f.job("pull", f.commit(map[string]string{"hosts/a": "two"}))
	j.Kind = "nixos"
	if end, out := f.launch(j, "022"); end.Word != "pulled" {
		t.Errorf("%+v\n%s", end, out)
	}
}
