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

// TestPasswordIsRequestedWithEverySudo has what sudo 1.9.16 and sudo-rs 0.2.5 print if "sudo -n"
// fails.
func TestPasswordIsRequestedWithEverySudo(t *testing.T) {
	script := composeText("# uses: refuse_root\nmain() {\n  prompt='' token=t\n  as_root true\n  refuse_root\n}\n", "")
	for message, want := range map[string]string{
		"sudo: a password is required":                      "@t refused sudo-password\n",
		"sudo-rs: interactive authentication is required":   "@t refused sudo-password\n",
		"sudo-rs: I'm sorry me. I'm afraid I can't do that": "@t refused sudo-denied text=sudo-rs: I'm sorry me. I'm afraid I can't do that\n",
		"me is not in the sudoers file.":                    "@t refused sudo-denied text=me is not in the sudoers file.\n",
	} {
		f := newRepoFixture(t)
		f.write("run/wrappers/bin/id", "#!/bin/sh\necho 1000\n")
		f.write("run/wrappers/bin/sudo", "#!/bin/sh\necho \""+message+"\" >&2\nexit 1\n")
		f.sh("chmod +x run/wrappers/bin/*")
		out, err := f.shell(script.script(values{"token": {"t"}}), "022").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s: got %q, %v, want %q", message, out, err, want)
		}
	}
}
