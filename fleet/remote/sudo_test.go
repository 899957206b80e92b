package remote

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRootProgramIsOnlyRunFromTrustedDirectories plants sudo, doas and run0 everywhere a login user
// could.
func TestRootProgramIsOnlyRunFromTrustedDirectories(t *testing.T) {
	t.Parallel()
	script := composeText("# uses: sudo\nmain() {\n  take \"$@\"\n  prompt=$PROMPT\n  as_root true\n  echo \"$root_status $root_output\"\n}\n", "")
	for _, tt := range []struct{ by, trusted, prompt, want string }{
		{"auto", "", "", "127 "},
		{"auto", "", "password:", "127 "},
		{"auto", "run/wrappers/bin/sudo", "", "0 sudo -n -- true"},
		{"auto", "run/wrappers/bin/sudo", "p:", "0 sudo -S -k -p p: -- true"},
		{"sudo", "usr/bin/sudo", "", "0 sudo -n -- true"},
		{"auto", "usr/bin/sudo usr/bin/doas usr/bin/run0", "", "0 sudo -n -- true"},
		{"auto", "run/wrappers/bin/doas usr/bin/run0", "", "0 doas -n -- true"},
		{"auto", "run/current-system/sw/bin/run0", "", "0 run0 --no-ask-password -- true"},
		{"run0", "usr/bin/sudo usr/bin/run0", "", "0 run0 --no-ask-password -- true"},
		{"doas", "usr/bin/sudo usr/bin/doas", "", "0 doas -n -- true"},
		{"doas", "usr/bin/sudo", "", "127 "},
		// NixOS makes only its wrappers setuid.
		{"sudo", "run/current-system/sw/bin/sudo", "", "127 "},
		{"doas", "run/current-system/sw/bin/doas", "", "127 "},
	} {
		f := newHomeFixture(t)
		f.write("run/wrappers/bin/id", "#!/bin/sh\necho 1000\n")
		for _, dir := range []string{".nix-profile/bin", ".local/state/nix/profile/bin", "etc/profiles/per-user/me/bin", "bin", "usr/local/bin"} {
			for _, program := range []string{"sudo", "doas", "run0"} {
				f.write(dir+"/"+program, "#!/bin/sh\necho stolen\n")
			}
		}
		for path := range strings.FieldsSeq(tt.trusted) {
			f.write(path, "#!/bin/sh\necho ${0##*/} $*\n")
		}
		f.sh("find . -name sudo -o -name doas -o -name run0 -o -name id | xargs chmod +x")
		f.extra = []string{"PROMPT=" + tt.prompt, "PATH=" + filepath.Join(f.home, "bin") + ":" + os.Getenv("PATH")}
		out, err := f.shell(Script{Text: script.text, Args: []string{"root_by=" + tt.by}}, "022").CombinedOutput()
		if got := strings.TrimRight(string(out), "\n"); err != nil || got != tt.want {
			t.Errorf("%+v: got %q, %v", tt, got, err)
		}
	}
}

// TestRefusedRootIsExplained has doas and run0 refuse in the words of the real ones.
func TestRefusedRootIsExplained(t *testing.T) {
	t.Parallel()
	// doas.c has the first text if a rule requires a password and the second if there is none. The
	// third is polkit's.
	for _, tt := range []struct{ program, says, want string }{
		{"doas", "doas: Authorization required", "refused no-root with=doas user=me text=doas: Authorization required"},
		{"doas", "doas: Operation not permitted", "refused no-root with=doas user=me text=doas: Operation not permitted"},
		{"run0", "Failed to start transient service unit: Interactive authentication required.", "refused no-root with=run0 user=me text=Failed to start transient service unit: Interactive authentication required."},
		{"sudo", "sudo: a password is required", "refused sudo-password"},
		{"sudo", "sudo: me is not in the sudoers file", "refused sudo-denied text=sudo: me is not in the sudoers file"},
	} {
		f := newHomeFixture(t)
		f.write("run/wrappers/bin/id", "#!/bin/sh\necho 1000\n")
		f.write("run/wrappers/bin/systemctl", "#!/bin/sh\n")
		f.write("usr/bin/"+tt.program, "#!/bin/sh\necho '"+tt.says+"' >&2\nexit 1\n")
		f.sh("chmod +x run/wrappers/bin/* usr/bin/*")
		out, err := f.shell(Reboot("t", "", ""), "022").CombinedOutput()
		if got, _, _ := strings.Cut(string(out), "\n"); err != nil || got != "@t "+tt.want {
			t.Errorf("%s: got %q, %v", tt.program, out, err)
		}
	}
}

