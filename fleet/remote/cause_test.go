package remote

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCauseOfFailedActivation has what the real tools print when they fail. The texts are those of
// home-manager (modules/files/check-link-targets.sh, modules/launchd/default.nix,
// modules/targets/darwin/copyapps.nix), nix-darwin (modules/system, modules/users) and nixpkgs
// (nixos/modules/system/activation/pre-switch-check.nix).
func TestCauseOfFailedActivation(t *testing.T) {
	const red, plain = "\x1b[1;31m", "\x1b[0m"
	for name, tt := range map[string]struct {
		kind, system, printed, want string
	}{
		"nothing that is known": {"home", "Linux", "error: a step fails\n", "activation|"},
		"a file in the way":     {"home", "Linux", "Existing file '/home/me/.a b' would be clobbered\n", "in-the-way|/home/me/.a b"},
		"an older home-manager": {"home", "Linux",
			"Existing file '/home/me/.a' is in the way of '/nix/store/x-home-manager-files/.a', will be moved to '/home/me/.a.bak'\n" +
				"Existing file '/home/me/.b' is in the way of '/nix/store/x-home-manager-files/.b'\n", "in-the-way|/home/me/.b"},
		"a backup in the way": {"home", "Linux",
			"Existing file '/home/me/.b' would be clobbered\nExisting file '/home/me/.a.bak' would be clobbered by backing up '/home/me/.a'\n",
			"backup-in-the-way|/home/me/.a.bak"},
		"many files in the way": {"home", "Linux", func() (text string) {
			for _, file := range strings.Fields("1 2 2 3 4 5 6 7") {
				text += "Existing file '/" + file + "' would be clobbered\n"
			}
			return text
		}(), "in-the-way|/1, /2, /3, /4, /5 and 2 more"},
		"an inhibited switch": {"nixos", "Linux",
			"Checking switch inhibitors...\nPre-switch check 'switchInhibitors' failed\nPre-switch checks failed\n", "inhibited|switchInhibitors"},
		"checks of an unknown name":               {"nixos", "Linux", "Pre-switch checks failed\n", "inhibited|"},
		"an operation that Linux does not permit": {"home", "Linux", "rm: cannot remove '/x': Operation not permitted\n", "activation|"},
		"applications over SSH": {"home", "Darwin",
			red + "error: permission denied when trying to update apps over SSH, aborting activation" + plain + "\n", "full-disk-access|"},
		"users over SSH": {"darwin", "Darwin",
			red + "error: users cannot be created over SSH without Full Disk Access, aborting activation" + plain + "\n", "full-disk-access|"},
		"applications in a session": {"home", "Darwin",
			red + "error: permission denied when trying to update apps, aborting activation" + plain + "\n", "app-management|"},
		"a copy of an application": {"darwin", "Darwin",
			"setting up /Applications/Nix Apps...\nrsync: [generator] delete_file: unlink(kitty.app/x) failed: Operation not permitted (1)\n", "app-management|"},
		"no graphical session": {"home", "Darwin",
			"Failed to start agent 'gui/501/org.sync' with error: Bootstrap failed: 125: Domain does not support specified action\n" +
				"Failed to activate one or more LaunchAgents\n", "no-gui-session|"},
		"another error of launchd": {"home", "Darwin",
			"Failed to start agent 'gui/501/org.sync' with I/O error (code 5)\nFailed to activate one or more LaunchAgents\n", "launch-agents|gui/501/org.sync"},
		"a check": {"darwin", "Darwin",
			red + "error: Unexpected files in /etc, aborting activation" + plain + "\n", "darwin-check|Unexpected files in /etc"},
		"a protected file": {"home", "Darwin",
			"ln: failed to create symbolic link '/Users/me/Library/Mail/x': Operation not permitted\n",
			"not-permitted|ln: failed to create symbolic link '/Users/me/Library/Mail/x': Operation not permitted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := fakeTools(t, map[string]string{"uname": "echo " + tt.system})
			const main = "# uses: cause\nactivation_output() { printf '%s' \"$printed\"; }\nmain() {\n  kind=$1 printed=$2\n  find_cause\n  echo \"$cause|$what\"\n}\n"
			for which, path := range shells(t) {
				cmd := shell(path, composeText(main, "").text, "-s", "--", tt.kind, tt.printed)
				cmd.Env = append(os.Environ(), "FLEETCTL_ROOT="+bin)
				out, err := cmd.CombinedOutput()
				if got := strings.TrimSuffix(string(out), "\n"); err != nil || got != tt.want {
					t.Errorf("%s: %q, %v, want %q", which, got, err, tt.want)
				}
			}
		})
	}
}

