package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
)

// completions returns what fleetctl offers for a command line.
func completions(t *testing.T, env *testEnv, args ...string) string {
	t.Helper()
	out := new(syncBuffer)
	completing := *env.Env
	completing.Out = out
	if code := Main(&completing, append([]string{"__complete"}, args...)); code != fleet.ExitOK {
		t.Errorf("%q: exit code %d", args, code)
	}
	return out.String()
}

func TestValuesCompleteWithDescriptions(t *testing.T) {
	t.Parallel()
	env, _ := startDemoFleet(t, demo.Host{Name: "hsb0", Kind: "nixos", User: "mba", Wave: 2, Tags: []string{"home", "server"}}, demo.Host{Name: "hsb1", Kind: "nixos", User: "mba", Wave: 1})
	if code := Main(env.Env, []string{"deploy", "hsb0", "--yes"}); code != fleet.ExitOK {
		t.Fatalf("exit code %d\n%s%s", code, env.out, env.err)
	}
	rec, err := env.records().Latest()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want []string // lines, or their beginnings
	}{
		{[]string{"deploy", ""}, []string{"hsb0\tnixos, wave 2, @home @server\n", "@server\t1 host\n", "kind:nixos\t2 hosts\n", "wave:2\t1 host\n"}},
		{[]string{"exec", "hsb1 or (@s"}, []string{"hsb1 or (@server\t1 host\n"}},
		{[]string{"deploy", "hsb0", "--goal", ""}, []string{"switch\tactivate it now and at every boot\n"}},
		{[]string{"deploy", "hsb0", "--rev", ""}, []string{"main\t"}},
		{[]string{"rollback", "hsb0", "--to", ""}, []string{"2\t20", "1\t20"}},
		{[]string{"logs", ""}, []string{rec.Run + "\tswitch to ", "last\tthe newest run\n"}},
		{[]string{"history", "compare", "last", ""}, []string{rec.Run + "\tswitch to "}},
		{[]string{"logs", "last", ""}, []string{"hsb0\tswitched\n"}},
	} {
		got := completions(t, env, test.args...)
		for _, want := range test.want {
			if !strings.Contains("\n"+got, "\n"+want) {
				t.Errorf("%q lacks %q:\n%s", test.args, want, got)
			}
		}
	}
	for line := range strings.Lines(completions(t, env, "deploy", "hsb0", "")) {
		if strings.HasPrefix(line, "hsb0") {
			t.Error("a host is offered twice")
		}
	}
}

func TestCompletionScriptsWorkInTheirShells(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test binary is fleetctl under that name (TestMain).
	if err := os.Symlink(self, filepath.Join(dir, "fleetctl")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("HOME", dir)
	for shell, script := range map[string]string{
		"bash": `. ./completion.bash
			COMP_WORDS=(fleetctl dep) COMP_CWORD=1 COMP_LINE="fleetctl dep" COMP_POINT=12 COMP_TYPE=9
			__start_fleetctl; printf '%s\n' "${COMPREPLY[@]}"`,
		"fish": `source ./completion.fish; complete --do-complete "fleetctl dep"`,
		"zsh": `autoload -U compinit; compinit -u -d ./dump; . ./completion.zsh
			(( $+functions[_fleetctl] )) && [[ $_comps[fleetctl] = _fleetctl ]] && fleetctl __complete dep`,
	} {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skip("needs " + shell)
			}
			text, err := exec.Command("fleetctl", "completion", shell).Output()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "completion."+shell), text, 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(path, "-c", script)
			cmd.Dir = dir
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil || !strings.HasPrefix(string(out), "deploy") {
				t.Errorf("offers %q: %v\n%s", out, err, stderr.String())
			}
		})
	}
}