// TestCheckFindsThatNoPasswordCanBeGiven has a preflight on hosts that want one.
func TestCheckFindsThatNoPasswordCanBeGiven(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]string{
		"doas": "problem no-root with=doas user=me text=doas: a password is required",
		"sudo": "warning sudo-password text=sudo: a password is required",
		"":     "problem no-sudo with=auto",
	} {
		f := newRepoFixture(t)
		f.write("run/wrappers/bin/id", "#!/bin/sh\necho 1000\n")
		f.write("run/wrappers/bin/nix", "#!/bin/sh\n")
		if program != "" {
			f.write("usr/bin/"+program, "#!/bin/sh\necho '"+program+": a password is required' >&2\nexit 1\n")
			f.sh("chmod +x usr/bin/*")
		}
		f.sh("chmod +x run/wrappers/bin/*")
		j := f.job("switch", "")
		j.Kind = "nixos"
		out, err := f.shell(j.Check("t"), "022").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "\n"+want+"\n") {
			t.Errorf("%q: %v\n%s\nwant %q", program, err, out, want)
		}
	}
}

// TestRebootWithRun0OutlivesIt has systemd reboot, because what run0 has started ends with it.
func TestRebootWithRun0OutlivesIt(t *testing.T) {
	t.Parallel()
	f := newHomeFixture(t)
	f.write("run/wrappers/bin/id", "#!/bin/sh\necho 1000\n")
	f.write("run/wrappers/bin/systemctl", "#!/bin/sh\n")
	f.write("usr/bin/run0", "#!/bin/sh\necho \"$*\" >~/asked\n")
	f.sh("chmod +x run/wrappers/bin/* usr/bin/*")
	out, err := f.shell(Reboot("t", "", "run0"), "022").CombinedOutput()
	asked := f.sh("cat asked")
	want := "--no-ask-password -- systemd-run --quiet --collect --on-active=1 --timer-property=AccuracySec=100ms -- " +
		f.home + "/run/wrappers/bin/systemctl reboot"
	if err != nil || !strings.HasPrefix(string(out), "@t rebooting ") || asked != want {
		t.Errorf("%v: %q asked for %q, want %q", err, out, asked, want)
	}
}

func TestLocaleArchiveIsThatOfLogins(t *testing.T) {
	t.Parallel()
	f := newHomeFixture(t)
	f.extra = []string{"LOCALE_ARCHIVE=/home/me/evil"}
	script := composeText("# uses: locales\nmain() {\n  set_locales\n  env | sed -n 's/^LOCALE_ARCHIVE=//p'\n}\n", "")
	for _, want := range []string{"", filepath.Join(f.home, "run/current-system/sw/lib/locale/locale-archive")} {
		if want != "" {
			f.write("run/current-system/sw/lib/locale/locale-archive", "")
		}
		out, err := f.shell(Script{Text: script.text}, "022").CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", out, err, want)
		}
	}
}

// TestPasswordIsRequestedWithEverySudo has what sudo 1.9.16 and sudo-rs 0.2.5 print if "sudo -n"
// fails.
func TestPasswordIsRequestedWithEverySudo(t *testing.T) {
	t.Parallel()
	script := composeText("# uses: refuse_root\nmain() {\n  prompt='' token=t root_by=auto\n  as_root true\n  refuse_root\n}\n", "")
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
		out, err := f.shell(script.script(values{"token": {"t"}, "root_by": {"auto"}}), "022").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s: got %q, %v, want %q", message, out, err, want)
		}
	}
}
