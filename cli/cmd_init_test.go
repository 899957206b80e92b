package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func TestSSHWordsSplitsLikeOpenSSH(t *testing.T) {
	for line, want := range map[string][]string{
		"":                            nil,
		"  # Host x":                  nil,
		"Host a b\tc\r\n":             {"Host", "a", "b", "c"},
		"HostName=a.lan":              {"HostName", "a.lan"},
		"HostName = a.lan":            {"HostName", "a.lan"},
		`Host "a b" c`:                {"Host", "a b", "c"},
		"Host a # b":                  {"Host", "a"},
		"ProxyCommand ssh -o X=y %h":  {"ProxyCommand", "ssh", "-o", "X=y", "%h"},
		`Host "open`:                  {"Host", "open"},
		"IdentityFile ~/.ssh/id#work": {"IdentityFile", "~/.ssh/id#work"},
	} {
		if got := sshWords(line); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

func TestRecursiveIncludeIsAnError(t *testing.T) {
	home := t.TempDir()
	writeFile(t, filepath.Join(home, ".ssh", "config"), "Include config\nHost a\n")
	if _, err := draftFromSSH(&Env{Home: home}); err == nil || !strings.Contains(err.Error(), "Include is nested") {
		t.Errorf("got %v", err)
	}
}

// FuzzInitFromSSH checks that the inventory made from any ssh_config is valid.
func FuzzInitFromSSH(f *testing.F) {
	f.Add("Host a b and -x 'q' A\n HostName %h.lan\nHost \"a b\" ü \x00 [::1]:22\nMatch all\nHost=c.d")
	f.Add("User git\nHost x\nHostName X\nHost y\nHostName x\n")
	home := f.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o755); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, config string) {
		if strings.Contains(strings.ToLower(config), "include") {
			return // would read files of this machine
		}
		if err := os.WriteFile(filepath.Join(home, ".ssh", "config"), []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
		draft, err := draftFromSSH(&Env{Home: home, User: "mba"})
		if err != nil {
			return
		}
		text := draft.TOML()
		inv, findings := inventory.Parse("hosts.toml", text)
		if findings != nil || len(inv.Hosts) != len(draft.Hosts) {
			t.Fatalf("%v\n%s", inventory.Findings(findings), text)
		}
	})
}
