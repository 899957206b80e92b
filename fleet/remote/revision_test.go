package remote

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// push pushes a commit with these files to a branch and returns it. The branch starts where the
// author is.
func (f *repoFixture) push(branch string, files map[string]string) string {
	f.t.Helper()
	f.git(f.author, "checkout", "-q", "-B", branch)
	for name, text := range files {
		f.write("author/"+name, text)
	}
	f.git(f.author, "add", "-A")
	f.git(f.author, "commit", "-q", "-m", "change")
	f.git(f.author, "push", "-q", "-f", "origin", branch)
	return f.git(f.author, "rev-parse", "HEAD")
}

// place returns the checkout of a job, or the clone that fleetctl keeps for it.
func (f *repoFixture) place(managed bool) string {
	f.t.Helper()
	if !managed {
		return f.checkout()
	}
	clones, err := filepath.Glob(f.home + "/.local/state/fleetctl/repos/*")
	if err != nil || len(clones) != 1 {
		f.t.Fatal(clones, err)
	}
	return clones[0]
}

// probe returns what a probe finds out about the checkout.
func (f *repoFixture) probe(managed bool) health.Checkout {
	f.t.Helper()
	out, err := f.shell(Probe("t", "home", Checkout{Repo: "~/c", Managed: managed, Remote: f.origin}), "022").Output()
	probed := ParseProbe(out)
	if err != nil || probed.Health.Checkout == nil {
		f.t.Fatalf("%v\n%s", err, out)
	}
	return *probed.Health.Checkout
}

// bothModes runs a test with a user's checkout and with fleetctl's own clone. Its jobs pull.
func bothModes(t *testing.T, test func(t *testing.T, f *repoFixture, managed bool, pull func(rev, ref string) (Item, string))) {
	for name, managed := range map[string]bool{"checkout": false, "managed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newRepoFixture(t)
			test(t, f, managed, func(rev, ref string) (Item, string) {
				t.Helper()
				j := f.job("pull", rev)
				j.Ref, j.Managed, j.Remote = ref, managed, f.origin
				end, out := f.launch(j, "022")
				if end.Word == "pulled" {
					if head := f.git(f.place(managed), "rev-parse", "HEAD"); head != rev {
						t.Errorf("pulled %s instead of %s\n%s", head, rev, out)
					}
				}
				return end, out
			})
		})
	}
}

// TestUnreviewedCommitIsRefused shows that a host does not deploy what is on another branch only,
// even if the operator was made to believe that it is the tip of the fleet's.
func TestUnreviewedCommitIsRefused(t *testing.T) {
	bothModes(t, func(t *testing.T, f *repoFixture, _ bool, pull func(rev, ref string) (Item, string)) {
		first := f.git(f.author, "rev-parse", "HEAD")
		rev := f.push("contributor", map[string]string{"hosts/a": "evil"})
		// The commit is in the checkout, as after a git fetch.
		f.git(f.checkout(), "fetch", "-q")
		end, out := pull(rev, "")
		if end.Word != "failed" || end.Code != "off-branch" && end.Code != "no-revision" {
			t.Errorf("%+v\n%s", end, out)
		}
		if head := f.git(f.checkout(), "rev-parse", "HEAD"); head != first {
			t.Errorf("the checkout is at %s", head)
		}
		// On the branch it may be deployed.
		f.git(f.author, "push", "-q", "origin", "contributor:main")
		if end, out := pull(rev, ""); end.Word != "pulled" {
			t.Errorf("%+v\n%s", end, out)
		}
	})
}

func TestDowngradeIsRefusedUnlessNamed(t *testing.T) {
	bothModes(t, func(t *testing.T, f *repoFixture, managed bool, pull func(rev, ref string) (Item, string)) {
		older := f.commit(map[string]string{"hosts/a": "two"})
		newer := f.commit(map[string]string{"hosts/a": "three"})
		// The home that runs was built from the newer commit, by another clone.
		f.write("system/x", "")
		f.sh(`mkdir -p .local/state/nix/profiles .local/state/fleetctl
ln -s $HOME/system .local/state/nix/profiles/home-manager
printf '%s %s-dirty\n' "$(readlink -f system)" ` + newer + ` >.local/state/fleetctl/revisions`)
		end, out := pull(older, "")
		if end.Word != "failed" || end.Code != "downgrade" || !strings.Contains(end.Text, newer) {
			t.Errorf("%+v\n%s", end, out)
		}
		if end, out := pull(older, older); end.Word != "pulled" {
			t.Errorf("named: %+v\n%s", end, out)
		}
		if end, out := pull(newer, ""); end.Word != "pulled" {
			t.Errorf("newer: %+v\n%s", end, out)
		}
	})
}

