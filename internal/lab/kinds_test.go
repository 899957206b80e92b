//go:build lab

package lab_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
)

// deploy deploys to the host and asserts the outcome.
func (h *labHost) deploy(t *testing.T, outcome fleet.Outcome, code fleet.Code) *fleet.Result {
	t.Helper()
	r := awaitReport(t, h.fleetctl("deploy", h.name, "--yes", "--output", "json"))
	return r.expect(t, h.name, outcome, code)
}

// TestStrictHost has a host whose logind kills what a login leaves behind, whose sudo is sudo-rs,
// and whose system has a specialisation.
func TestStrictHost(t *testing.T) {
	runLab(t, "add", "strict")
	h := newLabHost(t, "m9", "nixos")
	if version := onHost(t, "m9", "sudo --version"); !strings.Contains(version, "sudo-rs") {
		t.Errorf("sudo is %s, not sudo-rs", version)
	}
	if out, err := h.fleetctl("check", "--connect").CombinedOutput(); err != nil || strings.Contains(string(out), "sudo") {
		t.Errorf("check --connect: %v\n%s", err, out)
	}
	for _, words := range []string{"specialisation", "specialisation\nslow-switch 1"} {
		rev := h.push(t, []string{words}, false)
		if result := h.deploy(t, fleet.Switched, ""); result.After != rev {
			t.Errorf("the result has the revision %s, want %s", result.After, rev)
		}
		assertIdle(t, "m9")
	}
	// A deploy keeps the specialisation that was activated by hand.
	onHost(t, "m9", "sudo /run/current-system/specialisation/quiet/bin/switch-to-configuration test")
	h.push(t, []string{"specialisation\nslow-switch 2"}, false)
	h.deploy(t, fleet.Switched, "")
	const quiet = "readlink -f /run/current-system /nix/var/nix/profiles/system/specialisation/quiet"
	if running, special, _ := strings.Cut(onHost(t, "m9", quiet), "\n"); running != special {
		t.Errorf("m9 runs %s, not the specialisation %s", running, special)
	}
	before := systemOf(t, "m9")
	h.push(t, []string{"fail-switch 2"}, false)
	h.deploy(t, fleet.RolledBack, "activation")
	h.push(t, []string{"fail-check"}, false)
	h.deploy(t, fleet.Failed, "inhibited")
	if now := systemOf(t, "m9"); now != before {
		t.Errorf("the system changed from\n%s\nto\n%s", before, now)
	}

	onHost(t, "m9", `sudo sh -c 'echo "mba ALL=(ALL) ALL" >/etc/sudoers.d/mba; echo mba:geheim | chpasswd'`)
	defer onHost(t, "m9", `echo geheim | sudo -S -p '' sh -c 'echo "mba ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/mba'`)
	h.push(t, nil, false)
	h.deploy(t, fleet.Failed, fleet.CodeSudoPassword)
	if out, err := h.fleetctl("check", "--connect").CombinedOutput(); err != nil || !strings.Contains(string(out), "warning: host \"m9\": sudo requires a password") {
		t.Errorf("check --connect: %v\n%s", err, out)
	}
}

