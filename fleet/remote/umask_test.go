package remote

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPullLeavesModesOfGitPull compares a checkout after a job with one after git pull.
func TestPullLeavesModesOfGitPull(t *testing.T) {
	for _, umask := range []string{"002", "022", "077"} {
		for _, shared := range []string{"false", "group"} {
			t.Run(umask+" shared="+shared, func(t *testing.T) {
				t.Parallel()
				f := newRepoFixture(t)
				for _, dir := range []string{"c", "twin"} {
					f.sh("umask $0; rm -rf \"$1\"; git clone -q -c core.sharedRepository=$2 origin.git \"$1\"", umask, filepath.Join(f.home, dir), shared)
				}
				rev := f.commit(map[string]string{"hosts/a": "two", "new/dir/file": "x"})
				end, out := f.launch(f.job("pull", rev), umask)
				if end.Word != "pulled" {
					t.Fatalf("%+v\n%s", end, out)
				}
				f.sh("umask $0; cd twin && git fetch -q origin main:refs/remotes/origin/main && git merge -q --ff-only $1", umask, rev)
				got, want := f.modes(f.checkout()), f.modes(filepath.Join(f.home, "twin"))
				if !maps.Equal(got, want) {
					for name := range want {
						if got[name] != want[name] {
							t.Errorf("%s is %s, want %s", name, got[name], want[name])
						}
					}
				}
			})
		}
	}
}

func TestCommandsOfUserRunWithLoginUmask(t *testing.T) {
	for _, umask := range []string{"0002", "0022"} {
		f := newRepoFixture(t)
		j := f.job("switch", f.git(f.author, "rev-parse", "HEAD"))
		j.SwitchCommand = "umask >~/switch-umask; touch ~/made"
		j.Health = []string{"umask >~/health-umask"}
		if end, out := f.launch(j, umask); end.Word != "unchanged" {
			t.Fatalf("%+v\n%s", end, out)
		}
		for _, name := range []string{"switch-umask", "health-umask"} {
			if got, err := os.ReadFile(filepath.Join(f.home, name)); err != nil || strings.TrimSpace(string(got)) != umask {
				t.Errorf("%s is %q (%v), want %q", name, got, err, umask)
			}
		}
		for _, dir := range []string{"", "jobs", "jobs/" + j.ID} {
			info, err := os.Stat(filepath.Join(f.home, ".local/state/fleetctl", dir))
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("with umask %s, fleetctl's directory %q is not private: %v, %v", umask, dir, info, err)
			}
		}
	}
}

// TestOperatorsCommandsRunWithLoginUmask covers the sessions that have no job.
func TestOperatorsCommandsRunWithLoginUmask(t *testing.T) {
	for name, script := range map[string]Script{
		"exec":      Exec("umask"),
		"repotests": RepoTests("t", "h", Checkout{Repo: "~/c"}, 60e9),
	} {
		f := newRepoFixture(t)
		f.write("c/hosts/h/tests/one.sh", "umask\n")
		cmd := f.shell(script, "0002")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "0002\n") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestRootHalfRunsLikeNixosRebuild has a PATH without a home and the umask of the system, whatever
// the login has.
func TestRootHalfRunsLikeNixosRebuild(t *testing.T) {
	f := newRepoFixture(t)
	dir := filepath.Join(f.home, "job")
	f.write("system/bin/switch-to-configuration", "#!/bin/sh\numask >>\"$FLEETCTL_ROOT/seen\"\necho \"$PATH\" >>\"$FLEETCTL_ROOT/seen\"\n")
	f.sh("chmod +x system/bin/*; mkdir -p job var/run/fleetctl/jobs/r.h nix/var/nix/profiles; ln -s ../system built")
	f.write("job/nonce", "nonce\n")
	f.write("job/activate", filepath.Join(f.home, "system")+"\n0\n"+f.checkout()+"\n\n22\n\nfail\n")
	script := Script{Text: compose("root").text, Args: []string{"run", dir, f.home, "id=r.h", "kind=nixos", "goal=test",
		"confirm=none", "confirm_seconds=1", "login_user=me", "who=me"}}
	out, err := f.shell(script, "0002").CombinedOutput()
	seen, _ := os.ReadFile(filepath.Join(f.home, "seen"))
	lines := strings.Split(string(seen), "\n")
	if err != nil || len(lines) < 2 || lines[0] != "0022" || strings.Contains(lines[1], ".nix-profile") || strings.Contains(lines[1], "state/nix") {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		t.Errorf("%v %q\n%s\n%s", err, lines, out, log)
	}
	for _, name := range []string{"activated", "concluded"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%s cannot be read by the user half: %v, %v", name, info, err)
		}
	}
}
