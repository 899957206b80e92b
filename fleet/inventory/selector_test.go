package inventory

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func smallFleet() *Inventory {
	host := func(name string, kind Kind, wave int, tags ...string) *Host {
		return &Host{Name: name, Kind: kind, Wave: wave, Tags: tags}
	}
	return &Inventory{Hosts: []*Host{
		host("hsb0", NixOS, 3, "home", "server", "dns"),
		host("hsb1", NixOS, 1, "home", "server"),
		host("csb0", NixOS, 2, "cloud", "server", "vpn"),
		host("imac0", Home, 1, "home", "mac"),
		host("mbp.work", Darwin, 1, "work", "mac"),
	}}
}

func names(hosts []*Host) string {
	var out []string
	for _, h := range hosts {
		out = append(out, h.Name)
	}
	return strings.Join(out, " ")
}

func TestSelectReturnsHostsInFileOrder(t *testing.T) {
	for _, tt := range []struct{ selector, want string }{
		{"hsb0", "hsb0"},
		{"mbp.work", "mbp.work"},
		{"*", "hsb0 hsb1 csb0 imac0 mbp.work"},
		{"imac0, hsb0", "hsb0 imac0"},
		{"imac0,hsb0", "hsb0 imac0"},
		{"imac0 or hsb0", "hsb0 imac0"},
		{"hsb?", "hsb0 hsb1"},
		{"[ch]sb0", "hsb0 csb0"},
		{"[a-c]*", "csb0"},
		{"[!h]*", "csb0 imac0 mbp.work"},
		{"[^h]*", "csb0 imac0 mbp.work"},
		{"@server", "hsb0 hsb1 csb0"},
		{"@d*", "hsb0"},
		{"kind:home", "imac0"},
		{"kind:home, kind:darwin", "imac0 mbp.work"},
		{"wave:1", "hsb1 imac0 mbp.work"},
		{"not @home", "csb0 mbp.work"},
		{"not not hsb0", "hsb0"},
		{"@home and @server", "hsb0 hsb1"},
		{"@home and not @server", "imac0"},
		{"csb0 or @home and @mac", "csb0 imac0"}, // and binds tighter than or
		{"csb0, @home and @mac", "csb0 imac0"},   // and than the comma
		{"(csb0 or @home) and @server", "hsb0 hsb1 csb0"},
		{"not hsb0 and @server", "hsb1 csb0"}, // not binds tighter than and
		{"not (hsb0 or @mac)", "hsb1 csb0"},
		{"not(hsb0,@mac)", "hsb1 csb0"},
		{" ( ( * ) ) ", "hsb0 hsb1 csb0 imac0 mbp.work"},
		{"hsb0, wave:9", "hsb0"},
		{"hsb0\tor\r\ncsb0", "hsb0 csb0"},
		{"(hsb0)or(csb0)", "hsb0 csb0"},
		{"[a-zA-Z]sb[0-9]", "hsb0 hsb1 csb0"},
	} {
		got, err := smallFleet().Select(tt.selector)
		if err != nil || names(got) != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.selector, names(got), err, tt.want)
		}
	}
}

func TestSelectReturnsUnionOfSelectors(t *testing.T) {
	got, err := smallFleet().Select("imac0", "@server and not csb0")
	if want := "hsb0 hsb1 imac0"; err != nil || names(got) != want {
		t.Errorf("got %q, %v, want %q", names(got), err, want)
	}
}

