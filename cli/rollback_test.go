package cli

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
)

// deployed is a fleet of which one host was deployed to, so that it has two generations, and one is away.
func deployed(t *testing.T) *world {
	t.Helper()
	w, f := fleetOf(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1}, demo.Host{Name: "gone", Kind: "nixos", User: "mba", Wave: 1})
	f.Server("gone").Close()
	if code := Main(w.Env, []string{"deploy", "web", "--quiet"}); code != fleet.ExitOK {
		t.Fatalf("deploy: %d\n%s%s", code, w.out, w.err)
	}
	*w.out, *w.err = buffer{}, buffer{}
	return w
}

func TestRollbackListsWhatHostsCanGoBackTo(t *testing.T) {
	w := deployed(t)
	if code := Main(w.Env, []string{"rollback", "--all", "--list"}); code != fleet.ExitUnreachable {
		t.Errorf("exit code %d\n%s%s", code, w.out, w.err)
	}
	var rows [][]string
	for line := range strings.Lines(w.out.String()) {
		rows = append(rows, strings.Fields(line))
	}
	if len(rows) != 3 || rows[1][1] != "2" || rows[1][len(rows[1])-1] != "current" || rows[2][1] != "1" || rows[2][len(rows[2])-1] != "booted" {
		t.Errorf("listed\n%s", w.out)
	}
	if !strings.Contains(w.err.String(), "gone: ") {
		t.Errorf("nothing is said of the host that is away: %s", w.err)
	}
}

func TestRollbackListsInJSONALineAHost(t *testing.T) {
	w := deployed(t)
	if code := Main(w.Env, []string{"rollback", "--all", "--list", "--output", "json"}); code != fleet.ExitUnreachable {
		t.Errorf("exit code %d\n%s%s", code, w.out, w.err)
	}
	lines := json.NewDecoder(strings.NewReader(w.out.String()))
	var web, gone generationsJSON
	if err := errors.Join(lines.Decode(&web), lines.Decode(&gone)); err != nil {
		t.Fatal(err)
	}
	if web.Host != "web" || len(web.Generations) != 2 || !web.Generations[0].Current || len(web.Generations[1].Revision) != 40 || !web.Generations[1].Booted {
		t.Errorf("web: %+v", web)
	}
	if gone.Host != "gone" || gone.Error == "" || gone.Generations == nil {
		t.Errorf("gone: %+v", gone)
	}
}

func TestRollbackAsksAPersonWhichGeneration(t *testing.T) {
	w := deployed(t)
	w.InTTY = true
	for _, test := range []struct{ answers, asks string }{
		{"\nn\n", "to generation 1? [y/N]"},
		{"7\n2\nn\n", "to generation 2? [y/N]"},
	} {
		*w.err, w.In = buffer{}, strings.NewReader(test.answers)
		if code := Main(w.Env, []string{"rollback", "web"}); code != fleet.ExitInterrupted {
			t.Errorf("exit code %d\n%s", code, w.err)
		}
		if said := w.err.String(); !strings.Contains(said, "which generation shall run again? [1]") || !strings.Contains(said, test.asks) {
			t.Errorf("%q: asked\n%s", test.answers, said)
		}
	}
	*w.err, w.In = buffer{}, strings.NewReader("")
	if code := Main(w.Env, []string{"rollback", "web"}); code != fleet.ExitInterrupted || !strings.Contains(w.err.String(), "nothing was begun") {
		t.Errorf("no answer: exit code %d\n%s", code, w.err)
	}
	*w.err, w.In = buffer{}, strings.NewReader("1\ny\n")
	if code := Main(w.Env, []string{"rollback", "web", "--quiet"}); code != fleet.ExitOK || !strings.Contains(w.out.String(), "switched") {
		t.Errorf("exit code %d\n%s%s", code, w.out, w.err)
	}
}

func TestRollbackOfAHostThatIsAwayAsksNothing(t *testing.T) {
	w := deployed(t)
	w.InTTY = true
	if code := Main(w.Env, []string{"rollback", "gone"}); code != fleet.ExitUnreachable || strings.Contains(w.err.String(), "which") {
		t.Errorf("exit code %d\n%s", code, w.err)
	}
}

func TestAHostThatFailedSaysMoreThanOneThatIsAway(t *testing.T) {
	for _, codes := range [][2]int{{fleet.ExitFailed, fleet.ExitUnreachable}, {fleet.ExitUnreachable, fleet.ExitFailed}, {fleet.ExitOK, fleet.ExitFailed}} {
		if got := worse(codes[0], codes[1]); got != fleet.ExitFailed {
			t.Errorf("%v come to %d", codes, got)
		}
	}
	if got := worse(fleet.ExitUnreachable, fleet.ExitOK); got != fleet.ExitUnreachable {
		t.Errorf("away and well come to %d", got)
	}
}
