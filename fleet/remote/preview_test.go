package remote

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/change"
)

func TestParsePreview(t *testing.T) {
	got := ParsePreview([]byte(`head 1111
standing 0 2
commit 3333 1795503408 flake: newer nixpkgs
author Ada Lovelace
commit 2222 1795500000 hsb0: dns
author Markus
nix warning: Git tree '/home/mba/Code/nixcfg' is dirty
nix these 2 derivations will be built:
nix   /nix/store/a-unit.drv
nix   /nix/store/b-system.drv
nix these 3 paths will be fetched (34.51 MiB download, 120.04 MiB unpacked):
nix   /nix/store/c-linux
nix   /nix/store/d-curl
nix   /nix/store/e-glibc
from /nix/store/x
built /nix/store/y
closure 1000 3000
difference linux: 6.18.3 → 6.19.0, +1234.5 KiB
compared
units would stop the following units: nscd.service, a.mount
units would NOT stop the following changed units: b.service
units would activate the configuration...
units would start the following new units: demo.service
`))
	want := Preview{
		Head: "1111", Behind: 2,
		Commits: []Commit{
			{"3333", "flake: newer nixpkgs", "Ada Lovelace", time.Unix(1795503408, 0).UTC()},
			{"2222", "hsb0: dns", "Markus", time.Unix(1795500000, 0).UTC()},
		},
		Builds:   []string{"/nix/store/a-unit.drv", "/nix/store/b-system.drv"},
		Fetches:  []string{"/nix/store/c-linux", "/nix/store/d-curl", "/nix/store/e-glibc"},
		Download: "34.51 MiB", From: "/nix/store/x", Built: "/nix/store/y",
		Changes: &change.Set{
			Packages: []change.Package{{Name: "linux", Before: "6.18.3", After: "6.19.0", Word: change.Up, Size: "+1234.5 KiB"}},
			Counts:   map[change.Word]int{change.Up: 1},
			Closure:  &change.Closure{Before: 1000, After: 3000, Difference: 2000},
			Units:    []change.Units{{Verb: "stop", Units: []string{"nscd.service", "a.mount"}}, {Verb: "start", Units: []string{"demo.service"}}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func FuzzParsePreview(f *testing.F) {
	f.Add([]byte("commit a 1 b\nauthor x\nnix these 2 derivations will be built:\nnix   /nix/store/a\ndifference a: 1 → 2, +1 KiB\nunits would stop the following units: a"))
	f.Add([]byte("author early\ncommit x\nnix   loose\ndifference : → \nproblem \nstanding 1"))
	f.Fuzz(func(t *testing.T, output []byte) {
		if _, err := json.Marshal(ParsePreview(output)); err != nil {
			t.Fatal(err)
		}
	})
}
