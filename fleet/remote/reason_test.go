package remote

import (
	"testing"
)

// end returns the end of a log whose end marker has these words.
func end(t *testing.T, words string) Item {
	t.Helper()
	items := read(nonce+" end "+words+"\n", 1<<20)
	if len(items) != 1 || items[0].Kind != EndItem {
		t.Fatalf("%q: %+v", words, items)
	}
	return items[0]
}

func TestEndsBecomeSentences(t *testing.T) {
	const rolledBack = "; the previous configuration runs again"
	const killed = "the job was killed or the host restarted during confirm"
	for words, want := range map[string]string{
		"failed no-repo preflight repo=/home/me/My%20Code why=missing":         "there is no directory \"/home/me/My Code\"",
		"failed no-repo preflight repo=/c why=not-a-checkout user=me":          "\"/c\" is not a git checkout that user me can use",
		"failed no-repo preflight repo=/c why=no-commit":                       "the checkout \"/c\" has no commits",
		"failed no-repo build repo=/c why=no-entry":                            "cannot enter the directory \"/c\"",
		"failed no-repo pull url=git@h:c why=empty-clone":                      "fleetctl's clone of \"git@h:c\" has no commits yet: deploy once without --no-pull",
		"failed no-flake build repo=/c dir=nix":                                "there is no flake.nix in the directory \"nix\" of the checkout \"/c\"",
		"failed wrong-branch preflight repo=/c on=try branch=main":             "the checkout \"/c\" is on try, not on main",
		"failed wrong-branch preflight repo=/c on= branch=main":                "the checkout \"/c\" is on no branch, not on main",
		"failed dirty preflight repo=/c changes=2 files=flake.nix,%20a%20b":    "the checkout \"/c\" has uncommitted changes (flake.nix, a b)",
		"failed dirty preflight repo=/c changes=7 files=a,%20b,%20c,%20d,%20e": "the checkout \"/c\" has uncommitted changes (a, b, c, d, e, and 2 more)",
		"failed ahead pull repo=/c ahead=1":                                    "the checkout \"/c\" is ahead of the revision of this run by 1 commit",
		"failed diverged pull repo=/c ahead=1 behind=2":                        "the checkout \"/c\" has diverged: ahead by 1, behind by 2 commits",
		"failed disk preflight free_mib=12":                                    "only 12 MiB are free in /nix/store",
		"failed busy preflight unit=nixos-rebuild.service":                     "another activation is running on the host (nixos-rebuild.service)",
		"failed locked preflight job=r1.h who=me@here step=build":              "job r1.h of me@here is running on the host (build)",
		"failed no-revision pull url=u rev=1234 branch=main":                   "\"u\" has no commit 1234 on branch \"main\"",
		"failed timeout pull url=u seconds=9":                                  "git fetch from \"u\" took more than 9 s",
		"failed timeout build seconds=9":                                       "nix build took more than 9 s",
		"failed build build exit=1":                                            "nix build exited with 1",
		"failed build build exit=0":                                            "nix build left no result",
		"failed no-generation preflight to=7":                                  "there is no generation 7",
		"failed no-generation preflight current=1":                             "there is no generation before 1",
		"failed no-generation preflight current=":                              "there is no earlier generation",
		"failed activation activate exit=2":                                    "the activation exited with 2",
		"rolled-back activation activate exit=2":                               "the activation exited with 2" + rolledBack,
		"rolled-back activation confirm died=yes":                              "the activation failed" + rolledBack + "; " + killed,
		"failed switch-command activate exit=3":                                "switch_command exited with 3",
		"degraded switch-command activate exit=3":                              "switched, but switch_command exited with 3",
		"degraded units activate units=a.service,%20b.service%20":              "switched, but units failed: a.service, b.service",
		"degraded units verify units=a.service%20b.service":                    "switched, but units failed: a.service, b.service",
		"degraded health verify exit=1 check=curl%20-s%20%25x":                 "the health check \"curl -s %x\" exited with 1",
		"degraded root-gone confirm":                                           "switched, but the root process that waits for the confirmation is gone",
		"failed root-gone activate":                                            "the root process that was to activate is gone",
		"reboot-needed reboot verify after=activation":                         "the new configuration takes full effect at the next boot",
		"reboot-needed reboot verify after=goal":                               "the new configuration starts at the next boot",
		"rolled-back unconfirmed confirm seconds=60":                           "the operator could not log in again within 60 s" + rolledBack,
		"rolled-back unconfirmed confirm died=yes":                             "the operator could not log in again" + rolledBack + "; " + killed,
		"rolled-back silent confirm seconds=60":                                "no operator confirmed, and the host does not answer as it did before" + rolledBack,
		"rolled-back back confirm seconds=60":                                  "a new login did not work, so the operator rolled it back" + rolledBack,
		"rolled-back died confirm":                                             killed + rolledBack,
		"degraded died confirm":                                                killed + ": the new configuration runs, but was not verified",
		"reboot-needed died confirm":                                           killed + "; the new configuration starts at the next boot",
		"failed died confirm activated=yes":                                    killed + "; the new configuration does not run",
		"failed died confirm activated=no":                                     killed,
		"cancelled cancelled build":                                            "cancelled during build",
		"cancelled cancelled build before=activate":                            "cancelled before activation",
		//english:ignore the name of a result code
		"cancelled abandoned build":                                       "built, but the operator did not continue the run within a day",
		"failed internal pull":                                            "the script of the job failed unexpectedly during pull",
		"degraded internal verify":                                        "switched, but the script of the job failed unexpectedly during verify",
		"failed in-the-way activate exit=1 what=/home/me/.a":              "files that home-manager did not make are in the way: /home/me/.a",
		"failed backup-in-the-way activate exit=1 what=/home/me/.a.bak":   "the backup of a file in the way would replace another file: /home/me/.a.bak",
		"failed no-gui-session activate what=org.sync":                    "LaunchAgents cannot be loaded, because the user has no graphical session on the Mac: org.sync",
		"rolled-back launch-agents activate exit=1 what=gui/501/org.sync": "LaunchAgents could not be loaded: gui/501/org.sync" + rolledBack,
		"failed full-disk-access activate exit=1 what=":                   "macOS denies Full Disk Access to programs that run over SSH, and the activation needs it",
		"rolled-back app-management activate exit=1 what=":                "macOS does not let the activation update the copies of applications" + rolledBack,
		"rolled-back not-permitted activate exit=1 what=rm:%20x":          "macOS did not permit an operation: rm: x" + rolledBack,
		"failed darwin-check activate exit=2 what=No":                     "a check of nix-darwin failed: No",
		"degraded rollback-failed activate cause=no-gui-session exit=1 left=activation,files back=1 runs=/x": "LaunchAgents cannot be loaded, because the user has no graphical session on the Mac; " +
			"the way back to the previous configuration failed: its activation exited with 1, files that were moved aside are not back; now runs /x",
		"failed inhibited activate check=switchInhibitors":                                     `the check "switchInhibitors" before the switch failed`,
		"failed inhibited activate check=":                                                     "the checks before the switch failed",
		"failed inhibited activate check=init":                                                 "the new configuration has an init that is incompatible with what runs: only a reboot can start it",
		"failed not-default confirm":                                                           "only a reboot can start the new configuration, and it could not be made what the next boot starts",
		"reboot-needed reboot confirm after=init":                                              "the new configuration has an init that is incompatible with what runs: it starts at the next boot",
		"degraded partial confirm exit=4":                                                      "switched, but the activation exited with 4 and named no unit",
		"degraded units confirm units= user_units=a.service":                                   "switched, but user units failed: a.service",
		"degraded units confirm units=a.service%20b.service user_units=c.service,%20d.service": "switched, but units failed: a.service, b.service; user units failed: c.service, d.service",
		"degraded units confirm units= user_units= users=mba":                                  "switched, but the activation failed for user mba",
		"degraded root-gone activate during=activate":                                          "the root process stopped during the activation, which may be incomplete",
		"degraded died confirm during=activate runs=/nix/store/x":                              killed + ": the activation may be incomplete; the link to the running system names /nix/store/x",
		"degraded rollback-failed activate cause=activation left=system,activation back=255 runs=/nix/store/x exit=2": "the activation exited with 2; the way back to the previous configuration failed: " +
			"the running system is not the previous one, its activation exited with 255; now runs /nix/store/x",
		"degraded rollback-failed confirm cause=unconfirmed left=profile,a.service,b.service,links back=0 runs= seconds=60": "the operator could not log in again within 60 s; the way back to the previous configuration failed: " +
			"the profile is not the previous one, links of the previous home are missing, units failed: a.service, b.service",
		"degraded rollback-failed confirm cause=died left=activation back=none runs=/nix/store/x": killed + "; the way back to the previous configuration failed: there is no previous configuration; now runs /nix/store/x",
		"degraded rollback-failed confirm cause=silent left=system back=0 runs=/nix/store/x died=yes": "no operator confirmed, and the host does not answer as it did before; " + killed +
			"; the way back to the previous configuration failed: the running system is not the previous one; now runs /nix/store/x",
		"failed no-sudo connect with=auto":                                              "there is no sudo on the host, and the login user is not root",
		"failed no-sudo connect with=doas":                                              "there is no doas on the host, and the login user is not root",
		"failed no-root connect with=doas user=me text=doas: Authorization required":    "doas does not let user me become root without a password: Authorization required",
		"unchanged - preflight":                                                         "already up to date",
		"switched - confirm":                                                            "runs the new configuration",
		"failed from-a-newer-job pull exit=1":                                           "failed",
		"degraded units verify switched, but units failed: an older job's own sentence": "switched, but units failed: an older job's own sentence",
	} {
		if got := end(t, words).Text; got != want {
			t.Errorf("%s\ngot  %s\nwant %s", words, got, want)
		}
	}
}

