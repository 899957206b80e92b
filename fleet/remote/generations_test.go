package remote

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

func TestGenerationsAreUnderstoodTheNewestFirst(t *testing.T) {
	got := ParseGenerations([]byte(`current 12
booted /nix/store/a-nixos
generation 9 1795400000 1111111111111111111111111111111111111111 /nix/store/a-nixos
generation 12 1795503408 - /nix/store/b-nixos
generation x 1795503408 - /nix/store/c-nixos
generation 13
and something that no host says
`))
	want := []health.Generation{
		{Number: 12, Time: new(time.Unix(1795503408, 0).UTC()), Path: "/nix/store/b-nixos", Current: true},
		{Number: 9, Time: new(time.Unix(1795400000, 0).UTC()), Revision: strings.Repeat("1", 40), Path: "/nix/store/a-nixos", Booted: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// Profiles are links that Nix makes; what else lies beside them is none. Each system says what it was built from, or a deploy wrote it down.
func TestGenerationsAreReadOffTheProfilesLinks(t *testing.T) {
	for which, path := range shells(t) {
		root := t.TempDir()
		profiles, store := filepath.Join(root, "nix/var/nix/profiles"), filepath.Join(root, "nix/store")
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, dir := range []string{profiles, filepath.Join(root, "run"), filepath.Join(store, "old"), filepath.Join(store, "new/sw/bin"), filepath.Join(root, ".local/state/fleetctl")} {
			must(os.MkdirAll(dir, 0o755))
		}
		must(os.WriteFile(filepath.Join(store, "new/sw/bin/nixos-version"), []byte("#!/bin/sh\necho '{\"configurationRevision\":\"2222\"}'\n"), 0o755))
		must(os.WriteFile(filepath.Join(root, ".local/state/fleetctl/revisions"), []byte(store+"/old 1111\n"+store+"/new 9999\n"), 0o600))
		must(os.Symlink(store+"/old", filepath.Join(profiles, "system-8-link")))
		must(os.Symlink(store+"/new", filepath.Join(profiles, "system-10-link")))
		must(os.Symlink("system-10-link", filepath.Join(profiles, "system")))
		must(os.Symlink(store+"/old", filepath.Join(profiles, "system-profiles-link")))
		must(os.WriteFile(filepath.Join(profiles, "system-9-link"), nil, 0o644))
		must(os.Symlink(store+"/old", filepath.Join(root, "run/booted-system")))

		script := Generations("t", "nixos")
		cmd := shell(path, script.Text, append([]string{"-s", "--"}, script.Args...)...)
		cmd.Env = []string{"HOME=" + root, "FLEETCTL_ROOT=" + root, "PATH=" + os.Getenv("PATH")}
		out, err := cmd.Output()
		must(err)
		header, rest, _ := strings.Cut(string(out), "\n")
		got := ParseGenerations([]byte(rest))
		for i := range got {
			if got[i].Time == nil {
				t.Errorf("%s: generation %d has no time", which, got[i].Number)
			}
			got[i].Time = nil
		}
		want := []health.Generation{
			{Number: 10, Revision: "2222", Path: store + "/new", Current: true},
			{Number: 8, Revision: "1111", Path: store + "/old", Booted: true},
		}
		if header != "@t generations" || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s\n%+v\nwant\n%+v", which, out, got, want)
		}
	}
}
