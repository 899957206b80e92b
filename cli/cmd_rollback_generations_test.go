package cli

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
)

func TestRollbackPromptsForAGeneration(t *testing.T) {
	t.Parallel()
	env, _ := startDemoFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	run := func(want int, args ...string) string {
		t.Helper()
		*env.out, *env.err = syncBuffer{}, syncBuffer{}
		if code := Main(env.Env, args); code != want {
			t.Fatalf("%v: exit code %d, want %d\n%s%s", args, code, want, env.out, env.err)
		}
		return env.out.String() + env.err.String()
	}
	env.InTTY = true
	if out := run(fleet.ExitFailed, "rollback", "web"); !strings.Contains(out, "web has only generation 1, so there is nothing to roll back to") || strings.Contains(out, "[y/N]") {
		t.Errorf("without an earlier generation:\n%s", out)
	}
	env.InTTY = false
	run(fleet.ExitOK, "deploy", "web", "--quiet", "--yes")
	list := run(fleet.ExitOK, "rollback", "web", "--list")
	if !strings.Contains(list, "HOST") || strings.Count(list, "current") != 1 {
		t.Errorf("the list:\n%s", list)
	}
	if json := run(fleet.ExitOK, "rollback", "web", "--list", "--output", "json"); !strings.Contains(json, `"current":true`) || strings.Count(json, "\n") != 1 {
		t.Errorf("as JSON:\n%s", json)
	}

	env.InTTY = true
	for _, test := range []struct {
		typed string
		code  int
		want  string
	}{
		{"", fleet.ExitInterrupted, "nothing was started"},
		{"999\n", fleet.ExitUsage, `"999" is not a generation of web`},
		{"\nn\n", fleet.ExitInterrupted, "Roll back web to generation 1? [y/N]"},
		{"1\ny\n", fleet.ExitOK, "switched"},
	} {
		env.In = strings.NewReader(test.typed)
		if out := run(test.code, "rollback", "web"); !strings.Contains(out, test.want) || !strings.Contains(out, "Which generation of web? [1]") {
			t.Errorf("typed %q:\n%s", test.typed, out)
		}
	}
}

func TestRollbackReportsAnUnreachableHost(t *testing.T) {
	t.Parallel()
	env, f := startDemoFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1}, demo.Host{Name: "gone", Kind: "nixos", User: "mba", Wave: 1})
	f.Server("gone").Close()
	if code := Main(env.Env, []string{"rollback", "--all", "--list", "--output", "json"}); code != fleet.ExitUnreachable {
		t.Errorf("exit code %d\n%s%s", code, env.out, env.err)
	}
	lines := json.NewDecoder(strings.NewReader(env.out.String()))
	var web, gone generationsJSON
	if err := errors.Join(lines.Decode(&web), lines.Decode(&gone)); err != nil {
		t.Fatal(err)
	}
	if len(web.Generations) != 1 || !web.Generations[0].Booted || web.Error != "" || gone.Generations == nil || gone.Error == "" {
		t.Errorf("web %+v, gone %+v", web, gone)
	}
	env.InTTY = true
	if code := Main(env.Env, []string{"rollback", "gone"}); code != fleet.ExitUnreachable || strings.Contains(env.err.String(), "Which") {
		t.Errorf("exit code %d\n%s", code, env.err)
	}
}

func TestAFailureOutranksAnUnreachableHost(t *testing.T) {
	for _, codes := range [][2]int{{fleet.ExitFailed, fleet.ExitUnreachable}, {fleet.ExitUnreachable, fleet.ExitFailed}, {fleet.ExitOK, fleet.ExitFailed}} {
		if got := worseCode(codes[0], codes[1]); got != fleet.ExitFailed {
			t.Errorf("worseCode of %v is %d", codes, got)
		}
	}
	if got := worseCode(fleet.ExitUnreachable, fleet.ExitOK); got != fleet.ExitUnreachable {
		t.Errorf("worseCode of unreachable and ok is %d", got)
	}
}