// TestRealHomeManager deploys a home that the real home-manager builds and activates.
func TestRealHomeManager(t *testing.T) {
	flake := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "testdata/lab/realhome/make", flake).CombinedOutput(); err != nil {
		t.Skipf("the sources of home-manager are not at hand: %v\n%s", err, out)
	}
	runLab(t, "add", "realhome")
	h := newLabHost(t, "m10", "home")
	h.git(t, h.clone, "rm", "-rq", ".")
	if err := os.CopyFS(h.clone, os.DirFS(flake)); err != nil {
		t.Fatal(err)
	}
	// configure commits a value of ~/.lab-value, and a module of the home.
	configure := func(value, module string) (rev string) {
		t.Helper()
		for name, text := range map[string]string{"value": value + "\n", "entries.nix": "{ lib, ... }:\n{\n" + module + "\n}\n"} {
			if err := os.WriteFile(filepath.Join(h.clone, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return h.commit(t)
	}
	const show = `cat .lab-value .lab-revision; readlink -f .local/state/nix/profiles/home-manager; ls -A in-the-way only-new 2>/dev/null; true`
	unchanged := func(before string) {
		t.Helper()
		if now := onHost(t, "m10", show); now != before {
			t.Errorf("the home changed:\n%s", difference(before, now))
		}
		assertIdle(t, "m10")
	}

	for _, value := range []string{"first", "second"} {
		rev := configure(value, "")
		result := h.deploy(t, fleet.Switched, "")
		if got := onHost(t, "m10", "cat .lab-value .lab-revision"); got != value+"\n"+rev || result.After != rev {
			t.Errorf("the home has %q, and the result %s; want %s, %s", got, result.After, value, rev)
		}
	}
	h.deploy(t, fleet.Unchanged, "")
	before := onHost(t, "m10", show)

	configure("third", `  home.activation.lab = lib.hm.dag.entryBefore [ "writeBoundary" ] "exit 7";`)
	h.deploy(t, fleet.Failed, "activation")
	unchanged(before)

	configure("third", `  home.file."only-new".text = "";
  home.activation.lab = lib.hm.dag.entryAfter [ "linkGeneration" ] "exit 7";`)
	h.deploy(t, fleet.RolledBack, "activation")
	unchanged(before)

	onHost(t, "m10", "echo mine >in-the-way")
	before = onHost(t, "m10", show)
	configure("third", `  home.file."in-the-way".text = "of home-manager";`)
	r := awaitReport(t, h.fleetctl("deploy", "m10", "--yes", "--output", "json"))
	if result := r.results["m10"]; result == nil || result.Outcome != fleet.Failed {
		t.Errorf("with a file in the way: %+v", result)
	}
	unchanged(before)
	if text := onHost(t, "m10", "cat in-the-way; rm in-the-way"); text != "mine" {
		t.Errorf("the file in the way is now %q", text)
	}

	h.addToInventory(t, `backup_extension = "bak"`)
	before = onHost(t, "m10", show)
	onHost(t, "m10", "echo mine >in-the-way")
	const way = `  home.file."in-the-way".text = "of home-manager";`
	const showWay = "cat in-the-way in-the-way.bak 2>&1; true"
	beforeWay := onHost(t, "m10", showWay)
	configure("third", way+`
  home.activation.lab = lib.hm.dag.entryAfter [ "linkGeneration" ] "exit 7";`)
	h.deploy(t, fleet.RolledBack, "activation")
	if now := onHost(t, "m10", showWay); now != beforeWay {
		t.Errorf("the file that was in the way was not put back:\n%s", difference(beforeWay, now))
	}
	onHost(t, "m10", "mv in-the-way kept")
	unchanged(before)
	onHost(t, "m10", "mv kept in-the-way")
	configure("third", way)
	h.deploy(t, fleet.Switched, "")
	if now := onHost(t, "m10", showWay); now != "of home-managermine" {
		t.Errorf("the file in the way and its backup are %q", now)
	}

	const fragile = `  home.activation.fragile = lib.hm.dag.entryAfter [ "writeBoundary" ] "if [[ -e $HOME/broken ]]; then exit 8; fi";`
	configure("fourth", fragile)
	h.deploy(t, fleet.Switched, "")
	onHost(t, "m10", "touch broken")
	rev := configure("fifth", fragile)
	result := h.deploy(t, fleet.Degraded, "rollback-failed")
	if running := onHost(t, "m10", "cat .lab-revision"); result.After != running {
		t.Errorf("the result has the revision %s, the home %s", result.After, running)
	}
	onHost(t, "m10", "rm broken")
	if result := h.deploy(t, fleet.Switched, ""); result.After != rev {
		t.Errorf("the result has the revision %s, want %s", result.After, rev)
	}

	// An activation moves the profile from here. See migrateProfile in home-manager.
	const old = ".local/state/home-manager/profiles"
	onHost(t, "m10", "mkdir -p "+old+" && mv .local/state/nix/profiles/home-manager* "+old)
	generation := onHost(t, "m10", "readlink "+old+"/home-manager")
	configure("sixth", "")
	h.deploy(t, fleet.Switched, "")
	if now := onHost(t, "m10", "ls -d "+old+"/home-manager* 2>/dev/null; readlink .local/state/nix/profiles/home-manager"); now == generation || strings.Contains(now, "/") {
		t.Errorf("the profile was not moved: %q", now)
	}

	before = onHost(t, "m10", show)
	configure("seventh", "")
	h.deploy(t, fleet.Switched, "")
	r = awaitReport(t, h.fleetctl("rollback", "m10", "--yes", "--output", "json"))
	r.expect(t, "m10", fleet.Switched, "")
	unchanged(before)
}

// addToInventory adds a line to the host's entry.
func (h *labHost) addToInventory(t *testing.T, line string) {
	t.Helper()
	f, err := os.OpenFile(h.inventory, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(line + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}