func TestGitFailuresAreClassified(t *testing.T) {
	for text, want := range map[string]string{
		"ssh: Could not resolve hostname git.example.org: Name or service not known fatal: Could not read from remote repository.":                "no-network",
		"fatal: unable to access 'https://x/': Failed to connect to x port 443":                                                                   "no-network",
		"ssh: connect to host x port 22: Connection refused":                                                                                      "no-network",
		"git@x: Permission denied (publickey). fatal: Could not read from remote repository. Please make sure you have the correct access rights": "no-access",
		"remote: Repository not found.":                            "no-access",
		"fatal: could not read Username for 'https://x'":           "no-access",
		"Host key verification failed.":                            "no-access",
		"fatal: '/nothing' does not appear to be a git repository": "no-access",
		"fatal: couldn't find remote ref refs/heads/main":          "no-branch",
		"fatal: bad object 1234":                                   "fetch",
		"":                                                         "fetch",
	} {
		got := end(t, "failed fetch pull exit=128 url=u branch=main user=me text="+text)
		if got.Code != want || got.Text == "" {
			t.Errorf("%q: %s (%s), want %s", text, got.Code, got.Text, want)
		}
	}
	overwritten := end(t, "failed checkout pull exit=1 repo=/c rev=1234 text=error: The following untracked working tree files would be overwritten by merge: a")
	if overwritten.Code != "dirty" || overwritten.Text != `files that git does not track are in the way of the pull in "/c"` {
		t.Errorf("%+v", overwritten)
	}
	other := end(t, "failed checkout pull exit=1 repo=/c rev=1234 text=error: no space left")
	if other.Code != "checkout" || other.Text != `git could not check out 1234 in "/c": it exited with 1` {
		t.Errorf("%+v", other)
	}
}

