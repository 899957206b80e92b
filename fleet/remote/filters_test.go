package remote

import (
	"os"
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
