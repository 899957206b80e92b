package host_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

func TestPreviewChangesNothing(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	dir := f.Checkout("web", "mba")
	head := fleettest.Git(t, dir, "rev-parse", "HEAD")
	rev, err := f.Push(t.Context(), "web", "new-kernel") // not in the checkout yet
	if err != nil {
		t.Fatal(err)
	}
	before, runs := fleettest.Refs(t, dir), f.Health("web").System
	for name, given := range map[string]string{"given": rev, "looked up by the host": ""} {
		got := f.Preview(fleet.Options{}, given, false)
		if got.Err != nil || got.Problem != "" || got.Revision != rev || got.Head != head || got.Behind != 2 || len(got.Commits) != 2 {
			t.Fatalf("the revision %s: %+v", name, got)
		}
		if c := got.Commits[0]; c.Revision != rev || c.Subject != "web: new-kernel" || c.Author != "Markus" || c.Time.IsZero() {
			t.Errorf("the newest commit is %+v", c)
		}
		if len(got.Builds) == 0 || len(got.Fetches) == 0 || got.Download == "" || got.Built != "" {
			t.Errorf("would build %q, fetch %q (%s)", got.Builds, got.Fetches, got.Download)
		}
	}
	if after := fleettest.Refs(t, dir); after != before {
		t.Errorf("the checkout changed from\n%s\nto\n%s", before, after)
	}
	if now := f.Health("web").System; now.Deployed != runs.Deployed || now.Profile != runs.Profile {
		t.Errorf("the system changed from %+v to %+v", runs, now)
	}
}

func TestPreviewWithBuildShowsChanges(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	rev, err := f.Push(t.Context(), "web", "new-kernel")
	if err != nil {
		t.Fatal(err)
	}
	runs := f.Health("web").System.Deployed
	got := f.Preview(fleet.Options{}, rev, true)
	if got.Err != nil || got.Problem != "" || got.From != runs || got.Built == "" || got.Built == runs {
		t.Fatalf("%+v", got)
	}
	changes := map[string]string{}
	for _, c := range got.Changes.Packages {
		changes[c.Name] = string(c.Word) + " " + c.After
	}
	if changes["linux"] != "up 6.19.0" {
		t.Errorf("changes %v", changes)
	}
	if units := got.Changes.Units; len(units) == 0 || units[0].Verb != "stop" {
		t.Errorf("units %+v", units)
	}
	if c := got.Changes.Closure; c == nil || c.Before <= 0 || c.Difference != c.After-c.Before {
		t.Errorf("closure %+v", c)
	}
	if now := f.Health("web").System.Deployed; now != runs {
		t.Errorf("the system changed from %s to %s", runs, now)
	}
}

