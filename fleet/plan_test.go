package fleet

import (
	"fmt"
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

func TestShareIsNumberOrPercentage(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "3": 3, "10%": 2, "100%": 25, "1%": 0} {
		var s Share
		if err := s.Set(text); err != nil || s.Of(25) != want || !s.Given() || s.String() != text {
			t.Errorf("%q of 25 is %d (%v), want %d", text, s.Of(25), err, want)
		}
	}
	for _, text := range []string{"", "%", "-1", "101%", "1.5", "99999999999", "half"} {
		var s Share
		if err := s.Set(text); err == nil || s.Given() {
			t.Errorf("%q is %v", text, s)
		}
	}
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
		{"9", "1:a 1:b 1:c 1:d 2:e"},
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

func TestPlanRejectsInvalidOptions(t *testing.T) {
	const commit = "1111111111111111111111111111111111111111"
	for _, tt := range []struct {
		name string
		set  func(inv *inventory.Inventory, o *Options)
		want []string // in the error or its hint
	}{
		{"unknown goal", func(_ *inventory.Inventory, o *Options) { o.Goal = "swich" },
			[]string{`"swich"`, "switch, boot, test, build or pull"}},
		{"boot of a home", func(inv *inventory.Inventory, o *Options) { o.Goal = GoalBoot; inv.Host("b").Kind = "home" },
			[]string{"boot", "not for b", "kind:nixos"}},
		{"build with a switch_command", func(inv *inventory.Inventory, o *Options) {
			o.Goal = GoalBuild
			inv.Host("a").SwitchCommand = "x"
		}, []string{"switch_command", ": a"}},
		{"detached waves", func(inv *inventory.Inventory, o *Options) { o.Detach = true; inv.Host("a").Wave = 7 },
			[]string{"waves (wave 1, wave 7)", "--detach"}},
		{"revision without a pull", func(_ *inventory.Inventory, o *Options) { o.Rev, o.NoPull = commit, true },
			[]string{"--rev", "--no-pull"}},
		{"flag as a revision", func(_ *inventory.Inventory, o *Options) { o.Rev = "--upload-pack=x" },
			[]string{`"--upload-pack=x"`}},
		{"branch without a remote", func(inv *inventory.Inventory, o *Options) { o.Rev = "dev"; inv.Remote = "" },
			[]string{`"dev"`, "remote in [fleet]"}},
		{"managed clone without a remote", func(inv *inventory.Inventory, _ *Options) { inv.Host("b").Managed = true; inv.Remote = "" },
			[]string{"managed", ": b"}},
		{"no host", func(inv *inventory.Inventory, _ *Options) { inv.Hosts = nil }, []string{"at least one host"}},
		{"tests of what does not run yet", func(_ *inventory.Inventory, o *Options) { o.Test, o.Goal = true, GoalBoot },
			[]string{"leave out --test"}},
		{"detached tests", func(_ *inventory.Inventory, o *Options) { o.Test, o.Detach = true, true }, []string{"and --test"}},
	} {
		inv := testInventory("a", "b")
		var o Options
		tt.set(inv, &o)
		_, err := NewPlan(inv, inv.Hosts, o, "me@here")
		if err == nil {
			t.Errorf("%s: no error", tt.name)
			continue
		}
		for _, want := range tt.want {
			if text := err.Error() + "\n" + hint.Of(err); !strings.Contains(text, want) {
				t.Errorf("%s: %q does not contain %q", tt.name, text, want)
			}
		}
	}
}
