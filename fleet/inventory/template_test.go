package inventory

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

func TestDraftTOMLParsesWithoutFindings(t *testing.T) {
	d := Draft{
		From: "~/.ssh/config", Name: "markus", Remote: "git@github.com:you/nixcfg.git", Branch: "main", Repo: "~/nixcfg", Kind: NixOS,
		Hosts:   []Host{{Name: "hsb0"}, {Name: "web.example.com"}, {Name: "imac0", Kind: Home, Attr: "m@imac0", Address: "imac0.lan", User: "m", SkipOffline: true}},
		LeftOut: []string{"github.com: a git server"},
	}
	inv, findings := Parse("hosts.toml", d.TOML())
	if findings != nil {
		t.Fatalf("%v\n%s", Findings(findings), d.TOML())
	}
	if inv.Name != d.Name || inv.Remote != d.Remote || inv.Branch != d.Branch {
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

func TestDraftTOMLListsWhatWasLeftOut(t *testing.T) {
	d := Draft{Repo: "/x", LeftOut: []string{"a: a Git server", "b: \"x\ny\""}}
	if got, want := string(d.TOML()), "\n\n# Left out:\n#\n#   a: a Git server\n#   b: \"x\\ny\"\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got:\n%s\nwant it to end in:\n%s", got, want)
	}
	d.LeftOut = nil
	if got := string(d.TOML()); strings.Contains(got, "Left out") {
		t.Errorf("got:\n%s", got)
	}
}

func TestDraftTOMLEscapesStrings(t *testing.T) {
	d := Draft{Name: "a\"b\\c\n\td\x1f e\x7f\u0085 é", Repo: "/x"}
	var got struct{ Fleet struct{ Name string } }
	if err := toml.Unmarshal(d.TOML(), &got); err != nil || got.Fleet.Name != d.Name {
		t.Errorf("got %q, %v, want %q", got.Fleet.Name, err, d.Name)
	}
	if want := `name = "a\"b\\c\u000a\u0009d\u001f e\u007f\u0085 é"`; !strings.Contains(string(d.TOML()), want) {
		t.Errorf("got:\n%s\nwant %s in it", d.TOML(), want)
	}
}

func TestProblemChecksTheValueOfAKey(t *testing.T) {
	for _, tt := range []struct{ key, text, want string }{
		{"repo", "~/nixcfg", ""},
		{"repo", "nixcfg", `"nixcfg" is not a valid path on the host`},
		{"name", "", "must not be empty"},
		{"timeouts", "1m", `unknown key "timeouts"`}, // it has no value of its own
		{"nmae", "x", `unknown key "nmae"`},
	} {
		if got := Problem(tt.key, tt.text); got != tt.want {
			t.Errorf("%s = %q: got %q, want %q", tt.key, tt.text, got, tt.want)
		}
	}
}

func TestNameProblem(t *testing.T) {
	for name, want := range map[string]string{
		"hsb0":                   "",
		"a b":                    `"a b" is not a valid host name`,
		"or":                     `"or" is a keyword of selectors`,
		strings.Repeat("n", 128): "",
		strings.Repeat("n", 129): "must not be longer than 128 characters",
	} {
		if got := NameProblem(name); got != want {
			t.Errorf("%.20q: got %q, want %q", name, got, want)
		}
	}
}

// FuzzDraftTOML uses arbitrary strings, since the names of hosts, users and directories come from
// an ssh_config or a flake.
func FuzzDraftTOML(f *testing.F) {
	f.Add("hsb0", "m@x", "~/x", "~/.ssh/config", "a: b")
	f.Add("a\nb", "\"\\", "/\u202e", "\x00\n[x]", "\r\n# \xff")
	f.Add("a", "a", "/\xf2", "a", "a")
	f.Fuzz(func(t *testing.T, name, attr, repo, from, leftOut string) {
		if NameProblem(name) != "" || Problem("attr", attr) != "" || Problem("repo", repo) != "" {
			return // the callers leave such hosts out
		}
		text := Draft{From: from, Name: "x", Repo: repo, Kind: NixOS, Hosts: []Host{{Name: name, Attr: attr}}, LeftOut: []string{leftOut}}.TOML()
		inv, findings := Parse("hosts.toml", text)
		if findings != nil || len(inv.Hosts) != 1 || inv.Hosts[0].Name != name || inv.Hosts[0].Attr != attr || inv.Hosts[0].Repo != repo {
			t.Fatalf("%v\n%s", Findings(findings), text)
		}
	})
}
