package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
)

func TestStatusExitCodeIsThatOfTheWorstHost(t *testing.T) {
	host := func(drift health.Drift) hostReport {
		return hostReport{host: &inventory.Host{}, Status: host.Status{Reachable: true, Health: &health.Health{}}, Judgement: health.Judgement{Drift: drift}}
	}
	current, drifted := host(health.Drift{}), host(health.Drift{{Code: health.Behind}})
	away, skipped, refused := host(nil), host(nil), host(nil)
	for _, r := range []*hostReport{&away, &skipped} {
		r.Reachable, r.Err = false, offlineError{"a"}
	}
	skipped.host = &inventory.Host{SkipOffline: true}
	refused.Reachable, refused.Err = false, errors.New("host key changed")
	for _, test := range []struct {
		name    string
		reports []hostReport
		drift   bool
		code    int
	}{
		{"all is well", []hostReport{current, skipped}, true, fleet.ExitOK},
		{"drift without --exit-code", []hostReport{current, drifted}, false, fleet.ExitOK},
		{"drift", []hostReport{drifted, current}, true, fleet.ExitDrift},
		{"one is away", []hostReport{current, away}, true, fleet.ExitUnreachable},
		{"drift before away", []hostReport{away, drifted, away}, true, fleet.ExitDrift},
		{"one refused", []hostReport{drifted, refused, away}, true, fleet.ExitFailed},
	} {
		if got := statusCode(test.reports, test.drift); got != test.code {
			t.Errorf("%s: %d, want %d", test.name, got, test.code)
		}
	}
}

func TestStatusShowsDriftedHosts(t *testing.T) {
	t.Parallel()
	env, _ := startDemoFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1}, demo.Host{Name: "api", Kind: "nixos", User: "mba", Wave: 1, Dirty: true})
	if code := Main(env.Env, []string{"deploy", "web", "--quiet"}); code != fleet.ExitOK {
		t.Fatalf("deploy: %d\n%s%s", code, env.out, env.err)
	}
	*env.out = syncBuffer{}
	if code := Main(env.Env, []string{"status", "--exit-code"}); code != fleet.ExitDrift {
		t.Errorf("exit code %d: %s", code, env.err)
	}
	out := env.out.String()
	for _, want := range []string{"web   ✓ current", "api   ~ dirty", "uncommitted changes; 2 behind", "(flake: newer nixpkgs, vpn-hub 2.1.0)", "1 of 2 hosts current\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing says %q in\n%s", want, out)
		}
	}
	if code := Main(env.Env, []string{"status", "web", "--exit-code"}); code != fleet.ExitOK {
		t.Errorf("web alone: exit code %d", code)
	}
}

func TestStatusShowsSpecialisationThatRuns(t *testing.T) {
	h := &health.Health{System: health.System{Generation: 7, Specialisation: "gaming"}}
	r := hostReport{host: &inventory.Host{}, Status: host.Status{Reachable: true, Health: h}}
	if cells := r.cells(time.Now()); !slices.Contains(cells, "7 gaming") {
		t.Errorf("%q", cells)
	}
}

func TestStatusJSONPrintsOneLinePerHost(t *testing.T) {
	t.Parallel()
	env, f := startDemoFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1}, demo.Host{Name: "gone", Kind: "nixos", User: "mba", Wave: 1})
	f.Server("gone").Close()
	if code := Main(env.Env, []string{"status", "--output", "json"}); code != fleet.ExitUnreachable {
		t.Errorf("exit code %d: %s", code, env.err)
	}
	lines := json.NewDecoder(strings.NewReader(env.out.String()))
	var web, gone statusJSON
	if err := errors.Join(lines.Decode(&web), lines.Decode(&gone)); err != nil {
		t.Fatal(err)
	}
	if web.Host != "web" || !web.Reachable || web.Health == nil || !web.Drift.Has(health.Behind) || len(web.Wanted) != 40 {
		t.Errorf("web: %+v", web)
	}
	if gone.Host != "gone" || gone.Reachable || gone.Health != nil || gone.Error == "" {
		t.Errorf("gone: %+v", gone)
	}
}

func TestStatusShowsPendingDeploys(t *testing.T) {
	t.Parallel()
	env, f := startDemoFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1}, demo.Host{Name: "gone", Kind: "nixos", User: "mba", Wave: 1})
	f.Server("gone").Close()
	if code := Main(env.Env, []string{"deploy", "--all", "--quiet"}); code != fleet.ExitUnreachable {
		t.Fatalf("deploy: exit code %d\n%s", code, env.err)
	}
	*env.out = syncBuffer{}
	Main(env.Env, []string{"status"})
	if out := env.out.String(); strings.Count(out, "deploy pending since run") != 1 {
		t.Errorf("one is pending:\n%s", out)
	}
	*env.out = syncBuffer{}
	Main(env.Env, []string{"status", "--output", "json"})
	lines := json.NewDecoder(strings.NewReader(env.out.String()))
	var web, gone statusJSON
	if err := errors.Join(lines.Decode(&web), lines.Decode(&gone)); err != nil {
		t.Fatal(err)
	}
	if web.Owed != nil || gone.Owed == nil || gone.Owed.Outcome != fleet.Unreachable || len(gone.Owed.Revision) != 40 {
		t.Errorf("pending: web %+v, gone %+v", web.Owed, gone.Owed)
	}
}

