package inventory

import (
	"reflect"
	"testing"
)

func TestWhatFirstWritesPassesAndSaysTheSame(t *testing.T) {
	s := Sketch{
		From: "~/.ssh/config", Name: "markus", Remote: "git@github.com:you/nixcfg.git", Branch: "main", Repo: "~/nixcfg", Kind: NixOS,
		Hosts:   []Host{{Name: "hsb0"}, {Name: "web.example.com"}, {Name: "imac0", Kind: Home, Attr: "m@imac0", Address: "imac0.lan", User: "m", SkipOffline: true}},
		LeftOut: []string{"github.com: a git server"},
	}
	inv, findings := Parse("hosts.toml", First(s))
	if findings != nil {
		t.Fatalf("%v\n%s", Findings(findings), First(s))
	}
	if inv.Name != s.Name || inv.Remote != s.Remote || inv.Branch != s.Branch {
		t.Errorf("got %+v", inv)
	}
	var got []Host
	for _, h := range inv.Hosts {
		got = append(got, Host{Name: h.Name, Kind: h.Kind, Attr: h.Attr, Address: h.Address, User: h.User, SkipOffline: h.SkipOffline})
	}
	want := []Host{
		{Name: "hsb0", Kind: NixOS, Attr: "hsb0"}, {Name: "web.example.com", Kind: NixOS, Attr: "web.example.com"},
		{Name: "imac0", Kind: Home, Attr: "m@imac0", Address: "imac0.lan", User: "m", SkipOffline: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

// Names of hosts, users and directories are whatever an ssh_config or a flake holds.
func FuzzFirst(f *testing.F) {
	f.Add("hsb0", "m@x", "~/x", "~/.ssh/config", "a: b")
	f.Add("a\nb", "\"\\", "/\u202e", "\x00\n[x]", "\r\n# \xff")
	f.Add("a", "a", "/\xf2", "a", "a")
	f.Fuzz(func(t *testing.T, name, attr, repo, from, leftOut string) {
		if NameProblem(name) != "" || Problem("attr", attr) != "" || Problem("repo", repo) != "" {
			return // check says what is wrong with them
		}
		text := First(Sketch{From: from, Name: "x", Repo: repo, Kind: NixOS, Hosts: []Host{{Name: name, Attr: attr}}, LeftOut: []string{leftOut}})
		inv, findings := Parse("hosts.toml", text)
		if findings != nil || len(inv.Hosts) != 1 || inv.Hosts[0].Name != name || inv.Hosts[0].Attr != attr || inv.Hosts[0].Repo != repo {
			t.Fatalf("%v\n%s", Findings(findings), text)
		}
	})
}
