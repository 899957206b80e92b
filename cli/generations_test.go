package cli

import (
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
)

func TestRollbackShowsGenerationsToChooseFrom(t *testing.T) {
	w, _ := fleetOf(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	run := func(want int, args ...string) string {
		t.Helper()
		*w.out, *w.err = buffer{}, buffer{}
		if code := Main(w.Env, args); code != want {
			t.Fatalf("%v: exit code %d, want %d\n%s%s", args, code, want, w.out, w.err)
		}
		return w.out.String() + w.err.String()
	}
	run(fleet.ExitOK, "deploy", "web", "--quiet", "--yes")
	list := run(fleet.ExitOK, "rollback", "web", "--list")
	if !strings.Contains(list, "HOST") || strings.Count(list, "current") != 1 {
		t.Errorf("the list:\n%s", list)
	}
	if json := run(fleet.ExitOK, "rollback", "web", "--list", "--output", "json"); !strings.Contains(json, `"current":true`) || strings.Count(json, "\n") != 1 {
		t.Errorf("as JSON:\n%s", json)
	}

	w.InTTY = true
	for _, test := range []struct {
		typed string
		code  int
		says  string
	}{
		{"", fleet.ExitInterrupted, "nothing was begun"},
		{"999\n", fleet.ExitUsage, `"999" is no generation of web`},
		{"\nn\n", fleet.ExitInterrupted, "rollback 1 host (web) of demo to generation 1? [y/N]"},
		{"1\ny\n", fleet.ExitOK, "switched"},
	} {
		w.In = strings.NewReader(test.typed)
		if said := run(test.code, "rollback", "web"); !strings.Contains(said, test.says) || !strings.Contains(said, "which generation of web? [1]") {
			t.Errorf("typed %q:\n%s", test.typed, said)
		}
	}
}
