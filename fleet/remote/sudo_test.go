package remote

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSudoIsOnlyRunFromTrustedDirectories plants a sudo everywhere a login user could.
func TestSudoIsOnlyRunFromTrustedDirectories(t *testing.T) {
	t.Parallel()
	script := composeText("# uses: sudo\nmain() {\n  prompt=$1\n  as_root true\n  echo \"$root_status $root_output\"\n}\n", "")
	for _, trusted := range []string{"", "run/wrappers/bin", "usr/bin"} {
		for _, prompt := range []string{"", "password:"} {
			f := newRepoFixture(t)
			f.write("run/wrappers/bin/id", "#!/bin/sh\necho 1000\n")
			planted := []string{".nix-profile/bin", ".local/state/nix/profile/bin", "etc/profiles/per-user/me/bin", "bin", "usr/local/bin"}
			for _, dir := range planted {
				f.write(dir+"/sudo", "#!/bin/sh\necho stolen\n")
			}
			want := "127 "
			if trusted != "" {
				f.write(trusted+"/sudo", "#!/bin/sh\necho trusted\n")
				want = "0 trusted"
			}
			f.sh("find . -name sudo -o -name id | xargs chmod +x")
			f.extra = []string{"PATH=" + filepath.Join(f.home, "bin") + ":" + os.Getenv("PATH")}
			out, err := f.shell(Script{Text: script.text, Args: []string{prompt}}, "022").CombinedOutput()
			if got := strings.TrimRight(string(out), "\n"); err != nil || got != want {
				t.Errorf("with sudo in %q and prompt %q: got %q, %v, want %q", trusted, prompt, got, err, want)
			}
		}
	}
}
