package engine_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
	"github.com/markus-barta/nixfleet/internal/testrounds"
)

// TestOutcomesMatchWhatTheHostRuns deploys configurations that fail at each point of the real order
// of operations, and compares the outcome with what the host runs afterwards.
func TestOutcomesMatchWhatTheHostRuns(t *testing.T) {
	const old, built = "old", "built"
	for name, tt := range testrounds.Some(map[string]struct {
		kind    string
		goal    string
		words   []string
		prepare func(t *testing.T, root string)
		outcome fleet.Outcome
		code    fleet.Code
		reason  string // a part of it
		runs    string
		profile string
		log     string // a part of it, "-" and what must not be in it
	}{
		"an incompatible init waits for the next boot": {
			kind: "nixos", words: []string{"fail-switch 100"}, outcome: fleet.RebootNeeded, code: "reboot", reason: "starts at the next boot",
			runs: old, profile: built, log: "-rolling back",
		},
		"an incompatible init cannot be tested": {
			kind: "nixos", goal: fleet.GoalTest, words: []string{"fail-switch 100"}, outcome: fleet.Failed, code: "inhibited", reason: "init",
			runs: old, profile: old,
		},
		"an incompatible init without a boot entry changes nothing": {
			kind: "nixos", words: []string{"fail-switch 100", "fail-boot"}, outcome: fleet.Failed, code: "not-default",
			reason: "could not be made", runs: old, profile: old,
		},
		"an inhibited switch changes nothing": {
			kind: "nixos", words: []string{"fail-switch 1"}, outcome: fleet.Failed, code: "inhibited", reason: `"switchInhibitors"`,
			runs: old, profile: old, log: "-rolling back",
		},
		"a killed activation script is undone": {
			kind: "nixos", words: []string{"kill-switch"}, outcome: fleet.RolledBack, code: "activation", reason: "exited with 137",
			runs: old, profile: old, log: "rolling back",
		},
		"a way back that fails is reported": {
			kind: "nixos", words: []string{"fail-switch 2", "remove-nixos"}, outcome: fleet.Degraded, code: "rollback-failed",
			reason: "now runs", runs: built, profile: old,
		},
		"a unit that fails after the way back is reported": {
			kind: "nixos", words: []string{"fail-switch 2", "break-unit web.service"}, prepare: withSystemd,
			outcome: fleet.Degraded, code: "rollback-failed", reason: "units failed: web.service", runs: old, profile: old,
		},
		"a killed root half is started again and goes back": {
			kind: "nixos", words: []string{"kill-root"}, prepare: withSystemd, outcome: fleet.RolledBack, code: "activation",
			reason: "exited with 137", runs: old, profile: old, log: "rolling back",
		},
		"a killed root half without systemd is reported": {
			kind: "nixos", words: []string{"kill-root"}, outcome: fleet.Degraded, code: "root-gone", reason: "may be incomplete",
			runs: old, profile: old,
		},
		"status 4 without a list names no unit": {
			kind: "nixos", words: []string{"fail-switch 4", "fail-silently"}, outcome: fleet.Degraded, code: "partial",
			reason: "named no unit", runs: built, profile: built,
		},
		"status 4 of a user's activation names the user": {
			kind: "nixos", words: []string{"fail-user mba"}, outcome: fleet.Degraded, code: "units",
			reason: "switched, but user units failed: demo.service; the activation failed for user mba", runs: built, profile: built,
		},
		"status 4 of a start job names the unit": {
			kind: "nixos", words: []string{"fail-job mnt-data.mount"}, outcome: fleet.Degraded, code: "units",
			reason: "switched, but units failed: mnt-data.mount", runs: built, profile: built,
		},
		"units that had failed before do not count": {
			kind: "nixos", words: []string{"list-old-failures"}, prepare: func(t *testing.T, root string) {
				withSystemd(t, root)
				writeFile(t, filepath.Join(root, "run/failed-units"), "old.service\n")
			}, outcome: fleet.Switched, runs: built, profile: built,
		},
		"a Mac's activation that fails is undone": {
			kind: "darwin", words: []string{"fail-switch 1"}, outcome: fleet.RolledBack, code: "activation", runs: old, profile: old,
			log: "rolling back",
		},
		"a Mac's failed check changes nothing": {
			kind: "darwin", words: []string{"fail-switch 2"}, outcome: fleet.Failed, code: "darwin-check",
			reason: "a check of nix-darwin failed: Build user group has mismatching GID", runs: old, profile: old, log: "-rolling back",
		},
		"a Mac's check of permissions changes nothing": {
			kind: "darwin", words: []string{"deny apps"}, outcome: fleet.Failed, code: "full-disk-access", reason: "over SSH",
			runs: old, profile: old, log: "-rolling back",
		},
		"a Mac without a graphical session goes back": {
			kind: "darwin", words: []string{"deny agents"}, outcome: fleet.RolledBack, code: "no-gui-session", reason: "no graphical session",
			runs: old, profile: old, log: "rolling back",
		},
		"a file in the way of a home changes nothing": {
			kind: "home", words: []string{"new-file .toyrc"}, prepare: func(t *testing.T, root string) {
				writeFile(t, filepath.Join(root, "home/mba/.toyrc"), "mine\n")
			}, outcome: fleet.Failed, code: "in-the-way", reason: "web/home/mba/.toyrc", profile: old, log: "-rolling back",
		},
		"a check of a home that fails changes nothing": {
			kind: "home", words: []string{"new-file .toyrc", "fail-check 9"}, outcome: fleet.Failed, code: "activation",
			reason: "exited with 9", profile: old, log: "-rolling back",
		},
		"a home that fails later loses its links": {
			kind: "home", words: []string{"new-file .toyrc", "fail-switch 1"}, outcome: fleet.RolledBack, code: "activation", profile: old,
		},
		"a home whose way back fails is degraded": {
			kind: "home", words: []string{"new-file .toyrc", "fail-switch 1", "block-rollback"}, outcome: fleet.Degraded,
			code: "rollback-failed", reason: "exited with 3", profile: old,
		},
	}, 6) {
		t.Run(name, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: tt.kind, User: "mba", Wave: 1})
			root := f.Root("web")
			if tt.kind == "home" { // its first activation links files
				f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0")
			}
			before := running(root, tt.kind)
			if before[0] == "" || before[1] == "" {
				t.Fatalf("runs %q", before)
			}
			if tt.prepare != nil {
				tt.prepare(t, root)
			}
			if tt.goal != "" {
				f.Options.Goal = tt.goal
			}
			_, state := f.Deploy(t.Context(), func(fleet.Event) {}, tt.words...)
			h := state.Host("web")
			if r := h.Result; r.Outcome != tt.outcome || r.Code != tt.code || !strings.Contains(r.Reason, tt.reason) {
				t.Errorf("%+v, want %s, %s, %q", r, tt.outcome, tt.code, tt.reason)
			}
			if c := h.Result.Changes; c != nil && (c.Undone != (tt.outcome == fleet.RolledBack) || tt.outcome == fleet.Failed || tt.code == "rollback-failed") {
				t.Errorf("%s, and changed %+v", tt.outcome, c)
			}
			if slices.ContainsFunc(h.Tail, func(line string) bool { return strings.HasPrefix(line, "rolling back") }) || len(h.Tail) == 0 {
				t.Errorf("the lines to quote are those of the way back: %q", h.Tail)
			}
			after := running(root, tt.kind)
			for i, want := range []string{tt.runs, tt.profile} {
				if want != "" && (after[i] == before[i]) != (want == old) {
					t.Errorf("after: %q, want %s; before: %q", after, []string{tt.runs, tt.profile}, before)
				}
			}
			log, err := os.ReadFile(filepath.Join(root, "home/mba/.local/state/fleetctl/jobs", state.Run+".web", "log"))
			if err != nil {
				t.Fatal(err)
			}
			if text, without := strings.CutPrefix(tt.log, "-"); strings.Contains(string(log), strings.ReplaceAll(text, "rolling back", "code=rollback")) == without {
				t.Errorf("the log, want %q:\n%s", tt.log, log)
			}
			if link, err := os.Readlink(filepath.Join(root, "home/mba/.toyrc")); tt.code != "rollback-failed" && err == nil {
				t.Errorf("a link was left: %s", link)
			}
		})
	}
}

