package fleet

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
)

// testInventory returns an inventory of nixos hosts in wave 1.
func testInventory(names ...string) *inventory.Inventory {
	inv := &inventory.Inventory{Name: "test", Remote: "git@example.com:cfg.git", Branch: "main", Parallel: 16}
	for _, name := range names {
		inv.Hosts = append(inv.Hosts, &inventory.Host{Name: name, Kind: inventory.NixOS, Attr: name, Wave: 1})
	}
	return inv
}

// waves returns the hosts of a plan as WAVE:NAME.
func waves(p *Plan) string {
	var all []string
	for _, h := range p.Start().Hosts {
		all = append(all, fmt.Sprintf("%d:%s", h.Wave, h.Name))
	}
	return strings.Join(all, " ")
}

func share(text string) (s Share) {
	if err := s.Set(text); err != nil {
		panic(err)
	}
	return s
}

func TestPlanOrdersHostsByWave(t *testing.T) {
	inv := testInventory("a", "b", "c", "d")
	inv.Host("a").Wave, inv.Host("c").Wave = 9, 2
	p, err := NewPlan(inv, inv.Hosts, Options{}, "me@here")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := waves(p), "1:b 1:d 2:c 9:a"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPlanSplitsCanary(t *testing.T) {
	for _, tt := range []struct {
		canary string
		want   string
	}{
		{"1", "0:a 1:b 1:c 1:d 2:e"},
		{"50%", "0:a 0:b 1:c 1:d 2:e"},
		{"1%", "0:a 1:b 1:c 1:d 2:e"},
		{"0", "0:a 1:b 1:c 1:d 2:e"},
		{"3", "0:a 0:b 0:c 1:d 2:e"},
		{"4", "1:a 1:b 1:c 1:d 2:e"},
		{"9", "1:a 1:b 1:c 1:d 2:e"},
		{"100%", "1:a 1:b 1:c 1:d 2:e"},
	} {
		inv := testInventory("a", "b", "c", "d", "e")
		inv.Host("e").Wave = 2
		p, err := NewPlan(inv, inv.Hosts, Options{Canary: share(tt.canary)}, "me@here")
		if err != nil {
			t.Fatal(err)
		}
		if got := waves(p); got != tt.want {
			t.Errorf("canary %s: got %s, want %s", tt.canary, got, tt.want)
		}
		if slices.ContainsFunc(p.Waves, func(w Wave) bool { return len(w.Hosts) == 0 }) {
			t.Errorf("canary %s: a wave without hosts", tt.canary)
		}
	}
}

func TestPlanDecidesWhoConfirms(t *testing.T) {
	for _, tt := range []struct {
		o    Options
		want string // "" means an error
	}{
		{Options{}, ConfirmOperator},
		{Options{Goal: GoalTest}, ConfirmOperator},
		{Options{Goal: GoalRollback}, ConfirmOperator},
		{Options{Goal: GoalBoot}, ConfirmNone},
		{Options{Goal: GoalBuild}, ConfirmNone},
		{Options{Confirm: ConfirmSelf}, ConfirmSelf},
		{Options{Confirm: ConfirmNone, Detach: true}, ConfirmNone},
		{Options{Confirm: ConfirmOperator, Detach: true}, ""},
		{Options{Confirm: ConfirmOperator, Goal: GoalBoot}, ""},
		{Options{Confirm: "me"}, ""},
		{Options{ConfirmTimeout: 2 * time.Hour}, ""},
	} {
		inv := testInventory("web")
		p, err := NewPlan(inv, inv.Hosts, tt.o, "me@here")
		switch {
		case tt.want == "" && (err == nil || hint.Of(err) == ""):
			t.Errorf("%+v: error %v", tt.o, err)
		case tt.want != "" && (err != nil || p.Confirm != tt.want):
			t.Errorf("%+v: %v, want %s", tt.o, err, tt.want)
		}
	}
}

func TestPlanFillsInDefaults(t *testing.T) {
	inv := testInventory("web")
	inv.Notify.Command = "true"
	p, err := NewPlan(inv, inv.Hosts, Options{}, "me@here")
	if err != nil {
		t.Fatal(err)
	}
	want := Options{Goal: GoalSwitch, Parallel: 16, Confirm: ConfirmOperator, ConfirmTimeout: DefaultConfirmTimeout, OnFailure: OnFailureHalt}
	if !reflect.DeepEqual(p.Options, want) {
		t.Errorf("got %+v, want %+v", p.Options, want)
	}
	if p.Fleet != "test" || p.Remote != inv.Remote || p.Branch != "main" || p.Operator != "me@here" || p.Of != "" ||
		len(p.Notify) != 1 || p.Notify[0].Command != "true" {
		t.Errorf("%+v", p)
	}
}

func TestPlanKeepsValidOptions(t *testing.T) {
	const commit = "1111111111111111111111111111111111111111"
	for _, tt := range []struct {
		name string
		o    Options
	}{
		{"fewer hosts at once", Options{Parallel: 1}},
		{"shortest confirmation timeout", Options{ConfirmTimeout: time.Second}},
		{"longest confirmation timeout", Options{ConfirmTimeout: time.Hour}},
		{"commit", Options{Rev: commit, Pinned: Revision{Commit: commit}}},
		{"tip of the branch", Options{Pinned: Revision{Commit: commit, Ref: "refs/heads/main"}}},
		{"branch", Options{Rev: "feature/x-1.2"}},
		{"no pull", Options{NoPull: true}},
		{"no confirmation of a boot", Options{Goal: GoalBoot, Confirm: ConfirmNone}},
		{"no confirmation of a build", Options{Goal: GoalBuild, Confirm: ConfirmNone}},
		{"host confirms a test", Options{Goal: GoalTest, Confirm: ConfirmSelf}},
		{"host confirms a detached run", Options{Detach: true, Confirm: ConfirmSelf}},
		{"detached boot", Options{Goal: GoalBoot, Detach: true}},
		{"continue", Options{OnFailure: OnFailureContinue}},
		{"wave rolls back", Options{OnFailure: OnFailureRollback}},
		{"wave rolls back a boot", Options{OnFailure: OnFailureRollback, Goal: GoalBoot}},
		{"build first", Options{BuildFirst: true}},
		{"build first, then boot", Options{BuildFirst: true, Goal: GoalBoot}},
		{"build first, then test", Options{BuildFirst: true, Goal: GoalTest}},
		{"soak and wait", Options{Soak: time.Minute, WaitOnline: time.Hour}},
		{"repository tests", Options{Test: true}},
		{"repository tests of a test", Options{Test: true, Goal: GoalTest}},
		{"pull", Options{Goal: GoalPull}},
		{"rollback to a generation", Options{Goal: GoalRollback, To: 41, NoPull: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inv := testInventory("a")
			p, err := NewPlan(inv, inv.Hosts, tt.o, "me@here")
			if err != nil {
				t.Fatal(err)
			}
			want := tt.o
			want.Goal = cmp.Or(want.Goal, GoalSwitch)
			want.Parallel = cmp.Or(want.Parallel, 16)
			want.Confirm = cmp.Or(want.Confirm, p.Confirm)
			want.ConfirmTimeout = cmp.Or(want.ConfirmTimeout, DefaultConfirmTimeout)
			want.OnFailure = cmp.Or(want.OnFailure, OnFailureHalt)
			if !reflect.DeepEqual(p.Options, want) {
				t.Errorf("got %+v, want %+v", p.Options, want)
			}
		})
	}
}

func TestPlanTakesParallelFromInventoryUnlessPositive(t *testing.T) {
	for parallel, want := range map[int]int{-1: 16, 0: 16, 1: 1, 99: 99} {
		inv := testInventory("a")
		p, err := NewPlan(inv, inv.Hosts, Options{Parallel: parallel}, "me@here")
		if err != nil || p.Parallel != want {
			t.Errorf("%d: %v, want %d", parallel, err, want)
		}
	}
}

func TestPlanOfRollbackPullsNothing(t *testing.T) {
	for _, goal := range []string{GoalSwitch, GoalRollback} {
		inv := testInventory("a")
		p, err := NewPlan(inv, inv.Hosts, Options{Goal: goal}, "me@here")
		if err != nil {
			t.Fatal(err)
		}
		if p.NoPull != (goal == GoalRollback) {
			t.Errorf("%s: no pull %v", goal, p.NoPull)
		}
	}
}

func TestPlanAllowsSwitchCommandIfGoalSwitches(t *testing.T) {
	for goal, want := range map[string]bool{
		GoalSwitch: true, GoalPull: true, GoalRollback: true, GoalBoot: false, GoalTest: false, GoalBuild: false,
	} {
		inv := testInventory("a")
		inv.Host("a").SwitchCommand = "x"
		if _, err := NewPlan(inv, inv.Hosts, Options{Goal: goal}, "me@here"); (err == nil) != want {
			t.Errorf("%s: %v", goal, err)
		}
	}
}

func TestPlanAllowsManagedCloneIfFleetHasRemote(t *testing.T) {
	inv := testInventory("a")
	inv.Host("a").Managed = true
	if _, err := NewPlan(inv, inv.Hosts, Options{}, "me@here"); err != nil {
		t.Error(err)
	}
	inv.Host("a").Managed, inv.Remote = false, ""
	if _, err := NewPlan(inv, inv.Hosts, Options{}, "me@here"); err != nil {
		t.Error(err)
	}
}

func TestPlanAcceptsCommitInCapitals(t *testing.T) {
	inv := testInventory("a")
	inv.Remote = "" // a commit needs no lookup
	p, err := NewPlan(inv, inv.Hosts, Options{Rev: strings.Repeat("AB", 20)}, "me@here")
	if err != nil || p.Pinned.Commit != strings.Repeat("ab", 20) || p.Lookup() != "" || p.Named() != p.Pinned.Commit {
		t.Errorf("%v, %+v", err, p)
	}
}

func TestPlanStartsAsEvent(t *testing.T) {
	inv := testInventory("a", "b", "c", "d")
	inv.Host("c").Wave, inv.Host("c").Kind = 2, inventory.Home
	p, err := NewPlan(inv, inv.Hosts, Options{
		Canary: share("1"), ConfirmTimeout: 90 * time.Second, BuildFirst: true, OnFailure: OnFailureRollback,
		MaxWaveFailures: share("25%"), MaxFailures: share("50%"), Soak: 2 * time.Minute, Test: true,
	}, "me@here")
	if err != nil {
		t.Fatal(err)
	}
	p.Of = "r1"
	want := &Start{
		Fleet: "test", Goal: GoalSwitch, Operator: "me@here", Of: "r1", Confirm: ConfirmOperator, ConfirmSeconds: 90,
		BuildFirst: true, OnFailure: OnFailureRollback, MaxWaveFailures: "25%", MaxFailures: new(2), SoakSeconds: 120, Test: true,
		Hosts: []PlannedHost{{"a", "nixos", 0, ""}, {"b", "nixos", 1, ""}, {"d", "nixos", 1, ""}, {"c", "home", 2, ""}},
	}
	if got := p.Start(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	p.MaxFailures = Share{}
	if got := p.Start().MaxFailures; got != nil {
		t.Errorf("%d failures", *got)
	}
}

func TestWaveName(t *testing.T) {
	for number, want := range map[int]string{CanaryWave: "the canary", 1: "wave 1", 12: "wave 12"} {
		if got := WaveName(number); got != want {
			t.Errorf("%d: %q", number, got)
		}
	}
}

func TestPlanRejectsInvalidOptions(t *testing.T) {
	const (
		commit     = "1111111111111111111111111111111111111111"
		notReady   = "a detached run cannot wait for hosts"
		notReadyIf = "leave out --detach, or --build-first, --wait-online and --test"
	)
	only := func(o Options) func(*inventory.Inventory, *Options) {
		return func(_ *inventory.Inventory, to *Options) { *to = o }
	}
	for _, tt := range []struct {
		name string
		set  func(inv *inventory.Inventory, o *Options)
		want string
		hint string
	}{
		{"no host", func(inv *inventory.Inventory, _ *Options) { inv.Hosts = nil }, "a run needs at least one host", ""},
		{"canary without hosts", func(inv *inventory.Inventory, o *Options) { inv.Hosts, o.Canary = nil, share("1") },
			"a run needs at least one host", ""},
		{"managed clone without a remote", func(inv *inventory.Inventory, _ *Options) { inv.Host("b").Managed = true; inv.Remote = "" },
			`repo_mode = "managed" needs the fleet's remote: b`, "set remote in [fleet]"},
		{"unknown goal", only(Options{Goal: "swich"}), `unknown goal "swich"`, "use switch, boot, test, build or pull"},
		{"boot of a home", func(inv *inventory.Inventory, o *Options) { o.Goal = GoalBoot; inv.Host("b").Kind = "home" },
			`goal "boot" is only for nixos hosts, not for b`, `add "and kind:nixos" to the selector`},
		{"test of homes", func(inv *inventory.Inventory, o *Options) {
			o.Goal = GoalTest
			inv.Host("a").Kind, inv.Host("b").Kind = "home", "darwin"
		}, `goal "test" is only for nixos hosts, not for a, b`, `add "and kind:nixos" to the selector`},
		{"build with a switch_command", func(inv *inventory.Inventory, o *Options) {
			o.Goal = GoalBuild
			inv.Host("a").SwitchCommand = "x"
		}, `goal "build" is not for hosts with a switch_command, which always switches: a`, `leave them out, or use goal "switch"`},
		{"revision without a pull", only(Options{Rev: commit, NoPull: true}),
			"a revision cannot be deployed without a pull", "leave out --rev or --no-pull"},
		{"rollback to a revision", only(Options{Rev: "dev", Goal: GoalRollback}),
			"a revision cannot be deployed without a pull", "leave out --rev or --no-pull"},
		{"flag as a revision", only(Options{Rev: "--upload-pack=x"}),
			`"--upload-pack=x" is neither a commit nor the name of a branch or tag`, ""},
		{"range as a revision", only(Options{Rev: "a..b"}), `"a..b" is neither a commit nor the name of a branch or tag`, ""},
		{"short confirmation timeout", only(Options{ConfirmTimeout: time.Second - 1}),
			"invalid confirmation timeout 999.999999ms", "use 1s to 1h0m0s"},
		{"negative confirmation timeout", only(Options{ConfirmTimeout: -time.Minute}),
			"invalid confirmation timeout -1m0s", "use 1s to 1h0m0s"},
		{"long confirmation timeout", only(Options{ConfirmTimeout: time.Hour + 1}),
			"invalid confirmation timeout 1h0m0.000000001s", "use 1s to 1h0m0s"},
		{"unknown confirmation", only(Options{Confirm: "me"}), `invalid confirmation by "me"`, "use operator, self or none"},
		{"confirmation of a boot", only(Options{Confirm: ConfirmSelf, Goal: GoalBoot}),
			`nothing can be confirmed with goal "boot": the new configuration does not run before the next reboot`, "leave out --confirm"},
		{"confirmation of a build", only(Options{Confirm: ConfirmOperator, Goal: GoalBuild}),
			`there is nothing to confirm with goal "build": it activates nothing`, "leave out --confirm"},
		{"operator confirms a detached run", only(Options{Confirm: ConfirmOperator, Detach: true}),
			"the operator cannot confirm a detached run", "leave out --detach, or use --confirm self so that the host decides"},
		{"unknown reaction to a failure", only(Options{OnFailure: "stop"}),
			`invalid reaction to a failure "stop"`, "use halt, continue or rollback-wave"},
		{"wave rolls back a test", only(Options{OnFailure: OnFailureRollback, Goal: GoalTest}),
			`goal "test" leaves no generation to roll back from`, "leave out --on-failure rollback-wave"},
		{"negative soak", only(Options{Soak: -1}), "a wait cannot be negative", ""},
		{"negative wait for hosts", only(Options{WaitOnline: -1}), "a wait cannot be negative", ""},
		{"build first and wait for hosts", only(Options{BuildFirst: true, WaitOnline: 1}),
			"--build-first waits for every host, but --wait-online lets the others continue", "leave out one of them"},
		{"build first without an activation", only(Options{BuildFirst: true, Goal: GoalBuild}),
			`goal "build" has no activation that could wait for builds`, "leave out --build-first"},
		{"build first, then roll back", only(Options{BuildFirst: true, Goal: GoalRollback}),
			`goal "rollback" has no activation that could wait for builds`, "leave out --build-first"},
		{"tests of what does not run yet", only(Options{Test: true, Goal: GoalBoot}),
			`with goal "boot" nothing new runs that could be tested`, "leave out --test"},
		{"detached build first", only(Options{Detach: true, BuildFirst: true}), notReady, notReadyIf},
		{"detached wait for hosts", only(Options{Detach: true, WaitOnline: 1}), notReady, notReadyIf},
		{"detached tests", only(Options{Detach: true, Test: true}), notReady, notReadyIf},
		{"detached waves", func(inv *inventory.Inventory, o *Options) { o.Detach = true; inv.Host("a").Wave = 7 },
			"cannot detach from a run of several waves (wave 1, wave 7): each waits for the previous one",
			"select the hosts of one wave, or leave out --detach and --canary"},
		{"detached canary", only(Options{Detach: true, Canary: share("1")}),
			"cannot detach from a run of several waves (the canary, wave 1): each waits for the previous one",
			"select the hosts of one wave, or leave out --detach and --canary"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inv := testInventory("a", "b")
			var o Options
			tt.set(inv, &o)
			p, err := NewPlan(inv, inv.Hosts, o, "me@here")
			if err == nil || p != nil {
				t.Fatalf("error %v, plan %+v", err, p)
			}
			if err.Error() != tt.want || hint.Of(err) != tt.hint {
				t.Errorf("%q with hint %q, want %q with hint %q", err, hint.Of(err), tt.want, tt.hint)
			}
		})
	}
}

func TestPlanChecksBuilders(t *testing.T) {
	served := &inventory.Host{Name: "served", Kind: inventory.NixOS, Wave: 1, Builder: "big", Repo: "~/c"}
	big := &inventory.Host{Name: "big", Kind: inventory.NixOS, Wave: 1, Repo: "~/c"}
	bare := &inventory.Host{Name: "bare", Kind: inventory.NixOS, Wave: 1, Builder: "big"}
	inv := &inventory.Inventory{Name: "f", Remote: "r", Branch: "main", Parallel: 1, Hosts: []*inventory.Host{served, big, bare}}
	for _, tt := range []struct {
		name    string
		hosts   []*inventory.Host
		options Options
		builder string // of the first host
		err     string
	}{
		{"the inventory decides", []*inventory.Host{served, big}, Options{}, "big", ""},
		{"the host itself, once", []*inventory.Host{served}, Options{BuildOn: "host"}, "", ""},
		{"another host, once", []*inventory.Host{big}, Options{BuildOn: "served"}, "served", ""},
		{"the host is the builder", []*inventory.Host{served}, Options{BuildOn: "served"}, "", ""},
		{"a rollback", []*inventory.Host{bare}, Options{Goal: GoalRollback}, "", ""},
		{"an unknown builder", []*inventory.Host{big}, Options{BuildOn: "bigg"}, "", `--build-on names "bigg", which is not a host of the inventory`},
		{"no checkout to build from", []*inventory.Host{bare}, Options{BuildOn: "host"}, "", "hosts without a checkout cannot build for themselves: bare"},
		{"no checkout to pull", []*inventory.Host{bare}, Options{Goal: GoalPull}, "", "hosts that others build for have no checkout to pull: bare"},
		{"no checkout to test", []*inventory.Host{bare}, Options{Test: true}, "", "hosts that others build for have no checkout with tests: bare"},
		{"no checkout to deploy", []*inventory.Host{served}, Options{NoPull: true}, "", "hosts that others build for have no checkout to deploy: served"},
		{"without an operator", []*inventory.Host{served, big}, Options{Detach: true}, "", "what others build is copied through this machine, so it cannot leave the run: served"},
	} {
		p, err := NewPlan(inv, tt.hosts, tt.options, "me@here")
		switch {
		case tt.err != "":
			if err == nil || err.Error() != tt.err || hint.Of(err) == "" {
				t.Errorf("%s: %v", tt.name, err)
			}
		case err != nil || p.Builder(tt.hosts[0]) != tt.builder || p.Start().Hosts[0].Builder != tt.builder:
			t.Errorf("%s: %+v, %v", tt.name, p, err)
		}
	}
}
