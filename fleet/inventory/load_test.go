package inventory

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/internal/hint"
)

func TestLoadReportsWhyFileCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "none.toml"): "no such file or directory",
		dir:                             "is a directory",
	} {
		_, _, err := Load(path)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

func TestLoadReportsPathAsGiven(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "fleet.toml", "[hosts.a]")
	inv, findings, err := Load("fleet.toml")
	if err != nil || inv.Path != "fleet.toml" || len(findings) != 2 || findings[0].File != "fleet.toml" {
		t.Errorf("got %v, %v, %v", inv, findings, err)
	}
}

func TestLoadRefusesFileOfAnotherUser(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "hosts.toml"), "[hosts.a]")
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(path); err == nil || strings.Count(err.Error(), path) != 1 || hint.Of(err) != "check what it contains, then run: chmod go-w "+strconv.Quote(path) {
		t.Errorf("got %v, hint %q", err, hint.Of(err))
	}
	if os.Geteuid() != 0 {
		return // only root can give a file away
	}
	if err := os.Chown(path, 54321, 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(path); err == nil || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("got %v", err)
	}
}

func TestLoadReadsAllowedSigners(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "hosts.toml"), "[fleet]\nrequire_signed = true\nallowed_signers = \"keys/signers\"\n"+
		"[hosts.a]\nkind = \"nixos\"\nrepo = \"~/x\"\n")
	signers := filepath.Join(dir, "keys", "signers")
	for text, problem := range map[string]string{
		"-":                              "no such file",
		" \n":                            "has no keys",
		strings.Repeat("# key\n", 1e5):   "is larger than 64 KiB",
		"me@example.org ssh-ed25519 A\n": "",
	} {
		if text != "-" {
			if err := os.MkdirAll(filepath.Dir(signers), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, signers, text)
		} else if err := os.RemoveAll(filepath.Dir(signers)); err != nil {
			t.Fatal(err)
		}
		inv, findings, err := Load(path)
		switch {
		case err != nil:
			t.Error(err)
		case problem == "" && (len(findings) > 0 || inv.AllowedSigners != text):
			t.Errorf("got %q, %v", inv.AllowedSigners, findings)
		case problem != "" && (len(findings) != 1 || findings[0].Line != 3 || findings[0].Hint == "" ||
			!strings.Contains(findings[0].Message, problem) || inv.AllowedSigners != ""):
			t.Errorf("%.20q: got %q, %v", text, inv.AllowedSigners, findings)
		}
	}
	// The cases are in random order, so the last one may have removed the file.
	if err := os.MkdirAll(filepath.Dir(signers), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, signers, "me@example.org ssh-ed25519 A\n")
	if err := os.Chmod(signers, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, findings, _ := Load(path); len(findings) != 1 || !strings.Contains(findings[0].Hint, "chmod go-w") {
		t.Errorf("a file that all may write: %v", findings)
	}
}

func TestLocatePrefersTheNearestFile(t *testing.T) {
	home := t.TempDir()
	deep := filepath.Join(home, "Code", "nixcfg", "hosts", "hsb0")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	expect := func(flag, want string) {
		t.Helper()
		got, err := Locate(flag, func(name string) string { return env[name] }, deep, home)
		if err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}

	if got, err := Locate("", func(string) string { return "" }, deep, home); err == nil {
		t.Fatalf("got %q without any file", got)
	} else if hint := err.(interface{ Hint() string }).Hint(); !strings.Contains(hint, "fleetctl init") {
		t.Errorf("got the hint %q", hint)
	}

	own := write(t, filepath.Join(home, ".config", "fleetctl", "hosts.toml"), "")
	expect("", own)
	env["XDG_CONFIG_HOME"] = filepath.Join(home, "cfg")
	elsewhere := write(t, filepath.Join(home, "cfg", "fleetctl", "hosts.toml"), "")
	expect("", elsewhere)
	write(t, filepath.Join(home, "Code", "nixcfg", "hosts.toml"), "")
	expect("", "../../hosts.toml")
	if err := os.Mkdir(filepath.Join(deep, "hosts.toml"), 0o755); err != nil {
		t.Fatal(err)
	}
	expect("", "../../hosts.toml") // a directory does not count
	if err := os.Remove(filepath.Join(deep, "hosts.toml")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(deep, "hosts.toml"), "")
	expect("", "hosts.toml")
	env["FLEETCTL_INVENTORY"] = "/etc/fleet.toml"
	expect("", "/etc/fleet.toml")
	expect("mine.toml", "mine.toml")
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