func TestFailedWayBackWithoutConfirmation(t *testing.T) {
	for kind, word := range testrounds.Some(map[string]string{"nixos": "remove-nixos", "home": "block-rollback"}, 1) {
		t.Run(kind, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: kind, User: "mba", Wave: 1})
			f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0")
			f.Options.ConfirmTimeout = time.Second
			_, state := f.Deploy(t.Context(), func(ev fleet.Event) {
				// The next login is that of the confirmation.
				if ev.Type == fleet.StepStarted && ev.Step == fleet.Pull {
					f.Shut.Store(true)
				}
			}, word)
			r := state.Host("web").Result
			if r.Outcome != fleet.Degraded || r.Code != "rollback-failed" || !strings.Contains(r.Reason, "could not log in again within 1 s; the way back") {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestFailedWayBackStopsTheRun(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "db", Kind: "nixos", User: "mba", Wave: 2})
	_, state := f.Deploy(t.Context(), func(fleet.Event) {}, "fail-switch 2", "remove-nixos")
	if r := state.Host("web").Result; r.Outcome != fleet.Degraded || r.Code != "rollback-failed" {
		t.Errorf("%+v", r)
	}
	if r := state.Host("db").Result; r.Outcome != fleet.Skipped {
		t.Errorf("the next wave: %+v", r)
	}
}