// TestTrialAndReturn tries a branch, a tag and a commit, and returns to the fleet's branch.
func TestTrialAndReturn(t *testing.T) {
	bothModes(t, func(t *testing.T, f *repoFixture, managed bool, pull func(rev, ref string) (Item, string)) {
		start := f.git(f.author, "rev-parse", "HEAD")
		branch := f.push("try", map[string]string{"hosts/a": "try", "new": "file"})
		f.git(f.author, "checkout", "-q", "--detach", start)
		tagged := f.push("scratch", map[string]string{"hosts/a": "tag"})
		f.git(f.author, "tag", "-a", "-m", "tag", "v1", tagged)
		f.git(f.author, "push", "-q", "origin", "v1")
		f.git(f.author, "push", "-q", "origin", ":scratch")
		f.git(f.author, "checkout", "-q", "--detach", start)
		unnamed := f.push("gone", map[string]string{"hosts/a": "gone"})
		f.git(f.author, "push", "-q", "origin", ":gone")
		f.git(f.author, "checkout", "-q", "--detach", start)
		main := f.commit(map[string]string{"hosts/b": "main"})
		for _, step := range []struct{ rev, ref string }{
			{branch, "refs/heads/try"}, {tagged, "refs/tags/v1"}, {unnamed, unnamed}, {main, ""}, {main, ""},
		} {
			end, out := pull(step.rev, step.ref)
			if end.Word != "pulled" && end.Word != "unchanged" {
				t.Fatalf("%+v: %+v\n%s", step, end, out)
			}
			dir := f.place(managed)
			if status := f.git(dir, "status", "--porcelain", "--untracked-files=no"); status != "" {
				t.Errorf("%+v: status %q", step, status)
			}
			if got := strings.Contains(out, " fact trial "+step.ref+"\n"); got != (step.ref != "") {
				t.Errorf("%+v: on trial is %v\n%s", step, got, out)
			}
			c := f.probe(managed)
			if c.Revision != step.rev || c.Trial != step.ref || c.Dirty {
				t.Errorf("%+v: the probe reports %+v", step, c)
			}
			if !managed && step.ref != "" {
				if own := f.git(dir, "rev-parse", "main"); own != start || c.Branch != "" {
					t.Errorf("%+v: the user's branch is at %s, HEAD on %q", step, own, c.Branch)
				}
			}
		}
		if !managed {
			if branch := f.git(f.checkout(), "symbolic-ref", "--short", "HEAD"); branch != "main" {
				t.Errorf("the checkout is on %s", branch)
			}
		}
	})
}

func TestCheckoutIsOnlyFastForwarded(t *testing.T) {
	t.Parallel()
	f := newRepoFixture(t)
	start := f.git(f.author, "rev-parse", "HEAD")
	branch := f.push("try", map[string]string{"hosts/a": "try"})
	f.git(f.author, "checkout", "-q", "-B", "main", start)
	main := f.commit(map[string]string{"hosts/b": "main"})
	pull := func(rev, ref string) Item {
		t.Helper()
		j := f.job("pull", rev)
		j.Ref = ref
		end, _ := f.launch(j, "022")
		return end
	}
	if end := pull(main, ""); end.Word != "pulled" {
		t.Fatalf("%+v", end)
	}
	before := f.snapshot()
	for code, rev := range map[string]string{"diverged": branch, "older": start} {
		if end := pull(rev, rev); end.Word != "failed" || end.Code != code {
			t.Errorf("%s: %+v", code, end)
		}
	}
	if after := f.snapshot(); after != before {
		t.Errorf("the checkout changed from\n%s\nto\n%s", before, after)
	}
	// A detached checkout that --rev has not left there is the user's business.
	f.git(f.checkout(), "checkout", "-q", "--detach", start)
	if end := pull(main, ""); end.Code != "wrong-branch" {
		t.Errorf("%+v", end)
	}
}

// TestFailedTrialLeavesTree tries a branch whose files cannot be written, and fails to return from
// one.
func TestFailedTrialLeavesTree(t *testing.T) {
	t.Parallel()
	f := newRepoFixture(t)
	start := f.git(f.author, "rev-parse", "HEAD")
	bad := map[string]string{".gitattributes": "secret filter=crypt\n", "secret": "x", "hosts/a": "bad"}
	tried := f.push("try", map[string]string{"hosts/a": "try"})
	f.git(f.author, "checkout", "-q", "-B", "main", start)
	main := f.commit(bad)
	f.sh("git config --global filter.crypt.smudge no-such-program; git config --global filter.crypt.clean cat; git config --global filter.crypt.required true")
	job := func(rev, ref string) Job {
		j := f.job("pull", rev)
		j.Ref = ref
		return j
	}
	f.git(f.author, "checkout", "-q", "--detach", start)
	unwritable := f.push("bad", map[string]string{"new": "x", "hosts/a": "bad"})
	before := f.snapshot()
	f.write("c/new", "the user's")
	if end, out := f.launch(job(unwritable, "refs/heads/bad"), "022"); end.Code != "dirty" || !strings.Contains(end.Text, "does not track") {
		t.Errorf("%+v\n%s", end, out)
	}
	f.sh("rm c/new")
	if after := f.snapshot(); after != before || f.git(f.checkout(), "symbolic-ref", "HEAD") != "refs/heads/main" {
		t.Errorf("the checkout changed from\n%s\nto\n%s", before, after)
	}
	if end, out := f.launch(job(tried, "refs/heads/try"), "022"); end.Word != "pulled" {
		t.Fatalf("%+v\n%s", end, out)
	}
	before = f.snapshot()
	if end, out := f.launch(job(main, ""), "022"); end.Code != "checkout" {
		t.Errorf("%+v\n%s", end, out)
	}
	if after := f.snapshot(); after != before {
		t.Errorf("the checkout changed from\n%s\nto\n%s", before, after)
	}
	f.sh("git config --global filter.crypt.smudge cat")
	if end, out := f.launch(job(main, ""), "022"); end.Word != "pulled" {
		t.Errorf("%+v\n%s", end, out)
	}
}