func TestStatusLeavesOutColumnsOnNarrowTerminals(t *testing.T) {
	env := newTestEnv(t)
	r := hostReport{host: &inventory.Host{Name: "hsb0"}, Judgement: health.Judgement{State: health.StateBehind, Reason: "2 behind"}, Status: host.Status{
		Reachable: true, Health: &health.Health{Uptime: 90000, System: health.System{Generation: 213}, Memory: &health.Amount{Total: 100, Free: 25}, Store: &health.Amount{Total: 1 << 40, Free: 5 << 30}},
	}}
	at := func(width int) string {
		table := newTextTable(env.Env, statusHeads()...)
		table.row(table.palette.Bad, append([]string{"hsb0", r.state(table.palette)}, r.cells(env.Now())...)...)
		table.width = width
		table.fit(spareHeads()...)
		return table.String()
	}
	if wide := at(200); !strings.Contains(wide, "75%") || !strings.Contains(wide, "5.0 GiB free") || !strings.Contains(wide, "1 d") {
		t.Errorf("wide:\n%s", wide)
	}
	if narrow := at(50); strings.Contains(narrow, "MEMORY") || !strings.Contains(narrow, "2 behind") || !strings.Contains(narrow, "↓ behind") {
		t.Errorf("narrow:\n%s", narrow)
	}
}

func TestPlanTestAndRebootEndAsTheirHostsDo(t *testing.T) {
	t.Parallel()
	env, f := startDemoFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"plan", "--all"}, fleet.ExitOK, "would build 4 derivations, download 6 paths (34.51 MiB)"},
		{[]string{"plan", "--all", "--rev", "nosuch"}, fleet.ExitUsage, `cannot look up "nosuch": no such branch, tag or commit`},
		{[]string{"plan", "--all", "--build"}, fleet.ExitOK, "↑ up    vpn-hub 2.0.4 → 2.1.0, +61.2 KiB"},
		{[]string{"plan", "--all", "--output", "json"}, fleet.ExitOK, `"subject":"flake: newer nixpkgs, vpn-hub 2.1.0"`},
		{[]string{"test", "--all"}, fleet.ExitOK, "- no tests"},
		{[]string{"reboot", "--all", "--yes"}, fleet.ExitOK, "✓ rebooted"},
		{[]string{"reboot"}, fleet.ExitUsage, "no hosts selected"},
	} {
		*env.out, *env.err = syncBuffer{}, syncBuffer{}
		if code := Main(env.Env, test.args); code != test.code || !strings.Contains(env.out.String()+env.err.String(), test.says) {
			t.Errorf("%v: exit code %d\n%s%s", test.args, code, env.out, env.err)
		}
	}
	if err := f.Server("web").Close(); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"plan", "--all"}, {"test", "--all"}, {"reboot", "--all", "-y"}} {
		if code := Main(env.Env, command); code != fleet.ExitUnreachable {
			t.Errorf("%s of a host that is away: exit code %d", command, code)
		}
	}
}

func TestAFailedTestShowsWhatItSaid(t *testing.T) {
	env := newTestEnv(t)
	p := &testPrinter{env: env.Env, labels: newLabels(env.Env, hostsNamed("web")), lines: json.NewEncoder(new(bytes.Buffer))}
	tested := host.TestResults{Host: "web", Tests: []host.Test{{Name: "a.sh", Seconds: 1}, {Name: "b.sh", Exit: 7, Output: []string{"dns is silent"}}}}
	p.text(hostsNamed("web")[0], tested)
	p.count(hostsNamed("web")[0], tested)
	want := "web | ✓ passed a.sh (1 s)\nweb | ✗ failed b.sh: exit status 7 (0 s)\n  | dns is silent\n"
	if env.out.String() != want || p.failed != 1 {
		t.Errorf("%d failed:\n%s", p.failed, env.out)
	}
}

func TestRebootAsksWhichHostsAndTakesNoForNo(t *testing.T) {
	t.Parallel()
	env, _ := startDemoFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1}, demo.Host{Name: "desk", Kind: "home", User: "markus", Wave: 1})
	env.InTTY, env.In = true, strings.NewReader("n\n")
	if code := Main(env.Env, []string{"reboot", "--all"}); code != fleet.ExitInterrupted {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(env.err.String(), "Reboot 1 host (web)? [y/N]") || env.out.String() != "" {
		t.Errorf("%s%s", env.out, env.err)
	}
}

func TestSpansAndSizesAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Second: "0 s", 59 * time.Second: "59 s", 90 * time.Minute: "1 h", 49 * time.Hour: "2 d"} {
		if got := span(d); got != want {
			t.Errorf("%v: %q", d, got)
		}
	}
	for n, want := range map[uint64]string{12: "12 B", 1 << 10: "1.0 KiB", 999 << 30: "999 GiB", 1000 << 30: "1.0 TiB", 64 << 30: "64 GiB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