func TestHomeMovesFilesInTheWayAside(t *testing.T) {
	for name, tt := range testrounds.Some(map[string]struct {
		files   map[string]string // in the home before the deploy
		words   []string
		outcome fleet.Outcome
		code    fleet.Code
		left    map[string]string // in the home afterwards
	}{
		"a file": {
			files: map[string]string{".toyrc": "mine\n"}, words: []string{"new-file .toyrc"},
			outcome: fleet.Switched, left: map[string]string{".toyrc": "# new\n", ".toyrc.bak": "mine\n"},
		},
		"a file whose backup exists": {
			files: map[string]string{".toyrc": "mine\n", ".toyrc.bak": "older\n"}, words: []string{"new-file .toyrc"},
			outcome: fleet.Failed, code: "backup-in-the-way", left: map[string]string{".toyrc": "mine\n", ".toyrc.bak": "older\n"},
		},
		"a file that comes back with the previous home": {
			files: map[string]string{".toyrc": "mine\n"}, words: []string{"new-file .toyrc", "fail-switch 1"},
			outcome: fleet.RolledBack, code: "activation", left: map[string]string{".toyrc": "mine\n", ".toyrc.bak": ""},
		},
		"a backup of another file stays": {
			files: map[string]string{".toyrc.bak": "older\n"}, words: []string{"new-file .toyrc", "fail-switch 1"},
			outcome: fleet.RolledBack, code: "activation", left: map[string]string{".toyrc": "", ".toyrc.bak": "older\n"},
		},
	}, 2) {
		t.Run(name, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: "home", User: "mba", Wave: 1})
			f.Inv.Host("web").BackupExtension = "bak"
			home := filepath.Join(f.Root("web"), "home/mba")
			for file, text := range tt.files {
				writeFile(t, filepath.Join(home, file), text)
			}
			_, state := f.Deploy(t.Context(), func(fleet.Event) {}, tt.words...)
			if r := state.Host("web").Result; r.Outcome != tt.outcome || r.Code != tt.code {
				t.Errorf("%+v, want %s, %s", r, tt.outcome, tt.code)
			}
			for file, want := range tt.left {
				if text, _ := os.ReadFile(filepath.Join(home, file)); string(text) != want {
					t.Errorf("%s is %q, want %q", file, text, want)
				}
			}
		})
	}
}

// TestHomeProfileIsTheOneThatHomeManagerUses has homes whose profile is in a place that
// home-manager moves it away from.
func TestHomeProfileIsTheOneThatHomeManagerUses(t *testing.T) {
	for name, tt := range testrounds.Some(map[string]struct {
		old     string // the directory that the profile was in
		words   []string
		outcome fleet.Outcome
	}{
		"switched":               {"nix/var/nix/profiles/per-user/mba", nil, fleet.Switched},
		"stopped by a check":     {"nix/var/nix/profiles/per-user/mba", []string{"fail-check 1"}, fleet.Failed},
		"back after the failure": {"nix/var/nix/profiles/per-user/mba", []string{"fail-switch 1"}, fleet.RolledBack},
	}, 2) {
		t.Run(name, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: "home", User: "mba", Wave: 1})
			root := f.Root("web")
			old, profiles := filepath.Join(root, tt.old), filepath.Join(root, "home/mba/.local/state/nix/profiles")
			if err := os.MkdirAll(filepath.Dir(old), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(profiles, old); err != nil {
				t.Fatal(err)
			}
			before, err := filepath.EvalSymlinks(filepath.Join(old, "home-manager"))
			if err != nil {
				t.Fatal(err)
			}
			if got := status(t, f, "web"); got.System.Deployed != before || got.System.Generation != 1 {
				t.Errorf("before: %+v, want %s", got.System, before)
			}
			rev, state := f.Deploy(t.Context(), func(fleet.Event) {}, tt.words...)
			r := state.Host("web").Result
			if r.Outcome != tt.outcome || (r.Outcome == fleet.Switched && (r.Generation != 2 || r.Before == "")) {
				t.Errorf("%+v, want %s", r, tt.outcome)
			}
			if _, err := os.Lstat(filepath.Join(old, "home-manager")); err == nil {
				t.Error("the old profile is still there")
			}
			got := status(t, f, "web")
			if want := r.Outcome == fleet.Switched; (got.System.Deployed != before) != want || (got.System.Revision == rev) != want {
				t.Errorf("after: %+v, %+v", got.System, r)
			}
			if r.Outcome == fleet.Switched {
				state = f.Run(fleet.Options{Goal: fleet.GoalRollback})
				if r := state.Host("web").Result; r.Outcome != fleet.Switched || status(t, f, "web").System.Deployed != before {
					t.Errorf("rolled back: %+v", r)
				}
			}
		})
	}
}