func TestSelectReportsErrorPosition(t *testing.T) {
	// The caret must be below the mark.
	for _, tt := range []struct{ selector, message, hint string }{
		{"▸hsb2", `no host is named "hsb2"`, `did you mean "hsb0" or "hsb1"?`},
		{"hsb0 or ▸imac", `no host is named "imac"`, `did you mean "imac0"?`},
		{"@home and not ▸hbs0", `no host is named "hbs0"`, `did you mean "hsb0"?`},
		{"▸zzzzzzzz", `no host is named "zzzzzzzz"`, `the hosts are hsb0, hsb1, csb0, imac0, mbp.work`},
		{"▸hsbb*", `no host name matches "hsbb*"`, `did you mean "hsb0" or "hsb1"?`},
		{"not ▸@servr", `no host has the tag "servr"`, `did you mean "server"?`},
		{"▸@zzzzzz", `no host has the tag "zzzzzz"`, `the tags are home, server, dns, cloud, vpn, mac, work`},
		{"▸@", `the tag is empty`, `for example @server`},
		{"▸kind:nix", `invalid kind "nix": must be "nixos", "darwin" or "home"`, `did you mean "nixos"?`},
		{"▸kind:", `invalid kind "": must be "nixos", "darwin" or "home"`, ``},
		{"▸wave:0", `invalid wave "0": must be a number from 1`, `for example wave:2`},
		{"▸wave:-1", `invalid wave "-1": must be a number from 1`, `for example wave:2`},
		{"▸x:y", `invalid field "x:": must be kind: or wave:`, ``},
		{"▸^hsb0", `invalid operator "^"`, `write not hsb0`},
		{"▸-hsb0", `invalid operator "-"`, `write not hsb0`},
		{"hsb0 or ▸!hsb0&&csb0", `invalid character "&"`, `the operators are and, or, not`},
		{"hsb0 or ▸hsb0|csb0", `invalid character "|"`, `the operators are and, or, not`},
		{"hsb0 ▸csb0 and", `missing operator before "csb0"`, `use A, B to select hosts in either, A and B to select hosts in both`},
		{"hsb0 or (@home and (hsb1 or csb0▸", `missing )`, `the ( is in column 20`},
		{"▸wave:x", `invalid wave "x": must be a number from 1`, `for example wave:2`},
		{"▸tag:home", `invalid field "tag:": must be kind: or wave:`, `write @home`},
		{"▸knid:home", `invalid field "knid:": must be kind: or wave:`, `did you mean "kind"?`},
		{"hsb0 ▸hsb1", `missing operator before "hsb1"`, `use A, B to select hosts in either, A and B to select hosts in both`},
		{"(hsb0 ▸hsb1)", `missing operator before "hsb1"`, `use A, B to select hosts in either, A and B to select hosts in both`},
		{"hsb0 ▸&& hsb1", `invalid operator "&&"`, `the operators are and, or, not`},
		{"hsb0,▸,hsb1", `expected hosts, not ","`, `select hosts by name, @tag, kind:KIND or wave:N`},
		{"hsb0 and▸", `expected hosts, not the end`, `select hosts by name, @tag, kind:KIND or wave:N`},
		{"▸and hsb0", `expected hosts, not "and"`, `select hosts by name, @tag, kind:KIND or wave:N`},
		{"(hsb0▸", `missing )`, `the ( is in column 1`},
		{"hsb0▸)", `unexpected )`, ``},
		{"▸!hsb0", `invalid operator "!"`, `write not hsb0`},
		{"▸hsb[0", `invalid pattern "hsb[0"`, `close the [ with a ], as in hsb[0-2]`},
		{"hsb0 or ▸größe", `invalid character "ö"`, `names and tags contain letters, digits, '.', '_' and '-'; * ? [a-c] are wildcards`},
	} {
		selector, _, column := cutMark(t, tt.selector)
		_, err := smallFleet().Select(selector)
		var e *SelectorError
		if !errors.As(err, &e) {
			t.Errorf("%s: got %v", tt.selector, err)
			continue
		}
		if e.Message != tt.message || e.Hint() != tt.hint || e.Column != column {
			t.Errorf("%s:\ngot  %d %s (%s)\nwant %d %s (%s)", tt.selector, e.Column, e.Message, e.Hint(), column, tt.message, tt.hint)
		}
	}
}