func TestPreviewReportsProblems(t *testing.T) {
	for code, breakIt := range map[string]func(t *testing.T, f *fleettest.Fleet, dir string){
		"dirty": func(t *testing.T, f *fleettest.Fleet, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "flake.nix"), []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"wrong-branch": func(t *testing.T, f *fleettest.Fleet, dir string) {
			fleettest.Git(t, dir, "switch", "-q", "-c", "try")
		},
		"diverged": func(t *testing.T, f *fleettest.Fleet, dir string) {
			fleettest.Git(t, dir, "commit", "-q", "--allow-empty", "-m", "own")
		},
		"no-repo": func(t *testing.T, f *fleettest.Fleet, dir string) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		},
		"no-access": func(t *testing.T, f *fleettest.Fleet, dir string) {
			if _, err := f.Push(t.Context(), "web", "x"); err != nil {
				t.Fatal(err)
			}
			fleettest.Git(t, dir, "remote", "set-url", "origin", filepath.Join(t.TempDir(), "nothing"))
		},
	} {
		t.Run(code, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
			breakIt(t, f, f.Checkout("web", "mba"))
			got := f.Preview(fleet.Options{}, fleettest.Git(t, f.Origin, "rev-parse", "main"), false)
			if got.Code != code || got.Problem == "" || got.Hint() == "" {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestPreviewChecksRevision previews a commit of another branch, as the fleet's tip and by name.
func TestPreviewChecksRevision(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	dir := f.Checkout("web", "mba")
	author := t.TempDir()
	fleettest.Git(t, author, "clone", "-q", f.Origin, ".")
	fleettest.Git(t, author, "switch", "-q", "-c", "try")
	fleettest.Git(t, author, "commit", "-q", "--allow-empty", "-m", "try")
	fleettest.Git(t, author, "push", "-q", "origin", "try")
	rev := fleettest.Git(t, author, "rev-parse", "HEAD")
	before := fleettest.Refs(t, dir)
	if got := f.Preview(fleet.Options{}, rev, false); got.Code != "no-revision" || got.Err != nil {
		t.Errorf("as the tip: %+v", got)
	}
	named := fleet.Options{Rev: "try", Pinned: fleet.Revision{Ref: "refs/heads/try"}}
	for range 2 { // the second time, the commit is there
		if got := f.Preview(named, rev, false); got.Problem != "" || got.Err != nil || len(got.Commits) == 0 || got.Commits[0].Subject != "try" {
			t.Errorf("named: %+v", got)
		}
	}
	if got := f.Preview(fleet.Options{}, rev, false); got.Code != "off-branch" || got.Hint() == "" {
		t.Errorf("as the tip, once the commit is there: %+v", got)
	}
	if after := fleettest.Refs(t, dir); after != before {
		t.Errorf("the checkout changed from\n%s\nto\n%s", before, after)
	}
}

func TestPlannedSteps(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "desk", Kind: "home", User: "markus", Wave: 1})
	f.Inv.Hosts = append(f.Inv.Hosts, &inventory.Host{Name: "sub", Kind: inventory.NixOS, Attr: "sub", FlakeDir: "nix/hosts"})
	f.Inv.Hosts = append(f.Inv.Hosts, &inventory.Host{Name: "own", Kind: inventory.Darwin, Attr: "own", Sudo: "doas",
		NixOptions: []inventory.NixOption{{Name: "builders", Value: ""}}, BuildArgs: []string{"--impure"},
		BeforeSwitch: []string{"snapshot"}, AfterSwitch: []string{"notify"}})
	f.Inv.Hosts = append(f.Inv.Hosts,
		&inventory.Host{Name: "special", Kind: inventory.NixOS, Attr: "special", Specialisation: "gaming"},
		&inventory.Host{Name: "anna", Kind: inventory.Home, Attr: "anna@desk", BackupExtension: "bak"})
	f.Inv.Host("web").Health = []inventory.Check{{What: "systemctl is-active nginx"}}
	steps := func(name string, o fleet.Options) string {
		plan, err := fleet.NewPlan(f.Inv, f.Inv.Hosts[:1], o, "me@here")
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, s := range host.PlannedSteps(plan, f.Inv.Host(name), "REV") {
			all = append(all, string(s.Step)+": "+strings.Join(s.Commands, "; "))
		}
		return strings.Join(all, "\n")
	}
	for _, test := range []struct {
		host string
		o    fleet.Options
		want string
	}{
		{"web", fleet.Options{}, `pull: git fetch origin main; git merge --ff-only REV
build: nix build '.#nixosConfigurations."web".config.system.build.toplevel' --no-update-lock-file
activate: sudo ./result/bin/switch-to-configuration test
verify: systemctl is-active nginx
confirm: sudo nix-env -p /nix/var/nix/profiles/system --set ./result; sudo ./result/bin/switch-to-configuration boot`},
		{"web", fleet.Options{Goal: fleet.GoalBuild, NoPull: true}, `build: nix build '.#nixosConfigurations."web".config.system.build.toplevel' --no-update-lock-file`},
		{"web", fleet.Options{Goal: fleet.GoalPull}, "pull: git fetch origin main; git merge --ff-only REV"},
		{"web", fleet.Options{Goal: fleet.GoalPull, Rev: "try", Pinned: fleet.Revision{Commit: strings.Repeat("1", 40), Ref: "refs/heads/try"}},
			"pull: git fetch origin main try; git checkout --detach REV"},
		{"desk", fleet.Options{NoPull: true}, `build: nix build '.#homeConfigurations."markus@desk".activationPackage' --no-update-lock-file
activate: ./result/activate --driver-version 1
confirm: nix-env -p ~/.local/state/nix/profiles/home-manager --set ./result`},
		{"own", fleet.Options{NoPull: true, Nix: inventory.NixArgs{Options: []inventory.NixOption{{Name: "cores", Value: "2"}}}},
			`build: nix build '.#darwinConfigurations."own".system' --no-update-lock-file --option builders '' --option cores 2 --impure
before: snapshot
activate: doas nix-env -p /nix/var/nix/profiles/system --set ./result; doas ./result/activate
after: notify`},
		{"special", fleet.Options{Goal: fleet.GoalTest, NoPull: true}, `build: nix build '.#nixosConfigurations."special".config.system.build.toplevel' --no-update-lock-file
activate: sudo ./result/specialisation/gaming/bin/switch-to-configuration test`},
		{"anna", fleet.Options{NoPull: true}, `build: nix build '.#homeConfigurations."anna@desk".activationPackage' --no-update-lock-file
activate: HOME_MANAGER_BACKUP_EXT=bak ./result/activate --driver-version 1
confirm: nix-env -p ~/.local/state/nix/profiles/home-manager --set ./result`},
		{"sub", fleet.Options{Goal: fleet.GoalBuild, NoPull: true}, `build: nix build './nix/hosts#nixosConfigurations."sub".config.system.build.toplevel' --no-update-lock-file`},
	} {
		if got := steps(test.host, test.o); got != test.want {
			t.Errorf("%s %+v:\n%s\nwant\n%s", test.host, test.o, got, test.want)
		}
	}
}