func TestNoticesBecomeSentences(t *testing.T) {
	for words, want := range map[string]string{
		"warn code=lock-stolen job=r1.h":                              "the host was taken from job r1.h, which was killed",
		"warn code=lock-stale job=r1.h":                               "the lock of job r1.h, which is dead, was taken over",
		"warn code=sudo-password text=sudo: a password is required":   "sudo requires a password: deploy prompts for it",
		"warn code=sudo-password text=sudo: me is not in the sudoers": "sudo failed: sudo: me is not in the sudoers",
		"warn code=boot-entry exit=1":                                 "the boot entry of the new system could not be made: exit status 1",
		"warn code=health exit=1 check=x":                             "the health check \"x\" exited with 1",
		"warn code=switch-command exit=1":                             "switched, but switch_command exited with 1",
		"note code=rollback to=/nix/store/x":                          "rolling back to /nix/store/x",
		"warn code=rollback-exit exit=3":                              "the activation of the previous configuration exited with 3",
		"warn code=rollback-exit exit=0":                              "the previous configuration was activated, but not everything is as it was before",
		"warn code=rollback-exit exit=none":                           "there is no previous configuration to activate",
		"note code=rollback to=":                                      "rolling back to what ran before",
		"note code=silent service=ssh address=10.0.0.1":               "ssh does not answer any more: 10.0.0.1",
		"note code=from-a-newer-job a=b":                              "from-a-newer-job",
		"note a sentence of an older job, code=x":                     "a sentence of an older job, code=x",
	} {
		items := read(nonce+" "+words+"\n", 1<<20)
		if len(items) != 1 || items[0].Text != want {
			t.Errorf("%s: got %+v, want %s", words, items, want)
		}
	}
}

func TestReasonOfHeader(t *testing.T) {
	h := parseHeader("refused busy job=r1.h")
	if got := Reason(h.Code, h.Values); got != "another job is running on this machine: r1.h" {
		t.Error(got)
	}
	h = parseHeader("refused no-home path=/home/a%20b")
	if got := Reason(h.Code, h.Values); got != `cannot create files in "/home/a b"` {
		t.Error(got)
	}
	if got := Reason("from-a-newer-host", nil); got != "" {
		t.Error(got)
	}
}

func TestFetchFailureInCheckoutIsNotBlamedOnRemote(t *testing.T) {
	for text, want := range map[string]string{
		"fatal: cannot open '.git/FETCH_HEAD': Permission denied":             "fetch",
		"fatal: repository 'https://example.org/you/nixcfg.git/' not found":   "no-access",
		"git@example.org: Permission denied (publickey).":                     "no-access",
		"error: insufficient permission for adding an object to .git/objects": "fetch",
	} {
		e := ending{code: "fetch", fields: map[string]string{"text": text}}
		if e.classify(); e.code != want {
			t.Errorf("%q is %s, want %s", text, e.code, want)
		}
	}
}