// TestHomeWithLaunchAgentsNeedsGraphicalSession has homes whose activation would fail, because
// home-manager exits with an error if an agent cannot be loaded.
func TestHomeWithLaunchAgentsNeedsGraphicalSession(t *testing.T) {
	const exits = "errorEcho \"Failed to activate one or more LaunchAgents\"\n"
	for name, tt := range map[string]struct {
		system, activate, domain, session, want string
	}{
		"a Mac without a session":    {"Darwin", exits, "", "exit 113", "failed no-gui-session what=org.sync"},
		"a Mac with a session":       {"Darwin", exits, "", "exit 0", ""},
		"an agent without a screen":  {"Darwin", exits, "user", "exit 113", ""},
		"an agent of the screen":     {"Darwin", exits, "gui", "exit 113", "failed no-gui-session what=org.sync"},
		"a home-manager that warns":  {"Darwin", "\n", "", "exit 113", ""},
		"a home that is not a Mac's": {"Linux", exits, "", "exit 113", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := fakeTools(t, map[string]string{"uname": "echo " + tt.system, "launchctl": tt.session})
			home := filepath.Join(root, "home-manager-generation")
			for file, text := range map[string]string{
				"activate": tt.activate, "LaunchAgents/org.sync.plist": "", "LaunchAgentDomains/org.sync.domain": tt.domain + "\n",
			} {
				if file == "LaunchAgentDomains/org.sync.domain" && tt.domain == "" {
					continue
				}
				writeTool(t, filepath.Join(home, file), text)
			}
			const main = "# uses: launch_agents\nfinish() {\n  echo \"$@\"\n  exit\n}\nmain() {\n  step=activate nonce=N\n  check_launch_agents \"$1\"\n}\n"
			cmd := shell("/bin/sh", composeText(main, "").text, "-s", "--", home)
			cmd.Env = append(os.Environ(), "FLEETCTL_ROOT="+root)
			out, err := cmd.CombinedOutput()
			if got := strings.TrimSpace(strings.TrimPrefix(string(out), "N step activate failed\n")); err != nil || got != tt.want {
				t.Errorf("%q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// fakeTools returns a root whose programs, by name, run the given commands and come before those of
// this machine.
func fakeTools(t *testing.T, tools map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range tools {
		writeTool(t, filepath.Join(root, "run/wrappers/bin", name), "#!/bin/sh\n"+text+"\n")
	}
	return root
}

func writeTool(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestRunningSpecialisationIsFound has the links of a system and of a specialisation that runs.
func TestRunningSpecialisationIsFound(t *testing.T) {
	for name, tt := range map[string]struct {
		running string
		file    string // the text of /etc/specialisation
		want    string // the name, and what has it
	}{
		"the default":               {"new", "ignored", "|"},
		"an older generation":       {"old", "ignored", "|"},
		"of the default":            {"new-gaming", "", "gaming|new"},
		"of an older generation":    {"old-office", "", "office|old"},
		"of a generation that left": {"gone", "gaming\n", "gaming|"},
		"unknown":                   {"gone", "", "|"},
		"not a name":                {"gone", "6.12, NVIDIA latest\n", "|"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			profiles := filepath.Join(root, "nix/var/nix/profiles")
			for _, dir := range []string{"nix/var/nix/profiles", "s/gone", "s/new-gaming", "s/old-office", "s/new/specialisation", "s/old/specialisation", "etc"} {
				if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for link, target := range map[string]string{
				profiles + "/system-1-link": root + "/s/old", profiles + "/system-2-link": root + "/s/new", profiles + "/system": "system-2-link",
				root + "/s/new/specialisation/gaming": root + "/s/new-gaming", root + "/s/old/specialisation/office": root + "/s/old-office",
			} {
				if err := os.Symlink(target, link); err != nil {
					t.Fatal(err)
				}
			}
			if tt.file != "" {
				writeTool(t, filepath.Join(root, "etc/specialisation"), tt.file)
			}
			const main = "# uses: parent\nmain() {\n  find_parent \"$1\"\n  echo \"$special|${parent##*/}\"\n}\n"
			for which, path := range shells(t) {
				cmd := shell(path, composeText(main, "").text, "-s", "--", filepath.Join(root, "s", tt.running))
				cmd.Env = append(os.Environ(), "FLEETCTL_ROOT="+root)
				out, err := cmd.CombinedOutput()
				if got := strings.TrimSuffix(string(out), "\n"); err != nil || got != tt.want {
					t.Errorf("%s: %q, %v, want %q", which, got, err, tt.want)
				}
			}
		})
	}
}