func TestSubmodulesFollowTrial(t *testing.T) {
	t.Parallel()
	f := newSubmoduleFixture(t)
	start := f.git(f.author, "rev-parse", "HEAD")
	f.sh("echo two >used/file; git -C used commit -q -a -m two; git -C author submodule -q update --init --remote used")
	tried := f.push("try", map[string]string{"hosts/a": "try"})
	f.git(f.author, "checkout", "-q", "-B", "main", start)
	f.sh("git -C author submodule -q update used")
	main := f.commit(map[string]string{"hosts/b": "main"})
	for _, step := range []struct{ rev, ref, file string }{{tried, "refs/heads/try", "two"}, {main, "", "one"}} {
		j := f.job("pull", step.rev)
		j.Ref = step.ref
		end, out := f.launch(j, "022")
		text, err := os.ReadFile(filepath.Join(f.checkout(), "used/file"))
		status := f.git(f.checkout(), "status", "--porcelain", "--untracked-files=no")
		if end.Word != "pulled" || string(text) != step.file+"\n" || status != "" {
			t.Errorf("%+v: used/file is %q (%v), status %q\n%s", end, text, err, status, out)
		}
	}
}

func TestUnsignedCommitIsRefused(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("needs ssh-keygen")
	}
	bothModes(t, func(t *testing.T, f *repoFixture, managed bool, pull func(rev, ref string) (Item, string)) {
		f.sh("ssh-keygen -q -t ed25519 -N '' -C '' -f good; ssh-keygen -q -t ed25519 -N '' -C '' -f other; git config --global gpg.format ssh")
		// The host's own settings accept the other key, and any PGP signature.
		f.sh(`printf 'me@example.org %s\n' "$(cat other.pub)" >trusted; git config --global gpg.ssh.allowedSignersFile ~/trusted
printf '#!/bin/sh\ncat >/dev/null; echo "[GNUPG:] NEWSIG"; echo "[GNUPG:] GOODSIG 0123456789ABCDEF me"; echo "[GNUPG:] TRUST_FULLY 0 pgp"\n' >gpg; chmod +x gpg; git config --global gpg.program ~/gpg`)
		sign := func(args string) string {
			f.sh("cd author && git " + args + " && git push -q origin HEAD:main")
			return f.git(f.author, "rev-parse", "HEAD")
		}
		unsigned := f.commit(map[string]string{"hosts/a": "two"})
		other := sign("-c user.signingKey=$HOME/other commit -q -S --allow-empty -m other")
		forged := sign(`cat-file commit HEAD >../object && { sed -n '1,/^committer/p' ../object
printf 'gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\nforged\n'; } >../forged && git reset -q --hard $(git hash-object -t commit -w ../forged) && git push -q -f origin HEAD:main; true`)
		good := sign("reset -q --hard " + other + " && git -c user.signingKey=$HOME/good commit -q -S --allow-empty -m good && git push -q -f origin HEAD:main; true")
		signers := "# the team\nme@example.org " + f.sh("cat good.pub") + "\n"
		job := func(rev string) Item {
			t.Helper()
			j := f.job("pull", rev)
			j.Managed, j.Remote, j.AllowedSigners = managed, f.origin, signers
			if rev != "" {
				j.Ref = rev
			}
			end, out := f.launch(j, "022")
			if end.Word == "failed" && end.Code != "unsigned" {
				t.Errorf("%s", out)
			}
			return end
		}
		for name, rev := range map[string]string{"unsigned": unsigned, "other key": other, "forged": forged} {
			if end := job(rev); end.Word != "failed" || end.Code != "unsigned" || !strings.Contains(end.Text, rev) {
				t.Errorf("%s: %+v", name, end)
			}
		}
		if end := job(good); end.Word != "pulled" {
			t.Errorf("good: %+v", end)
		}
		if end := job(""); end.Word != "unchanged" {
			t.Errorf("good, without a pull: %+v", end)
		}
		f.git(f.place(managed), "commit", "-q", "--allow-empty", "-m", "unsigned")
		if end := job(""); end.Code != "unsigned" {
			t.Errorf("unsigned, without a pull: %+v", end)
		}
	})
}
