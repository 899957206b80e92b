package cli

import (
	"encoding/json"
	"testing"
	"unicode"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// FuzzFlakeFleet drafts an inventory from any answer of nix eval: it must be a valid one.
func FuzzFlakeFleet(f *testing.F) {
	f.Add([]byte(`{"Hosts":[{"Name":"web","Attr":"web","Kind":"nixos"},{"Name":"a b","Kind":"home"}],"LeftOut":[{"Output":"x","Attr":"\u001b[2J","Why":"y"}]}`))
	f.Add([]byte(`{"Hosts":[{"Name":"web","Attr":"web","Address":"10.0.0.1","User":"root","Kind":"darwin"},{"Name":"WEB","Attr":"u@h","Kind":"home","User":"u"}]}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		var evaluated flakeFleet
		if json.Unmarshal(answer, &evaluated) != nil {
			return
		}
		draft := inventory.Draft{Name: "fleet", Repo: defaultRepo}
		evaluated.addTo(&draft)
		text := draft.TOML()
		for _, r := range string(text) {
			if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf) {
				t.Fatalf("%U in the inventory:\n%s", r, text)
			}
		}
		if inv, findings := inventory.Parse("hosts.toml", text); len(draft.Hosts) > 0 && inv == nil {
			t.Fatalf("%v\n%s", inventory.Findings(findings), text)
		}
	})
}

// FuzzLsRemote reads any answer of git ls-remote.
func FuzzLsRemote(f *testing.F) {
	const commit = "3f9c2ab0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6"
	f.Add(commit + "\trefs/heads/main\n")
	f.Add("\x1b[2J\trefs/heads/main\n" + commit + "\trefs/tags/main^{}\n")
	f.Fuzz(func(t *testing.T, output string) {
		if rev := firstRef(output, []string{"refs/heads/main", "refs/tags/main"}); rev != (fleet.Revision{}) && !fleet.IsCommit(rev.Commit) {
			t.Errorf("%+v", rev)
		}
	})
}
