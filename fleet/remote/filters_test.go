package remote

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFiltersAreFoundInPathOfLogin has a program, like that of Git LFS, that the shells of a
// session do not find.
func TestFiltersAreFoundInPathOfLogin(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{".nix-profile/bin", "tools/bin"} {
		for _, managed := range []bool{false, true} {
			f := newRepoFixture(t)
			f.extra = []string{"SHELL=/bin/sh", "PATH=/usr/bin:/bin"}
			rev := f.commit(map[string]string{".gitattributes": "secret filter=upper\n", "secret": "text\n"})
			f.write(dir+"/upper-case", "#!/bin/sh\ncase $1 in clean) tr A-Z a-z ;; *) tr a-z A-Z ;; esac\n")
			f.write(".profile", "echo 'Welcome!'\nPATH=$HOME/tools/bin:$PATH\n")
			f.sh("chmod +x \"$0\"/*; git config --global filter.upper.smudge 'upper-case smudge'; "+
				"git config --global filter.upper.clean 'upper-case clean'; git config --global filter.upper.required true", dir)
			j := f.job("pull", rev)
			if managed {
				j.Repo, j.Managed, j.Remote = "", true, f.origin
			}
			end, out := f.launch(j, "022")
			if end.Word != "pulled" {
				t.Errorf("the job ended with %+v\n%s", end, out)
				continue
			}
			files, err := filepath.Glob(filepath.Join(f.home, ".local/state/fleetctl/repos/*/secret"))
			if err != nil || !managed {
				files = []string{filepath.Join(f.checkout(), "secret")}
			}
			for _, file := range files {
				if text, err := os.ReadFile(file); err != nil || string(text) != "TEXT\n" {
					t.Errorf("%s: %q, %v", file, text, err)
				}
			}
			if managed {
				continue
			}
			// The next preflight finds the checkout clean, although git has to read the file again.
			f.sh("touch -d '2001-01-01' c/secret")
			j = f.job("pull", rev)
			if end, out := f.launch(j, "022"); end.Word != "unchanged" {
				t.Errorf("the second job ended with %+v\n%s", end, out)
			}
		}
	}
}

// TestPreviewReadsFilteredFilesLikeBuild has a flake that depends on a file that a filter changes.
func TestPreviewReadsFilteredFilesLikeBuild(t *testing.T) {
	t.Parallel()
	f := newNixFixture(t)
	f.push("", true)
	f.sh("git config --global filter.upper.smudge 'tr a-z A-Z'; git config --global filter.upper.clean 'tr A-Z a-z'; git config --global filter.upper.required true")
	f.sh("sed -i 's|inherit (dep) name;|name = builtins.substring 0 4 (builtins.readFile ./secret);|' author/flake.nix")
	rev := f.commit(map[string]string{".gitattributes": "secret filter=upper\n", "secret": "text\n"})
	preview := f.preview(PreviewRequest{Checkout: Checkout{Repo: "~/c"}, Rev: rev}, true)
	if len(preview.Warnings) != 1 || !strings.Contains(preview.Warnings[0], "filters") {
		t.Errorf("before the pull, the plan warns of %q", preview.Warnings)
	}
	end, out := f.launch(f.job("build", rev), "022")
	_, built, _ := strings.Cut(out, "fact built ")
	built, _, _ = strings.Cut(built, "\n")
	preview = f.preview(PreviewRequest{Checkout: Checkout{Repo: "~/c"}, Rev: rev, BuildTimeout: time.Minute}, true)
	if end.Word != "built" || !strings.HasSuffix(built, "-TEXT") || preview.Built != built || preview.Warnings != nil {
		t.Errorf("the job ended with %+v, the preview is %+v\n%s", end, preview, out)
	}
}

// TestPullWithGitLFSAndGitCrypt uses the real programs.
func TestPullWithGitLFSAndGitCrypt(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"git-lfs", "git-crypt"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("needs " + program)
		}
	}
	f := newRepoFixture(t)
	f.sh("git lfs install --skip-repo; for d in author c; do git -C $d remote set-url origin file://$0; done", f.origin)
	f.sh("cd author && git crypt init && git crypt export-key ~/key && cd ../c && git crypt unlock ~/key")
	f.commit(map[string]string{".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\nsecret filter=git-crypt diff=git-crypt\n"})
	for _, text := range []string{"one\n", "two\n"} {
		rev := f.commit(map[string]string{"big.bin": text, "secret": text})
		if stored := f.git(f.author, "show", rev+":big.bin"); !strings.HasPrefix(stored, "version https://git-lfs") {
			t.Fatalf("LFS does not work here: %q", stored)
		}
		end, out := f.launch(f.job("pull", rev), "022")
		if end.Word != "pulled" {
			t.Errorf("the job ended with %+v\n%s", end, out)
		}
		for _, file := range []string{"big.bin", "secret"} {
			if got, err := os.ReadFile(filepath.Join(f.checkout(), file)); err != nil || string(got) != text {
				t.Errorf("%s is %q, %v, want %q", file, got, err, text)
			}
		}
		if status := f.git(f.checkout(), "status", "--porcelain"); status != "" {
			t.Errorf("status %q", status)
		}
	}
	// Without the program, the next run fails and leaves everything as it was.
	rev := f.commit(map[string]string{"big.bin": "three\n"})
	f.sh("touch -d '2001-01-01' c/big.bin") // so that git status has to read it
	f.sh("git config --global filter.lfs.process no-such-lfs; git config --global filter.lfs.smudge no-such-lfs")
	end, out := f.launch(f.job("pull", rev), "022")
	if want := `git status failed in "` + f.checkout() + `": big.bin: clean filter 'lfs' failed`; end.Text != want {
		t.Errorf("%q, want %q", end.Text, want)
	}
	if got, err := os.ReadFile(filepath.Join(f.checkout(), "big.bin")); end.Code != "checkout" || err != nil || string(got) != "two\n" {
		t.Errorf("the job ended with %+v, big.bin is %q, %v\n%s", end, got, err, out)
	}
}
