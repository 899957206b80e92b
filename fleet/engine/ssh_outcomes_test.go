package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

// TestOutcomesMatchWhatTheHostRuns deploys configurations that fail at each point of the real order
// of operations, and compares the outcome with what the host runs afterwards.
func TestOutcomesMatchWhatTheHostRuns(t *testing.T) {
	const old, built = "old", "built"
	for name, tt := range map[string]struct {
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
		"status 4 without a list names no unit": {
			kind: "nixos", words: []string{"fail-switch 4", "fail-silently"}, outcome: fleet.Degraded, code: "partial",
			reason: "named no unit", runs: built, profile: built,
		},
		"units that had failed before are no problem": {
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
			kind: "darwin", words: []string{"fail-switch 2"}, outcome: fleet.Failed, code: "activation", reason: "exited with 2",
			runs: old, profile: old, log: "-rolling back",
		},
		"a file in the way of a home changes nothing": {
			kind: "home", words: []string{"new-file .toyrc"}, prepare: func(t *testing.T, root string) {
				writeFile(t, filepath.Join(root, "home/mba/.toyrc"), "mine\n")
			}, outcome: fleet.Failed, code: "activation", reason: "exited with 1", profile: old, log: "-rolling back",
		},
		"a home that fails later loses its links": {
			kind: "home", words: []string{"new-file .toyrc", "fail-switch 1"}, outcome: fleet.RolledBack, code: "activation", profile: old,
		},
		"a home whose way back fails is degraded": {
			kind: "home", words: []string{"new-file .toyrc", "fail-switch 1", "block-rollback"}, outcome: fleet.Degraded,
			code: "rollback-failed", reason: "exited with 3", profile: old,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: tt.kind, User: "mba", Wave: 1})
			root := f.Root("web")
			f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0")
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

// withSystemd makes a demo host one that has systemd, so that the failed units count.
func withSystemd(t *testing.T, root string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, "run/systemd/system"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "nix/var/nix/profiles/default/bin/systemd-run")
	run := "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nnohup \"$@\" >/dev/null 2>&1 </dev/null &\n"
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