// status asks a host for its status.
func status(t *testing.T, f *fleettest.Fleet, name string) health.Health {
	t.Helper()
	var h *health.Health
	f.Client.Status(t.Context(), []*inventory.Host{f.Inv.Host(name)}, func(s host.Status) { h = s.Health })
	if h == nil {
		t.Fatal("no answer")
	}
	return *h
}

// TestDeadActivationIsSettledByLooking has jobs whose processes were killed while they activated.
func TestDeadActivationIsSettledByLooking(t *testing.T) {
	for name, tt := range testrounds.Some(map[string]struct {
		kind    string
		words   []string
		prepare func(t *testing.T, root, job string)
		want    string
	}{
		"a system that was half activated": {
			kind: "nixos", words: []string{"fail-switch 2"}, prepare: func(t *testing.T, _, job string) {
				os.Remove(filepath.Join(rootDir(t, job), "concluded"))
			}, want: "degraded died activate during=activate runs=",
		},
		"a system that could not go back": {
			kind: "nixos", words: []string{"fail-switch 2", "remove-nixos"},
			want: "degraded rollback-failed activate cause=activation left=system,activation back=255 runs=",
		},
		"a home before its write boundary": {
			kind: "home", words: []string{"new-file .toyrc"}, want: "failed died activate activated=no",
		},
		"a home after its write boundary": {
			kind: "home", words: []string{"fail-switch 1"}, want: "rolled-back died activate",
		},
		"a home that cannot go back": {
			kind: "home", words: []string{"fail-switch 1", "block-rollback"},
			want: "degraded rollback-failed activate cause=died left=activation back=3 runs=",
		},
	}, 2) {
		t.Run(name, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: tt.kind, User: "mba", Wave: 1})
			root := f.Root("web")
			if tt.kind == "home" {
				f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0")
				writeFile(t, filepath.Join(root, "home/mba/.toyrc"), "mine\n")
			}
			_, state := f.Deploy(t.Context(), func(fleet.Event) {}, tt.words...)
			job := filepath.Join(root, "home/mba/.local/state/fleetctl/jobs", state.Run+".web")
			boot, err := os.ReadFile(filepath.Join(root, "proc/sys/kernel/random/boot_id"))
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(job, "pid"), "1999999 "+string(boot))
			if err := os.Remove(filepath.Join(job, "result")); err != nil {
				t.Fatal(err)
			}
			if tt.prepare != nil {
				tt.prepare(t, root, job)
			}
			conn, err := f.Dial(t.Context(), f.Inv.Host("web"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			script := remote.Attach("t", state.Run+".web", 0)
			if _, err := conn.Run(t.Context(), host.Command{Script: script.Text, Args: script.Args}); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(job, "result")); err != nil || !strings.HasPrefix(string(got), tt.want) {
				t.Errorf("%q, %v, want %s", got, err, tt.want)
			}
		})
	}
}

// running returns the paths of what the host runs and of its profile.
func running(root, kind string) [2]string {
	profile := "nix/var/nix/profiles/system"
	if kind == "home" {
		profile = "home/mba/.local/state/nix/profiles/home-manager"
	}
	current, _ := filepath.EvalSymlinks(filepath.Join(root, "run/current-system"))
	set, _ := filepath.EvalSymlinks(filepath.Join(root, profile))
	if kind == "home" {
		current = set
	}
	return [2]string{current, set}
}

// rootDir returns the directory in which the root half of a job publishes its answers.
func rootDir(t *testing.T, job string) string {
	t.Helper()
	path, err := os.ReadFile(filepath.Join(job, "root"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(path))
}

// withSystemd makes a demo host one that has systemd, so that the failed units count.
func withSystemd(t *testing.T, root string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, "run/systemd/system"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "nix/var/nix/profiles/default/bin/systemd-run")
	const run = `#!/bin/sh
restart=no
while [ "$1" != -- ]; do
  if [ "$1" = --property=Restart=on-failure ]; then restart=yes; fi
  shift
done
shift
if [ $restart = yes ]; then set -- sh -c 'until "$@"; do sleep 0.1; done' sh "$@"; fi
nohup "$@" >/dev/null 2>&1 </dev/null &
`
	if err := os.WriteFile(path, []byte(run), 0o755); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
