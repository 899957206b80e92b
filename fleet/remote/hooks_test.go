package remote

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// hookSteps returns the steps in the log of a job, each with the word that it ended with.
func hookSteps(out string) []string {
	var steps []string
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		if len(words) == 4 && words[1] == "step" && words[3] != "start" {
			steps = append(steps, words[2]+" "+words[3])
		}
	}
	return steps
}

// TestHooksSurroundSwitch has commands that note what happens, around a switch_command.
func TestHooksSurroundSwitch(t *testing.T) {
	t.Parallel()
	note := func(word string) string { return "echo " + word + " >>~/seen" }
	const after = "echo \"after $FLEETCTL_OUTCOME\" >>~/seen"
	for name, tt := range map[string]struct {
		before, after []string
		command       string
		outcome, code string
		seen          []string
		steps         []string // those around the switch
		text          string
	}{
		"all succeed": {[]string{note("one"), note("two")}, []string{after}, note("switch"), "unchanged", "",
			[]string{"one", "two", "switch", "after switched"}, []string{"before ok", "activate ok", "after ok"}, ""},
		"before fails": {[]string{note("one"), "exit 3", note("two")}, []string{after}, note("switch"), "failed", "before-switch",
			[]string{"one", "after failed"}, []string{"before failed", "after ok"}, `the before_switch command "exit 3" exited with 3`},
		"before takes too long": {[]string{"sleep 60"}, nil, note("switch"), "failed", "before-switch",
			[]string{""}, []string{"before failed"}, `the before_switch command "sleep 60" was ended, because the commands took more than 1 s`},
		"the switch fails": {nil, []string{after}, "exit 5", "failed", "switch-command",
			[]string{"after failed"}, []string{"activate failed", "after ok"}, "switch_command exited with 5"},
		"after fails": {nil, []string{"exit 6", after}, note("switch"), "degraded", "after-switch",
			[]string{"switch", "after switched"}, []string{"activate ok", "after failed"}, `switched, but the after_switch command "exit 6" exited with 6`},
		"everything fails": {nil, []string{"exit 7"}, "exit 5", "failed", "switch-command",
			[]string{""}, []string{"activate failed", "after failed"}, "switch_command exited with 5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newRepoFixture(t)
			j := f.job("switch", f.git(f.checkout(), "rev-parse", "HEAD"))
			j.BeforeSwitch, j.AfterSwitch, j.SwitchCommand, j.Hooks = tt.before, tt.after, tt.command, time.Minute
			if strings.Contains(name, "too long") {
				j.Hooks = time.Second
			}
			end, out := f.launch(j, "022")
			if end.Word != tt.outcome || end.Code != tt.code || tt.text != "" && end.Text != tt.text {
				t.Errorf("the job ended with %+v\n%s", end, out)
			}
			seen, _ := os.ReadFile(filepath.Join(f.home, "seen"))
			if got := strings.Split(strings.TrimSuffix(string(seen), "\n"), "\n"); !slices.Equal(got, tt.seen) {
				t.Errorf("saw %q, want %q\n%s", got, tt.seen, out)
			}
			got := slices.DeleteFunc(hookSteps(out), func(s string) bool { return s == "preflight ok" || s == "pull ok" || s == "verify ok" })
			if !slices.Equal(got, tt.steps) {
				t.Errorf("the steps are %q, want %q\n%s", got, tt.steps, out)
			}
		})
	}
}

// TestHooksSurroundHome switches a home that Nix builds, twice: the second time there is nothing to
// switch, and so nothing runs.
func TestHooksSurroundHome(t *testing.T) {
	t.Parallel()
	f := newNixFixture(t)
	f.push("", true)
	f.sh("sed -i 's|args = .*|args = [ ./build.sh ];|' author/flake.nix")
	rev := f.commit(map[string]string{"build.sh": "PATH=/bin:/usr/bin\nmkdir $out\necho 1 >$out/gen-version\n" +
		"printf '#!/bin/sh\\necho switch >>~/seen\\n' >$out/activate\nchmod +x $out/activate\n"})
	for _, want := range []string{"before\nswitch\nafter switched\n", ""} {
		j := f.job("switch", rev)
		j.BeforeSwitch, j.AfterSwitch, j.Hooks = []string{"echo before >>~/seen"}, []string{"echo after $FLEETCTL_OUTCOME >>~/seen"}, time.Minute
		end, out := f.launch(j, "022")
		seen, _ := os.ReadFile(filepath.Join(f.home, "seen"))
		if wantOutcome := map[bool]string{true: "switched", false: "unchanged"}[want != ""]; end.Word != wantOutcome || string(seen) != want {
			t.Errorf("the job ended with %+v, saw %q, want %q\n%s", end, seen, want, out)
		}
		os.Remove(filepath.Join(f.home, "seen"))
	}
}