func TestSelectorErrorShowsCaret(t *testing.T) {
	_, err := smallFleet().Select("@home or ö\x1b~ or x")
	want := "invalid character \"ö\"\n    @home or ??~ or x\n             ^"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestSelectingNothingIsAnError(t *testing.T) {
	for _, selectors := range [][]string{nil, {""}, {" "}, {"hsb0", ""}, {"hsb0 and csb0"}, {"not *"}, {"wave:9"}} {
		if got, err := smallFleet().Select(selectors...); err == nil {
			t.Errorf("%q selected %q", selectors, names(got))
		}
	}
	_, err := smallFleet().Select("hsb0 and csb0")
	if want := `selector "hsb0 and csb0" matches no hosts`; err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDeeplyNestedSelectorIsAnError(t *testing.T) {
	for _, s := range []string{strings.Repeat("(", 1e6), strings.Repeat("not ", 1e6) + "*"} {
		if _, err := smallFleet().Select(s); err == nil || !strings.Contains(err.Error(), "nested too deeply") {
			t.Errorf("got %.80v", err)
		}
	}
}

func TestSelectorDepthIsLimited(t *testing.T) {
	for selector, want := range map[string]bool{
		strings.Repeat("not ", maxSelectorDepth-2) + "hsb0":                                                      true,
		strings.Repeat("not ", maxSelectorDepth) + "hsb0":                                                        false,
		strings.Repeat("(", maxSelectorDepth-1) + "hsb0" + strings.Repeat(")", maxSelectorDepth-1):               true,
		strings.Repeat("hsb0, ", maxSelectorDepth) + strings.Repeat("not not hsb0, ", maxSelectorDepth) + "hsb0": true,
	} {
		if _, err := smallFleet().Select(selector); (err == nil) != want {
			t.Errorf("%.40s...: got %.80v", selector, err)
		}
	}
}

func TestSelectHintsListAFewHostsAndTags(t *testing.T) {
	hint := func(hosts, tags int, selector string) string {
		inv := &Inventory{}
		for i := range hosts {
			inv.Hosts = append(inv.Hosts, &Host{Name: fmt.Sprint("host", i)})
		}
		for i := range tags {
			inv.Hosts[0].Tags = append(inv.Hosts[0].Tags, fmt.Sprint("tag", i))
		}
		_, err := inv.Select(selector)
		return err.(interface{ Hint() string }).Hint()
	}
	for _, tt := range []struct {
		hosts, tags int
		selector    string
		want        string
	}{
		{0, 0, "xyz", "the fleet has no hosts"},
		{1, 0, "xyz", "the hosts are host0"},
		{10, 0, "xyz", "the hosts are host0, host1, host2, host3, host4, host5, host6, host7, host8, host9"},
		{11, 0, "xyz", "the fleet has 11 hosts: host0, host1, host2, host3, host4, host5, host6, host7, host8, host9, ..."},
		{1, 0, "@xyz", ""},
		{1, 2, "@xyz", "the tags are tag0, tag1"},
		{1, 20, "@xyz", "the tags are tag0, tag1, tag2, tag3, tag4, tag5, tag6, tag7, tag8, tag9, tag10, tag11, tag12, tag13, tag14, tag15, tag16, tag17, tag18, tag19"},
		{1, 21, "@xyz", ""},
	} {
		if got := hint(tt.hosts, tt.tags, tt.selector); got != tt.want {
			t.Errorf("%d hosts, %d tags, %s: got %q, want %q", tt.hosts, tt.tags, tt.selector, got, tt.want)
		}
	}
}

func FuzzSelect(f *testing.F) {
	for _, s := range []string{"*", "hsb0 or (csb0 and not @dns)", "kind:home,wave:1", "[!a-c]?", "not not (", "@*"} {
		f.Add(s)
	}
	inv := smallFleet()
	f.Fuzz(func(t *testing.T, selector string) {
		selected, err := inv.Select(selector)
		if err != nil {
			var e *SelectorError
			if errors.As(err, &e) && (e.Column < 1 || e.Column > len([]rune(selector))+1) {
				t.Fatalf("%q: the caret is in column %d", selector, e.Column)
			}
			return
		}
		// The negation selects exactly the other hosts.
		rest, err := inv.Select("not (" + selector + ")")
		if len(selected) == len(inv.Hosts) {
			if err == nil {
				t.Fatalf("%q selects all hosts, and its negation %q", selector, names(rest))
			}
		} else if err != nil || len(selected)+len(rest) != len(inv.Hosts) {
			t.Fatalf("%q selects %q, and its negation %q, %v", selector, names(selected), names(rest), err)
		}
		for _, h := range selected {
			if strings.Contains(" "+names(rest)+" ", " "+h.Name+" ") {
				t.Fatalf("%q and its negation both select %q", selector, h.Name)
			}
		}
	})
}

func BenchmarkSelectFrom10000Hosts(b *testing.B) {
	inv, _ := Parse("hosts.toml", largeFleet(10000))
	every := make([]string, len(inv.Hosts))
	for i, h := range inv.Hosts {
		every[i] = h.Name
	}
	for name, selectors := range map[string][]string{
		"expression": {"(@rack1* or host0[0-4]*) and not wave:2 and kind:nixos"},
		"names":      every,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := inv.Select(selectors...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleInventory_Select() {
	inv := smallFleet()
	hosts, err := inv.Select("@server and not (wave:3 or csb*)")
	fmt.Println(names(hosts), err)
	// Output: hsb1 <nil>
}
